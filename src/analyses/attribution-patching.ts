/** "Which activations carry the information that decides between two answers, estimated from one run with gradients?" */

import { type Finding, finding, type Statement } from "../finding/finding.ts";
import type { Column, PositionalTable as Table } from "../finding/table.ts";
import type { Tensor } from "../graph/tensor.ts";
import {
  type AttributionPatching,
  type AttributionSite,
  attributionPatching,
  attributionSites,
} from "../lens/attribution-patching.ts";
import { headName, nameAlong, neuronName } from "../lens/components.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { hasMlps } from "../lens/model-has.ts";
import { patchFrom, sweep } from "../lens/sweep.ts";
import { getActName } from "../models/act-name.ts";
import { listed, quoted, signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import {
  type Agreement,
  agreement,
  agreementBaselines,
  agreementScatter,
  correlationStatement,
  errorOf,
  IDENTICAL,
  type Pair,
  worstStatement,
} from "./attribution/agreement.ts";
import { attributionPictures, changeOf } from "./attribution/patching-pictures.ts";
import {
  CLEAN_RUN,
  CORRUPTED_RUN,
  type Contrast,
  contrastBaselines,
  contrastCaveats,
  contrastOptions,
  contrastSettings,
  readContrast,
} from "./contrast.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled, topOption } from "./options.ts";
import { modelFacts } from "./prompt.ts";
import { stages } from "./stages.ts";
import { largestIndices } from "./top-tokens.ts";

/** The options of the analysis. */
export type AttributionPatchingAnalysisOptions = GivenOptions<typeof OPTIONS>;

/** One place of one site. */
export interface PatchedPlace extends Pair {
  readonly site: AttributionSite;
  readonly layer: number;
  /** Its index along each of the site's axes. */
  readonly at: Readonly<Record<string, number>>;
}

/** The most places of a site that are actually patched, one by one, for the comparison; a site with more is not compared. */
const MOST_PLACES = 10_000;
/** How many of the largest estimates are listed for sites that are not patched. */
const MOST_UNPATCHED = 1000;
/** Which sites share a colour in a picture: no more groups than there are distinguishable colours. */
const GROUPS: Readonly<Record<AttributionSite, string>> = {
  resid_pre: "stream",
  resid_mid: "stream",
  attn_out: "layers' outputs",
  mlp_out: "layers' outputs",
  z: "heads",
  q: "heads",
  k: "heads",
  v: "heads",
  pattern: "patterns",
  post: "neurons",
};
const BOTH_RUNS = [CORRUPTED_RUN, CLEAN_RUN] as const;
const QUESTION =
  "Which activations carry the information that decides between two answers, estimated from one run with gradients?";

/**
 * Attribution patching of every site, compared with actual patching of the same places.
 * @throws InputError for prompts of different lengths, answers of several tokens, or a model that does not distinguish
 * the prompts.
 */
export async function attributionPatchingFinding(
  model: HookedTransformer,
  options: AttributionPatchingAnalysisOptions = {},
): Promise<Finding> {
  const asked = settled("attributionPatchingFinding", model, options, OPTIONS);
  const { top, seed, signal, onProgress } = asked;
  const contrast = await readContrast(model, asked, signal);
  const { clean, corrupted, metric } = contrast;
  const attributed = await attributionPatching(model, corrupted.input, clean.input, metric, { signal });
  const sites = attributionSites(model);
  const compared = sites.filter((site) => attributed.effects.get(site)!.data.length <= MOST_PLACES);
  const layers = Array.from({ length: model.cfg.nLayers }, (_, layer) => layer);
  const [, cache] = await model.runWithCache(clean.input, {
    returnType: null,
    namesFilter: compared.flatMap((site) => layers.map((layer) => getActName(site, layer))),
    signal,
  });
  const size = (site: AttributionSite) => attributed.effects.get(site)!.data.length;
  const progress = stages(onProgress, compared.map(size));
  const measured = new Map<AttributionSite, Tensor>();
  for (const [i, site] of compared.entries()) {
    const over = attributed.effects.get(site)!.axes;
    const edit = patchFrom(cache);
    const swept = await sweep(model, corrupted.input, { site, over, edit, metric, signal, onProgress: progress[i] });
    measured.set(site, swept.values);
  }
  return report(model, contrast, attributed, measured, { top, seed });
}

function report(
  model: HookedTransformer,
  contrast: Contrast,
  attributed: AttributionPatching,
  measured: ReadonlyMap<AttributionSite, Tensor>,
  { top, seed }: { readonly top: number; readonly seed: number },
): Finding {
  const places = [...measured].flatMap(([site, values]) =>
    placesOf(site, attributed.effects.get(site)!, values, contrast, attributed.corrupted),
  );
  const words = { things: ["place", "places"], estimated: "estimated", measured: "patched" } as const;
  const all = agreement(places, seed, words);
  const bySite = new Map(
    [...measured.keys()].map((site) => [
      site,
      agreement(
        places.filter((p) => p.site === site),
        seed,
        words,
      ),
    ]),
  );
  const ranked = [...(all.pairs as readonly PatchedPlace[])].sort(
    (a, b) => Math.abs(b.measured) - Math.abs(a.measured),
  );
  const left = [...attributed.effects.keys()].filter((site) => !measured.has(site));
  const unpatched = left
    .flatMap((site) => largestPlaces(site, attributed.effects.get(site)!, contrast))
    .sort((a, b) => Math.abs(b.estimated) - Math.abs(a.estimated))
    .slice(0, MOST_UNPATCHED);
  const component = [...ranked]
    .filter(({ site }) => site === "z" || site === "mlp_out")
    .sort((a, b) => Math.abs(b.estimated) - Math.abs(a.estimated))[0];
  const { cleanMetric, corruptedMetric, answer, wrong } = contrast;
  const [first, ...others]: Statement[] = [
    ...(component
      ? [
          {
            text: `Of ${hasMlps(model) ? "heads' and MLPs' outputs" : "heads' outputs"}, ${component.name} has the largest estimate: ${signed(component.estimated)} logits; when it is actually patched, ${signed(component.measured)}.`,
            figure: { value: component.estimated, unit: "logits", comparedWith: BOTH_RUNS },
          },
        ]
      : []),
    correlationStatement("Estimates and actual patching", all),
    ...worstStatement(all, BOTH_RUNS),
    {
      text: `The model prefers ${quoted(answer)} to ${quoted(wrong)} by ${signed(cleanMetric)} logits on the clean prompt and by ${signed(corruptedMetric)} on the corrupted one.`,
      figure: { value: cleanMetric - corruptedMetric, unit: "logits", comparedWith: BOTH_RUNS },
    },
  ];
  return finding({
    analysis: "attribution-patching",
    question: QUESTION,
    summary: [first, ...others],
    method: {
      text: `One run gives the clean prompt's activations, the corrupted prompt's, and at the corrupted ones the gradient of logit(${quoted(answer)}) − logit(${quoted(wrong)}) at the last position. The estimate of what patching a place would change is (clean − corrupted) · gradient, summed over the axes that the place does not name: it would be exact if everything that follows were linear.\n\nThe same places are then actually patched, each alone, and the change in the logit difference is measured. Places where both are exactly 0 (because the prompts agree, or nothing that follows reads them) are left out of the correlations.`,
      references: [
        {
          title: "Attribution Patching: Activation Patching At Industrial Scale",
          url: "https://www.neelnanda.io/mechanistic-interpretability/attribution-patching",
          paper: "Nanda, 2023",
        },
        {
          title: "AtP*: An efficient and scalable method for localizing LLM behaviour to components",
          url: "https://arxiv.org/abs/2403.00745",
          paper: "Kramár et al., 2024",
        },
      ],
    },
    model: modelFacts(model),
    settings: { ...contrastSettings(contrast), sites: [...attributed.effects.keys()].join(", "), top, seed },
    parts: [
      { name: "agreement", title: "Does the estimate agree with patching?" },
      { name: "positions", title: "By layer and position" },
      { name: "heads", title: "By head" },
      ...(attributed.effects.has("post") ? [{ name: "neurons", title: "By neuron" }] : []),
    ],
    pictures: [
      agreementScatter(all, {
        name: "estimated-against-patched",
        title: "Each place, estimated and patched",
        part: "agreement",
        x: "estimated",
        y: "patched",
      }),
      ...attributionPictures(model, contrast, attributed, measured),
    ],
    tables: [
      siteTable(bySite),
      placeTable("top", `The ${Math.min(top, ranked.length)} largest true effects`, ranked.slice(0, top), contrast),
      ...(unpatched.length > 0
        ? [
            placeTable(
              "estimated-alone",
              `The ${Math.min(top, unpatched.length)} largest estimates that were not patched (${left.join(", ")})`,
              unpatched.slice(0, top),
              contrast,
            ),
          ]
        : []),
      { ...placeTable("all", "All patched places where the two runs differ", ranked, contrast), detail: true },
      ...(unpatched.length > 0
        ? [
            {
              ...placeTable(
                "all-estimated-alone",
                `The ${unpatched.length} largest estimates that were not patched`,
                unpatched,
                contrast,
              ),
              detail: true,
            },
          ]
        : []),
    ],
    baselines: [...contrastBaselines(contrast), ...agreementBaselines(all, seed)],
    caveats: [
      "The estimate is linear, from the gradient at the corrupted run. Where a change is large (the stream in the first layers) or a softmax or norm is saturated, it can be far off and even have the wrong sign.",
      "This is one pair of prompts: a place that matters here may not matter for another pair that asks the same thing.",
      "Estimates add up, true effects do not: information that two places both carry may be restored by either of them.",
      ...(left.length > 0
        ? [
            `${listed(left)} ${left.length === 1 ? "has" : "have"} more than ${MOST_PLACES} places ${left.length === 1 ? "" : "each "}and ${left.length === 1 ? "was" : "were"} only estimated, not patched: how far those estimates can be trusted is not known.`,
          ]
        : []),
      ...contrastCaveats(contrast),
      ...model.notes,
    ],
  });
}

/** Every place of a site, estimated and patched. */
function placesOf(
  site: AttributionSite,
  effects: Tensor,
  values: Tensor,
  contrast: Contrast,
  corrupted: number,
): PatchedPlace[] {
  const place = placeNamer(site, effects, contrast);
  return Array.from(effects.data, (estimated, i) => ({
    ...place(i),
    estimated,
    measured: changeOf(values.data[i], corrupted),
  }));
}

/** The places of a site with the largest estimates; of millions, only these are named. */
function largestPlaces(site: AttributionSite, effects: Tensor, contrast: Contrast): PatchedPlace[] {
  const place = placeNamer(site, effects, contrast);
  const sizes = (effects.data as Float32Array).map(Math.abs);
  return largestIndices(sizes, MOST_UNPATCHED).map((i) => ({
    ...place(i),
    estimated: effects.data[i],
    measured: Number.NaN,
  }));
}

/** Describes a place of a site, by its number. */
function placeNamer(
  site: AttributionSite,
  { axes, shape }: Tensor,
  { clean }: Contrast,
): (i: number) => Omit<PatchedPlace, "estimated" | "measured"> {
  const token = (pos: number) => `${quoted(clean.tokens[pos])} (position ${pos})`;
  return (i) => {
    const index: Record<string, number> = {};
    let rest = i;
    for (let a = axes.length - 1; a >= 0; a--) {
      index[axes[a]] = rest % shape[a];
      rest = Math.floor(rest / shape[a]);
    }
    const { layer, ...at } = index;
    const where =
      at.head !== undefined
        ? headName(layer, at.head)
        : at.kv_head !== undefined
          ? nameAlong("kv_head", layer, at.kv_head)
          : `layer ${layer}`;
    const name =
      site === "pattern"
        ? `pattern of ${where} from ${token(at.query)} to ${token(at.key)}`
        : `${site} of ${at.d_mlp === undefined ? where : `neuron ${neuronName(layer, at.d_mlp)}`} at ${token(at.pos)}`;
    return { site, layer, at, name, group: GROUPS[site] };
  };
}

function siteTable(bySite: ReadonlyMap<AttributionSite, Agreement>): Table {
  const columns: Column[] = [
    { name: "site", title: "site", format: "text", description: "What was patched." },
    { name: "places", title: "places", format: "integer", description: "Places where the two runs differ." },
    { name: "pearson", title: "r", format: { digits: 3 }, description: "Pearson's r of estimates and true effects." },
    { name: "spearman", title: "ρ", format: { digits: 3 }, description: "Spearman's ρ of estimates and true effects." },
    {
      name: "mean_error",
      title: "mean error",
      unit: "logits",
      description: "Mean |estimated − patched|.",
    },
    {
      name: "worst_error",
      title: "worst",
      unit: "logits",
      description: "The largest |estimated − patched|.",
    },
    { name: "worst_place", title: "where", format: "text", description: "The place with the largest error." },
  ];
  return {
    name: "sites",
    title: "Agreement by site",
    part: "agreement",
    columns,
    rows: [...bySite].map(([site, { pairs, r, rho, meanError, worst }]) => [
      site,
      pairs.length,
      r ?? null,
      rho ?? null,
      meanError ?? null,
      worst ? errorOf(worst) : null,
      worst ? worst.name.replace(`${site} of `, "").replaceAll("position ", "pos ") : null,
    ]),
    comparedWith: [IDENTICAL],
  };
}

function placeTable(name: string, title: string, places: readonly PatchedPlace[], { clean }: Contrast): Table {
  const shared = places.some(({ at }) => at.kv_head !== undefined)
    ? "; for k and v, which of those that heads share"
    : "";
  const columns: Column[] = [
    { name: "site", title: "site", format: "text", description: "What was patched." },
    { name: "layer", title: "layer", axis: "layer", format: "integer", description: "The layer." },
    {
      name: "pos",
      title: "pos",
      axis: "pos",
      format: "integer",
      description: "The position; for a pattern, the query's.",
    },
    { name: "token", title: "token", format: "token", description: "The clean prompt's token at that position." },
    { name: "head", title: "head", axis: "head", format: "integer", description: `The head${shared}.` },
    {
      name: "key",
      title: "key",
      axis: "key",
      format: "integer",
      description: "For a pattern: the position that is attended to.",
    },
    { name: "d_mlp", title: "neuron", axis: "d_mlp", format: "integer", description: "The neuron." },
    {
      name: "estimated",
      title: "estimated",
      unit: "logits",
      format: { digits: 3 },
      description: "(clean − corrupted) · gradient.",
    },
    {
      name: "patched",
      title: "patched",
      unit: "logits",
      format: { digits: 3 },
      description: "The change when this place alone is patched.",
    },
  ];
  return {
    name,
    title,
    columns,
    rows: places.map(({ site, layer, at, estimated, measured }) => {
      const pos = at.pos ?? at.query;
      return [
        site,
        layer,
        pos,
        clean.tokens[pos],
        at.head ?? at.kv_head ?? null,
        at.key ?? null,
        at.d_mlp ?? null,
        estimated,
        Number.isNaN(measured) ? null : measured,
      ];
    }),
    comparedWith: BOTH_RUNS,
  };
}

const OPTIONS = {
  ...contrastOptions,
  top: topOption("places"),
  seed: seedOption(),
} as const satisfies AnalysisOptions;

/** The analysis for the index. */
export const attributionPatchingAnalysis = analysis({
  name: "attribution-patching",
  question: QUESTION,
  description:
    "Estimates activation patching of every site (residual stream, attention and MLP outputs, heads' outputs, queries, keys, values and patterns, neurons) from one run with gradients, and actually patches the same places (for sites with up to 10000 of them) to say how far the estimate can be trusted.",
  example: '--clean "My sister was angry, because" --corrupted "My brother was angry, because" --out report.html',
  counts: "places",
  options: OPTIONS,
  run: (model, options, context) => attributionPatchingFinding(model, { ...options, ...context }),
});
