/** "Which features of a dictionary carry the information that decides between the two answers?" */

import { ESTIMATED, FEATURE, GROUP, PATCHED, POS, TOKEN } from "../finding/columns.ts";
import { type Finding, type FindingParts, finding, type Method, type Statement } from "../finding/finding.ts";
import { as, type Cell, column, type Table, tableOf } from "../finding/table.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { type Contrast, contrastOptions, readContrast, runsOf } from "../measures/contrast.ts";
import type { PatchedPart } from "../measures/feature-patching/runs.ts";
import {
  FEATURE_PATCHING_OPTIONS,
  type FeaturePatchingMeasurement,
  type FeaturePatchingRow,
  measureFeaturePatching,
  type PatchedTogetherRow,
} from "../measures/feature-patching.ts";
import { type AnalysisOptions, type GivenOptions, settled, topOption } from "../measures/options.ts";
import { counted, fixed, quoted } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import {
  type Agreement,
  agreement,
  agreementBaselines,
  agreementScatter,
  correlationStatement,
} from "./attribution/agreement.ts";
import {
  BOTH_RUNS,
  contrastBaselines,
  contrastCaveats,
  contrastSettings,
  PLACES_AXIS,
  placeLabels,
  preferenceStatement,
} from "./contrast.ts";
import { modelFacts } from "./model-facts.ts";
import { ATTRIBUTION_PATCHING, PATCHING_PRACTICES, SPARSE_FEATURE_CIRCUITS } from "./papers.ts";
import { tokenAt } from "./places.ts";
import { strongestFeatures } from "./strongest-features.ts";
import { typicalBaseline } from "./typical.ts";

/** The options of the analysis. */
export type FeaturePatchingOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which features of a dictionary carry the information that decides between the two answers?";
const TYPICAL = "typical feature";
const TOGETHER = {
  features: { name: "all features", what: "All features that differ" },
  error: { name: "what the dictionary misses", what: "What the dictionary misses, with all features as they are" },
  whole: { name: "whole hook point", what: "The value at the hook point" },
} as const;

/**
 * Activation patching of a dictionary's features: the corrupted prompt runs with one feature at one position as it is in the clean run, and how much of
 * the clean run's logit difference returns says what the feature carries; next to all features, and to what the dictionary misses.
 * @see measureFeaturePatching
 */
export async function featurePatching(
  model: HookedTransformer,
  options: FeaturePatchingOptions = {},
): Promise<Finding> {
  const { top, ...asked } = settled("featurePatching", model, options, OPTIONS);
  const { dictionary, dictionaryId, patches, seed, signal, onProgress } = asked;
  const contrast = await readContrast(model, asked, signal);
  const chosen = { dictionary, dictionaryId, patches, seed, signal, onProgress };
  const measured = await measureFeaturePatching(model, { ...runsOf(contrast), ...chosen });
  const ranked = measured.rows.filter(isPatched).sort((a, b) => Math.abs(b.regained) - Math.abs(a.regained));
  const compared = ranked.length > 2 ? comparedOf(ranked, contrast, seed) : undefined;
  return finding({
    analysis: "feature-patching",
    question: QUESTION,
    summary: summaryOf(measured, ranked, contrast, compared),
    method: method(contrast, measured),
    model: modelFacts(model),
    settings: {
      ...contrastSettings(contrast),
      ...{ dictionary: measured.dictionary, hook: measured.hook, features: measured.dSae },
      ...{ differing: measured.length, patched: ranked.length, top, seed },
    },
    pictures: pictures(measured, contrast, compared),
    tables: tables(measured, ranked, contrast, top),
    baselines: [
      ...contrastBaselines(contrast, true),
      ...togetherBaselines(measured),
      ranked.length > 0 &&
        typicalBaseline(
          TYPICAL,
          "What a feature that was patched regains",
          ranked.map(({ regained }) => regained),
        ),
      ...(compared ? agreementBaselines(compared, seed) : []),
    ],
    caveats: [
      ...contrastCaveats(contrast, "a feature"),
      "A feature is what this dictionary made of the model's activations: another dictionary, or another seed, has others.",
      "Patching clean into corrupted finds what is enough to bring the answer back. To find what is necessary, swap the two prompts.",
      "Effects do not add up: what two features both carry may be restored by either of them.",
      "What passes around the dictionary's hook point, in other layers or by attention, no feature of it can bring back: compare with the whole hook point.",
      ...model.notes,
    ],
  });
}

type PatchedRow = FeaturePatchingRow & { readonly patched: number; readonly regained: number };
const isPatched = (row: FeaturePatchingRow): row is PatchedRow => row.patched !== null;
const nameOf = ({ d_sae, pos }: FeaturePatchingRow, { clean }: Contrast) =>
  `feature ${d_sae} at ${tokenAt(clean.tokens, pos)}`;

function comparedOf(ranked: readonly PatchedRow[], contrast: Contrast, seed: number): Agreement {
  const pairs = ranked.map((row) => {
    return { name: nameOf(row, contrast), group: row.group!, estimated: row.estimated, measured: row.patched };
  });
  return agreement(pairs, seed, { things: ["feature", "features"], estimated: "estimated", measured: "patched" });
}

