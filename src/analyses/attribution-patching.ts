/** "Which activations carry the information that decides between two answers, estimated from one run with gradients?" */

import { COMPONENT, ESTIMATED, GROUP, KEY, NEURON, PATCHED, SITE } from "../finding/columns.ts";
import { type Finding, finding, type Method, type Statement } from "../finding/finding.ts";
import { as, column, type Table, tableOf } from "../finding/table.ts";
import type { Model } from "../lens/model.ts";
import { hasMlps } from "../lens/model-has.ts";
import { agreementOf, type Pair } from "../measures/agreement.ts";
import { type ListedPlaces, listedPlaces } from "../measures/attribution-patching/listed.ts";
import {
  ATTRIBUTION_PATCHING_OPTIONS,
  type AttributionPatchingMeasurement,
  type AttributionPatchingRow,
  type AttributionSite,
  measureAttributionPatching,
} from "../measures/attribution-patching.ts";
import { type Contrast, contrastOptions, readContrast, runsOf } from "../measures/contrast.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled, topOption } from "../measures/options.ts";
import { quoted, signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import {
  agreement,
  agreementBaselines,
  agreementScatter,
  correlationStatement,
  IDENTICAL,
  worstStatement,
} from "./attribution/agreement.ts";
import { attributionViews, rowLabel } from "./attribution-patching/pictures.ts";
import { BOTH_RUNS, contrastBaselines, contrastCaveats, contrastSettings, preferenceStatement } from "./contrast.ts";
import { modelFacts } from "./model-facts.ts";
import { ATP_STAR, ATTRIBUTION_PATCHING } from "./papers.ts";
import { placeCells, placeName, placeWithin } from "./places.ts";

/** The options of the analysis. */
export type AttributionPatchingOptions = GivenOptions<typeof OPTIONS>;

const PARTS = [
  { name: "agreement", title: "Does the estimate agree with patching?" },
  { name: "positions", title: "By layer and position" },
  { name: "heads", title: "By head" },
  { name: "neurons", title: "By neuron" },
];
/** Which sites share a colour in a picture: no more groups than there are distinguishable colours. */
const GROUPS: Readonly<Record<AttributionSite, string>> = {
  ...{ resid_pre: "stream", resid_mid: "stream", attn_out: "layers' outputs", mlp_out: "layers' outputs" },
  ...{ z: "heads", q: "heads", k: "heads", v: "heads", pattern: "patterns", post: "neurons" },
};
const QUESTION =
  "Which activations carry the information that decides between two answers, estimated from one run with gradients?";

/**
 * Attribution patching of every site, compared with actual patching of the same places.
 * @throws InputError for prompts of different lengths, answers of several tokens, or a model that does not distinguish
 * the prompts; UnknownNameError or ArgumentError for a site that does not exist, or that this model lacks.
 */
export async function attributionPatching(model: Model, options: AttributionPatchingOptions = {}): Promise<Finding> {
  const asked = settled("attributionPatching", model, options, OPTIONS);
  const { top, seed, sites, mostPatched, signal, onProgress } = asked;
  const contrast = await readContrast(model, asked, signal);
  const runs = { ...runsOf(contrast), sites: sites?.length ? (sites as AttributionSite[]) : undefined };
  const measured = await measureAttributionPatching(model, { ...runs, mostPatched, signal, onProgress });
  const places = listedPlaces(measured);
  const pairs = places.patched.map((row) => asPair(row, contrast));
  const all = agreement(pairs, seed, { things: ["place", "places"], estimated: "estimated", measured: "patched" });
  const views = attributionViews(measured, places, contrast);
  const title = "Each place, estimated and patched";
  const where = { [SITE.name]: [...measured.patched.keys()] };
  const pictures = [
    agreementScatter(all, { title, part: "agreement", table: "all", where, by: GROUP.name, label: SITE.name }),
    ...views,
  ];
  const [first, ...others] = [
    ...largestComponent(model, pairs),
    correlationStatement("Estimates and actual patching", all),
    ...worstStatement(all, BOTH_RUNS),
    preferenceStatement(contrast),
  ];
  return finding({
    analysis: "attribution-patching",
    question: QUESTION,
    summary: [first, ...others],
    method: method(contrast),
    model: modelFacts(model),
    settings: { ...contrastSettings(contrast), sites: [...measured.effects.keys()].join(", "), mostPatched, top, seed },
    parts: PARTS.filter(({ name }) => pictures.some(({ part }) => part === name)),
    pictures,
    answerPicture: (views[0] ?? pictures[0]).name,
    tables: [siteTable(measured.patched.keys(), pairs, contrast), ...placeTables(places, contrast, top)],
    baselines: [...contrastBaselines(contrast), ...agreementBaselines(all, seed)],
    caveats: [
      "The estimate is linear, from the gradient at the corrupted run. Where a change is large (the stream in the first layers) or a softmax or norm is saturated, it can be far off and even have the wrong sign.",
      "Estimates add up, true effects do not: information that two places both carry may be restored by either of them.",
      ...unpatchedCaveat(measured, mostPatched),
      ...contrastCaveats(contrast, "a place"),
      ...model.notes,
    ],
  });
}

type PlacePair = AttributionPatchingRow & Pair;

/** A place with its name and group, for the comparison. */
function asPair(row: AttributionPatchingRow, { clean }: Contrast): PlacePair {
  return { ...row, name: placeName(row, clean.tokens), group: GROUPS[row.site], measured: row.patched ?? Number.NaN };
}

/** Of what writes to the stream, what has the largest estimate. */
function largestComponent(model: Model, pairs: readonly PlacePair[]): Statement[] {
  const components = pairs.filter(({ site }) => site === "z" || site === "mlp_out");
  if (components.length === 0) return [];
  const { name, estimated, measured } = components.reduce((a, b) =>
    Math.abs(b.estimated) > Math.abs(a.estimated) ? b : a,
  );
  return [
    {
      text: `Of ${hasMlps(model) ? "heads' and MLPs' outputs" : "heads' outputs"}, ${name} has the largest estimate: ${signed(estimated)} logits; when it is actually patched, ${signed(measured)}.`,
      figure: { value: estimated, unit: "logits", comparedWith: BOTH_RUNS },
    },
  ];
}

function method({ answer, wrong }: Contrast): Method {
  return {
    text: `One run gives the clean prompt's activations, the corrupted prompt's, and at the corrupted ones the gradient of logit(${quoted(answer)}) − logit(${quoted(wrong)}) at the last position. The estimate of what patching a place would change is (clean − corrupted) · gradient, summed over the axes that the place does not name: it would be exact if everything that follows were linear.\n\nThe same places are then actually patched, each alone, and the change in the logit difference is measured. Places where both are exactly 0 (because the prompts agree, or nothing that follows reads them) are left out of the correlations.`,
    references: [ATTRIBUTION_PATCHING, ATP_STAR],
  };
}

function unpatchedCaveat({ effects, patched }: AttributionPatchingMeasurement, most: number): string[] {
  const left = [...effects.keys()].filter((site) => !patched.has(site));
  if (left.length === 0) return [];
  return [
    `Sites with more than ${most} places were only estimated, not patched (${left.join(", ")}): how far those estimates can be trusted is not known.`,
  ];
}

function siteTable(sites: Iterable<AttributionSite>, pairs: readonly PlacePair[], { clean }: Contrast): Table {
  const about = { name: "sites", title: "Agreement by site", part: "agreement", comparedWith: [IDENTICAL] };
  const rows = Array.from(sites, (site) => ({ site, ...agreementOf(pairs.filter((pair) => pair.site === site)) }));
  return tableOf(about, rows, [
    as(SITE, "What was patched."),
    column("places", "Places where the two runs differ.", { format: "integer" }),
    column("pearson", "Pearson's r of estimates and true effects.", { title: "r", digits: 3 }),
    column("spearman", "Spearman's ρ of estimates and true effects.", { title: "ρ", digits: 3 }),
    column("mean_error", "Mean |estimated − patched|.", { unit: "logits" }),
    column("worst_error", "The largest |estimated − patched|.", { title: "worst", unit: "logits" }),
    [
      column("worst_place", "The place with the largest error.", { title: "where", format: "text" }),
      ({ worst }) => (worst ? placeWithin(worst, clean.tokens, "pos") : null),
    ],
  ]);
}

function placeTables({ patched, unpatched, heads }: ListedPlaces, { clean }: Contrast, top: number): Table[] {
  const where = placeCells<AttributionPatchingRow>(clean.tokens);
  const effects = [ESTIMATED, as(PATCHED, "The change when this place alone is patched.")];
  const table = (name: string, title: string, rows: readonly AttributionPatchingRow[]) =>
    tableOf({ name, title, detail: name === "all", comparedWith: BOTH_RUNS }, rows, [
      ...where,
      [as(KEY, "For a pattern: the position that is attended to."), ({ key }) => key ?? null],
      [NEURON, ({ d_mlp }) => d_mlp ?? null],
      [as(COMPONENT, { detail: true, description: "The head or neuron, or the layer and its site." }), rowLabel],
      [GROUP, ({ site }) => GROUPS[site]],
      ...effects,
    ]);
  const ranked = [...patched].sort((a, b) => Math.abs(b.patched!) - Math.abs(a.patched!));
  const [most, alone] = [ranked, unpatched].map((places) => places.slice(0, top));
  const summed = { name: "heads", title: "Heads, summed over positions", part: "heads", detail: true };
  return [
    table("top", `The ${most.length} largest true effects`, most),
    ...(alone.length > 0
      ? [table("estimated-alone", `The ${alone.length} largest estimates that were not patched`, alone)]
      : []),
    table("all", "All patched places where the runs differ, then the largest estimates that were not patched", [
      ...ranked,
      ...unpatched,
    ]),
    ...(heads.length > 0 ? [tableOf(summed, heads, [...where, ...effects])] : []),
  ];
}

const OPTIONS = {
  ...contrastOptions,
  ...ATTRIBUTION_PATCHING_OPTIONS,
  mostPatched: { ...ATTRIBUTION_PATCHING_OPTIONS.mostPatched, default: 10_000 },
  top: topOption("places"),
  seed: seedOption(),
} as const satisfies AnalysisOptions;

/** The analysis for the index. */
export const attributionPatchingAnalysis = analysis({
  name: "attribution-patching",
  question: QUESTION,
  description:
    "Estimates activation patching of every site (residual stream, attention and MLP outputs, heads' outputs, queries, keys, values and patterns, neurons) from one run with gradients, and actually patches the same places (for sites with up to 10000 of them) to say how far the estimate can be trusted.",
  example: { clean: "My sister was angry, because", corrupted: "My brother was angry, because" },
  options: OPTIONS,
  run: attributionPatching,
});
