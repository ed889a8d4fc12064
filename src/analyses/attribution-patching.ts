/** "Which activations carry the information that decides between two answers, estimated from one run with gradients?" */

import { ESTIMATED, GROUP, PATCHED, SITE } from "../finding/columns.ts";
import { type Finding, finding, type Method, type Statement } from "../finding/finding.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { hasMlps } from "../lens/model-has.ts";
import {
  largestPlaces,
  MOST_PLACES,
  MOST_UNPATCHED,
  type PatchedPlace,
  patchPlaces,
  placesOf,
} from "../measures/attribution-patching/places.ts";
import {
  type AttributionPatchingMeasurement,
  type AttributionSite,
  measureAttributionPatching,
} from "../measures/attribution-patching.ts";
import { type Contrast, contrastOptions, readContrast, runsOf } from "../measures/contrast.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled, topOption } from "../measures/options.ts";
import { listed, quoted, signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import {
  type Agreement,
  agreement,
  agreementBaselines,
  agreementScatter,
  correlationStatement,
  worstStatement,
} from "./attribution/agreement.ts";
import { attributionPictures } from "./attribution-patching/pictures.ts";
import { attributionTables } from "./attribution-patching/tables.ts";
import { CLEAN_RUN, CORRUPTED_RUN, contrastBaselines, contrastCaveats, contrastSettings } from "./contrast.ts";
import { modelFacts } from "./model-facts.ts";
import { ATP_STAR, ATTRIBUTION_PATCHING } from "./papers.ts";

/** The options of the analysis. */
export type AttributionPatchingOptions = GivenOptions<typeof OPTIONS>;

const BOTH_RUNS = [CORRUPTED_RUN, CLEAN_RUN] as const;
const PARTS = [
  { name: "agreement", title: "Does the estimate agree with patching?" },
  { name: "positions", title: "By layer and position" },
  { name: "heads", title: "By head" },
];
const WORDS = { things: ["place", "places"], estimated: "estimated", measured: "patched" } as const;
const QUESTION =
  "Which activations carry the information that decides between two answers, estimated from one run with gradients?";

/**
 * Attribution patching of every site, compared with actual patching of the same places.
 * @throws InputError for prompts of different lengths, answers of several tokens, or a model that does not distinguish
 * the prompts.
 */
export async function attributionPatching(
  model: HookedTransformer,
  options: AttributionPatchingOptions = {},
): Promise<Finding> {
  const asked = settled("attributionPatching", model, options, OPTIONS);
  const { top, seed, signal, onProgress } = asked;
  const contrast = await readContrast(model, asked, signal);
  const attributed = await measureAttributionPatching(model, { ...runsOf(contrast), signal });
  const measured = await patchPlaces(model, contrast, attributed, { signal, onProgress });
  return report(model, contrast, attributed, measured, { top, seed });
}

function report(
  model: HookedTransformer,
  contrast: Contrast,
  attributed: AttributionPatchingMeasurement,
  measured: ReadonlyMap<AttributionSite, Tensor>,
  { top, seed }: { readonly top: number; readonly seed: number },
): Finding {
  const places = [...measured].flatMap(([site, values]) =>
    placesOf(site, attributed.effects.get(site)!, values, contrast, attributed.corrupted),
  );
  const all = agreement(places, seed, WORDS);
  const bySite = new Map(
    [...measured.keys()].map((site) => {
      const own = places.filter((place) => place.site === site);
      return [site, agreement(own, seed, WORDS)] as const;
    }),
  );
  const patched = [...(all.pairs as readonly PatchedPlace[])].sort(
    (a, b) => Math.abs(b.measured) - Math.abs(a.measured),
  );
  const left = [...attributed.effects.keys()].filter((site) => !measured.has(site));
  const unpatched = left
    .flatMap((site) => largestPlaces(site, attributed.effects.get(site)!, contrast))
    .sort((a, b) => Math.abs(b.estimated) - Math.abs(a.estimated))
    .slice(0, MOST_UNPATCHED);
  return finding({
    analysis: "attribution-patching",
    question: QUESTION,
    summary: statements(model, contrast, all, patched),
    method: method(contrast),
    model: modelFacts(model),
    settings: { ...contrastSettings(contrast), sites: [...attributed.effects.keys()].join(", "), top, seed },
    parts: attributed.effects.has("post") ? [...PARTS, { name: "neurons", title: "By neuron" }] : PARTS,
    pictures: [
      agreementScatter(all, {
        name: "estimated-against-patched",
        title: "Each place, estimated and patched",
        part: "agreement",
        table: "all",
        x: ESTIMATED.name,
        y: PATCHED.name,
        by: GROUP.name,
        label: SITE.name,
      }),
      ...attributionPictures(model, contrast, attributed, measured),
    ],
    answerPicture: "stream",
    tables: attributionTables(bySite, { patched, unpatched, left }, contrast, top),
    baselines: [...contrastBaselines(contrast), ...agreementBaselines(all, seed)],
    caveats: [
      "The estimate is linear, from the gradient at the corrupted run. Where a change is large (the stream in the first layers) or a softmax or norm is saturated, it can be far off and even have the wrong sign.",
      "This is one pair of prompts: a place that matters here may not matter for another pair that asks the same thing.",
      "Estimates add up, true effects do not: information that two places both carry may be restored by either of them.",
      ...unpatchedCaveat(left),
      ...contrastCaveats(contrast),
      ...model.notes,
    ],
  });
}

function statements(
  model: HookedTransformer,
  { cleanMetric, corruptedMetric, answer, wrong }: Contrast,
  all: Agreement,
  patched: readonly PatchedPlace[],
): [Statement, ...Statement[]] {
  const component = [...patched]
    .filter(({ site }) => site === "z" || site === "mlp_out")
    .sort((a, b) => Math.abs(b.estimated) - Math.abs(a.estimated))[0];
  const strongest: Statement[] = component
    ? [
        {
          text: `Of ${hasMlps(model) ? "heads' and MLPs' outputs" : "heads' outputs"}, ${component.name} has the largest estimate: ${signed(component.estimated)} logits; when it is actually patched, ${signed(component.measured)}.`,
          figure: { value: component.estimated, unit: "logits", comparedWith: BOTH_RUNS },
        },
      ]
    : [];
  const preference: Statement = {
    text: `The model prefers ${quoted(answer)} to ${quoted(wrong)} by ${signed(cleanMetric)} logits on the clean prompt and by ${signed(corruptedMetric)} on the corrupted one.`,
    figure: { value: cleanMetric - corruptedMetric, unit: "logits", comparedWith: BOTH_RUNS },
  };
  const [first, ...others] = [
    ...strongest,
    correlationStatement("Estimates and actual patching", all),
    ...worstStatement(all, BOTH_RUNS),
    preference,
  ];
  return [first, ...others];
}

function method({ answer, wrong }: Contrast): Method {
  return {
    text: `One run gives the clean prompt's activations, the corrupted prompt's, and at the corrupted ones the gradient of logit(${quoted(answer)}) − logit(${quoted(wrong)}) at the last position. The estimate of what patching a place would change is (clean − corrupted) · gradient, summed over the axes that the place does not name: it would be exact if everything that follows were linear.\n\nThe same places are then actually patched, each alone, and the change in the logit difference is measured. Places where both are exactly 0 (because the prompts agree, or nothing that follows reads them) are left out of the correlations.`,
    references: [ATTRIBUTION_PATCHING, ATP_STAR],
  };
}

function unpatchedCaveat(left: readonly AttributionSite[]): string[] {
  if (left.length === 0) return [];
  const [has, each, was] = left.length === 1 ? ["has", "", "was"] : ["have", "each ", "were"];
  return [
    `${listed(left)} ${has} more than ${MOST_PLACES} places ${each}and ${was} only estimated, not patched: how far those estimates can be trusted is not known.`,
  ];
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
  example: { clean: "My sister was angry, because", corrupted: "My brother was angry, because" },
  options: OPTIONS,
  run: attributionPatching,
});