/** What a part regains at all positions together, or at one. */
function regainedBy({ together }: FeaturePatchingMeasurement, what: PatchedPart, pos: number | null = null): number {
  return together.at({ what, pos }).regained;
}

/** What counts as next to nothing, of the difference between the two runs. */
const LITTLE = 0.05;

/** @param ranked the patched features, the largest effect first */
function summaryOf(
  measured: FeaturePatchingMeasurement,
  ranked: readonly PatchedRow[],
  contrast: Contrast,
  compared: Agreement | undefined,
): FindingParts["summary"] {
  const { length, dSae, hook, together } = measured;
  const [features, error, whole] = (["features", "error", "whole"] as const).map((what) => regainedBy(measured, what));
  const all: Statement = {
    text: `All features together regain ${fixed(features, 2)}, what the dictionary misses ${fixed(error, 2)}, and the whole hook point ${fixed(whole, 2)}${Math.abs(whole) < LITTLE ? `: next to nothing of what decides passes through ${hook}` : ""}.`,
    figure: { value: features, unit: "", comparedWith: [TOGETHER.error.name, TOGETHER.whole.name] },
  };
  if (ranked.length === 0) {
    const none = `No feature of the ${dSae} differs between the two runs, so none carries what decides between the answers.`;
    return [{ ...all, text: none }, preferenceStatement(contrast), all];
  }
  const best = ranked.reduce((a, b) => (b.regained > a.regained ? b : a));
  const worst = ranked.reduce((a, b) => (b.regained < a.regained ? b : a));
  const where = together
    .where({ what: "features" })
    .rows.filter(({ pos }) => pos !== null)
    .sort((a, b) => b.regained - a.regained)[0];
  return [
    {
      text: `Of ${counted(length, "feature")} that ${length === 1 ? "differs" : "differ"} between the two runs,${ranked.length < length ? ` of which ${ranked.length} were patched,` : ""} ${nameOf(best, contrast)} regains most when it alone is patched: ${fixed(best.regained, 2)} of the difference.`,
      figure: { value: best.regained, unit: "", comparedWith: [TYPICAL, TOGETHER.features.name] },
    },
    preferenceStatement(contrast),
    all,
    where !== undefined && where.regained >= LITTLE && atOneToken(where, measured, contrast),
    worst.regained <= -LITTLE && {
      text: `${capital(nameOf(worst, contrast))} moves it away: ${fixed(worst.regained, 2)}.`,
      figure: { value: worst.regained, unit: "", comparedWith: [TYPICAL] },
    },
    compared && correlationStatement("Estimates and actual patching", compared, { all: length }),
  ];
}

/** Where the features do most, and whether it is all that they do. */
function atOneToken(best: PatchedTogetherRow, measured: FeaturePatchingMeasurement, { clean }: Contrast): Statement {
  const { pos, regained } = best;
  const elsewhere = measured.together
    .where({ what: "whole" })
    .rows.filter((row) => row.pos !== null && row.pos !== pos);
  const isAll = elsewhere.length > 0 && elsewhere.every(({ patched }) => patched === 0);
  const features = `${counted(measured.where({ pos: pos! }).length, "feature")} together regain ${fixed(regained, 2)}`;
  const text = isAll
    ? `All of it is at ${tokenAt(clean.tokens, pos!)}, where ${features}: what is at the other ${counted(elsewhere.length, "token")} that differ does not reach the answer`
    : `No other token's features do as much as those at ${tokenAt(clean.tokens, pos!)}: ${features}`;
  return { text: `${text}.`, figure: { value: regained, unit: "", comparedWith: [TOGETHER.features.name] } };
}

const capital = (text: string) => text[0].toUpperCase() + text.slice(1);

function method({ place, answer, wrong }: Contrast, { hook }: FeaturePatchingMeasurement): Method {
  return {
    text:
      `The corrupted prompt runs with the dictionary in place at ${hook}, and with what the dictionary misses added to what it makes, so that nothing changes until a feature does. One feature at one position is then set to its activation in the run on the clean prompt, and the difference of the answers' logits at ${place} is measured: logit(${quoted(answer)}) − logit(${quoted(wrong)}). It is given as a fraction of the distance between the two runs, (patched − corrupted) / (clean − corrupted). What comes after the feature responds. Only features whose activations differ are patched, as many side by side as fit in memory.\n\n` +
      "The estimate is (clean − corrupted) · gradient, with the gradient of the logit difference at the corrupted run: it would be exact if everything after the feature were linear.\n\n" +
      "For comparison, all features of a position are patched together, and all features of all positions; then the error term alone, which is what the dictionary misses; then the whole hook point. The whole is features and error, and what a skip connection or the scale of a normalised input adds in dictionaries that have one.",
    references: [SPARSE_FEATURE_CIRCUITS, ATTRIBUTION_PATCHING, PATCHING_PRACTICES],
  };
}

const ACTIVATION = { digits: 3 };
const REGAINED = column("regained", "The fraction of the distance from the corrupted run to the clean one.", {
  digits: 3,
});
const share = <const Name extends string>(name: Name, title: string, description: string) =>
  column(name, description, { title, digits: 3 });
const FEATURES_REGAIN = share("features", "all features", "What all features there regain together.");
const ERROR_REGAINS = share("error", "missed", "What is regained by what the dictionary misses there.");
const WHOLE_REGAINS = share("whole", "whole", "What the whole hook point regains there.");

function tables(
  measured: FeaturePatchingMeasurement,
  ranked: readonly PatchedRow[],
  contrast: Contrast,
  top: number,
): Table[] {
  const { tokens } = contrast.clean;
  const where: readonly Cell<{ readonly pos: number }>[] = [
    POS,
    [as(TOKEN, "The clean prompt's token at that position."), ({ pos }) => tokens[pos]],
  ];
  const each: readonly Cell<FeaturePatchingRow>[] = [
    ...where,
    FEATURE,
    column("clean", "The feature's activation in the clean run.", ACTIVATION),
    column("corrupted", "Its activation in the corrupted run.", ACTIVATION),
    ESTIMATED,
    PATCHED,
    REGAINED,
    GROUP,
  ];
  const positions = measured.together
    .where({ what: "features" })
    .rows.flatMap(({ pos }) => (pos === null ? [] : [pos]));
  const comparedWith = ranked.length > 0 ? [...BOTH_RUNS, TYPICAL] : BOTH_RUNS;
  return [
    tableOf(
      { name: "top", title: `The ${Math.min(top, ranked.length)} features that change most`, comparedWith },
      ranked.slice(0, top),
      each,
    ),
    tableOf(
      { name: "positions", title: "Each token where the hook point differs", comparedWith: BOTH_RUNS },
      positions.map((pos) => ({ pos })),
      [
        ...where,
        [
          column("differ", "How many features differ between the two runs.", { format: "integer" }),
          ({ pos }) => measured.where({ pos }).length,
        ],
        [FEATURES_REGAIN, ({ pos }) => regainedBy(measured, "features", pos)],
        [ERROR_REGAINS, ({ pos }) => regainedBy(measured, "error", pos)],
        [WHOLE_REGAINS, ({ pos }) => regainedBy(measured, "whole", pos)],
      ],
    ),
    tableOf({ name: "features", title: "Every feature that differs", detail: true, comparedWith }, measured.rows, each),
  ];
}

function pictures(
  { rows, together }: FeaturePatchingMeasurement,
  contrast: Contrast,
  compared: Agreement | undefined,
): FindingParts["pictures"] {
  const strongest = strongestFeatures(rows, ({ regained }) => regained);
  const labels = placeLabels(contrast);
  const positions = together.where({ what: "features" }).rows.flatMap(({ pos }) => (pos === null ? [] : [pos]));
  const ticks = positions.map((pos) => labels[pos]);
  return [
    strongest.length > 0 && {
      kind: "imshow",
      name: "regained",
      title: "What each feature regains, by token",
      caption:
        "The features that change most, summed over tokens. 1: all of the clean run's logit difference is back; below 0: it moves further away. Where a cell is blank the feature does not differ, or was not patched.",
      table: "features",
      where: { d_sae: strongest },
      x: { column: POS.name, label: PLACES_AXIS, values: positions, ticks },
      y: { column: FEATURE.name, label: "feature", values: strongest },
      color: REGAINED.name,
      tip: ["clean", "corrupted", ESTIMATED.name, PATCHED.name],
    },
    positions.length > 0 && {
      kind: "bar",
      name: "together",
      title: "What all features of a token regain, and what the dictionary misses",
      caption:
        "What is regained if all features at a position are patched together, or what the dictionary misses there.",
      table: "positions",
      x: { column: POS.name, label: PLACES_AXIS, ticks },
      y: { column: [FEATURES_REGAIN.name, ERROR_REGAINS.name], label: "regained" },
    },
    compared &&
      agreementScatter(compared, {
        ...{ title: "What patching a feature changes, by its gradient and measured", table: "features" },
        ...{ by: GROUP.name, label: FEATURE.name },
      }),
  ];
}

/** What several things regain together, for comparison with single features. */
function togetherBaselines(measured: FeaturePatchingMeasurement): FindingParts["baselines"] {
  return (["features", "error", "whole"] as const).map((part) => ({
    name: TOGETHER[part].name,
    kind: "control",
    text: `${TOGETHER[part].what}, at all positions as in the clean run: the fraction of the difference that is regained.`,
    value: regainedBy(measured, part),
  }));
}

const OPTIONS = {
  ...contrastOptions,
  ...FEATURE_PATCHING_OPTIONS,
  top: topOption("features"),
} as const satisfies AnalysisOptions;

/** The analysis for the index. */
export const featurePatchingAnalysis = analysis({
  name: "feature-patching",
  question: QUESTION,
  description:
    "Runs the corrupted prompt with one feature of a sparse dictionary at one position as it is in the clean run, for every feature that differs, and measures how much of the clean run's logit difference is regained: next to its gradient's estimate, to all features together, and to what the dictionary misses.",
  example: { clean: "My sister was angry, because", corrupted: "My brother was angry, because" },
  options: OPTIONS,
  run: featurePatching,
});
