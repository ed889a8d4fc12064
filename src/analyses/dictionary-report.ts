/** "How good is a dictionary: how sparse, and how much of the model does it keep?" */

import { FEATURE, LOSS } from "../finding/columns.ts";
import { type Finding, type FindingParts, finding } from "../finding/finding.ts";
import { column, type Table, tableOf } from "../finding/table.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import type { FeatureRow } from "../measures/dictionary-report/features.ts";
import {
  DICTIONARY_REPORT_OPTIONS,
  type DictionaryReportMeasurement,
  type DictionaryRunRow,
  measureDictionaryReport,
} from "../measures/dictionary-report.ts";
import { type AnalysisOptions, type GivenOptions, settled, topOption } from "../measures/options.ts";
import { counted, fixed, percent } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { control } from "./baselines.ts";
import { modelFacts } from "./model-facts.ts";
import { MONOSEMANTICITY, TOP_K_DICTIONARIES } from "./papers.ts";
import { typicalBaseline } from "./typical.ts";

/** The options of the analysis. */
export type DictionaryReportOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "How good is a dictionary: how sparse, and how much of the model does it keep?";
const CLEAN = "without the dictionary";
const ZERO = "zeros in its place";
const MEAN = "the mean in its place";
const MEAN_VARIANCE = "the mean's explained variance";
const WIDTH = "all features";
const DENSITIES = "all features' densities";

/** A feature that fires at more tokens than this is dense: it does not say much about where it does. */
const DENSE = 0.1;

/**
 * A dictionary on a text: how many features fire, how much of the activation they explain, and what the model's predictions lose with
 * what it makes, next to zeros and the mean in its place. @see measureDictionaryReport
 */
export async function dictionaryReport(
  model: HookedTransformer,
  options: DictionaryReportOptions = {},
): Promise<Finding> {
  const { top, ...asked } = settled("dictionaryReport", model, options, OPTIONS);
  const measured = await measureDictionaryReport(model, asked);
  const { dictionary, hook, text, tokens, length } = measured;
  return finding({
    analysis: "dictionary-report",
    question: QUESTION,
    summary: summaryOf(measured),
    method: method(measured),
    model: modelFacts(model),
    settings: { dictionary, hook, features: length, text, tokens, top },
    pictures: pictures(measured),
    tables: tables(measured, top),
    baselines: baselines(measured),
    caveats: [
      `These are ${tokens} tokens of ${text}: on other texts other features fire, and of few tokens rare features look dead.`,
      "A dictionary that keeps the model's predictions need not have features that mean anything: look at some (`feature`).",
      "Next to zeros a dictionary looks better than next to the mean: zeros are far from anything that the model has seen.",
      ...model.notes,
    ],
  });
}

const dead = ({ rows }: DictionaryReportMeasurement) => rows.filter(({ density }) => density === 0).length;
const dense = ({ rows }: DictionaryReportMeasurement) => rows.filter(({ density }) => density > DENSE).length;

function summaryOf(measured: DictionaryReportMeasurement): FindingParts["summary"] {
  const { l0, length, explainedVariance, lossScore, lossScoreOfMean, runs, tokens } = measured;
  const [clean, own, zero] = runs.rows;
  return [
    {
      text: `With what the dictionary makes, the loss is ${fixed(own.loss, 3)} nats per token, and ${fixed(clean.loss, 3)} without it: ${percent(lossScore)} of what zeros lose (${fixed(zero.loss, 3)}) is kept, and ${percent(lossScoreOfMean)} of what the mean loses.`,
      figure: { value: own.loss, unit: "nats", comparedWith: [CLEAN, ZERO, MEAN] },
    },
    {
      text: `It explains ${percent(explainedVariance)} of the variance of what it is to make.`,
      figure: { value: 100 * explainedVariance, unit: "%", comparedWith: [MEAN_VARIANCE] },
    },
    {
      text: `At a token ${fixed(l0, 1)} of ${length} features fire.`,
      figure: { value: l0, unit: "features", comparedWith: [WIDTH] },
    },
    {
      text: `On these ${tokens} tokens ${counted(dead(measured), "feature never fires", "features never fire")}, and ${counted(dense(measured), "fires", "fire")} at more than ${percent(DENSE)} of them.`,
      figure: { value: dead(measured), unit: "features", comparedWith: [WIDTH, DENSITIES] },
    },
  ];
}

function method({ hook, dictionary }: DictionaryReportMeasurement) {
  return {
    text:
      `The text is read in pieces, each after a BOS, which is left out of all means and keeps its own value. The model runs with ${hook} as it is, with what ${dictionary} makes in its place, with zeros, and with the mean over the text.\n\n` +
      "With x the value at a token, x̂ what the dictionary makes, and m the mean of x: explained variance is 1 − Σ‖x − x̂‖² / Σ‖x − m‖². What is kept of the loss is (L_zero − L_dictionary) / (L_zero − L_clean), and likewise with the mean. Divergence is KL(clean ‖ changed) of the next token's distribution. A feature fires where it is above 0; its density is the share of tokens where it does.",
    references: [MONOSEMANTICITY, TOP_K_DICTIONARIES],
  };
}

/** The numbers of the whole, in words. */
const NUMBERS: readonly (readonly [
  name: string,
  of: (measured: DictionaryReportMeasurement) => number,
  says: string,
])[] = [
  ["features at a token (L0)", ({ l0 }) => l0, "How many fire."],
  ["sum of features at a token (L1)", ({ l1 }) => l1, "Of those that fire."],
  ["explained variance", ({ explainedVariance }) => explainedVariance, "1 − Σ‖x − x̂‖² / Σ‖x − m‖²"],
  [
    "explained variance, mean over tokens",
    ({ explainedVariancePerToken }) => explainedVariancePerToken,
    "What SAEBench and Neuronpedia report.",
  ],
  ["squared error", ({ squaredError }) => squaredError, "‖x − x̂‖²"],
  ["cosine", ({ cosineSimilarity }) => cosineSimilarity, "Of x and x̂."],
  ["norm", ({ normIn }) => normIn, "‖x‖"],
  ["norm ratio", ({ normRatio }) => normRatio, "‖x̂‖ / ‖x‖"],
  ["loss kept, of what zeros lose", ({ lossScore }) => lossScore, "1 is all of it."],
  ["loss kept, of what the mean loses", ({ lossScoreOfMean }) => lossScoreOfMean, "1 is all of it."],
  ["divergence kept", ({ divergenceScore }) => divergenceScore, "1 − KL_dictionary / KL_zero"],
];

const DENSITY = column("density", "The share of tokens at which it fires.", { format: "percent" });

function tables(measured: DictionaryReportMeasurement, top: number): Table[] {
  const numbers = NUMBERS.map(([number, of, says]) => ({ number, value: of(measured), says }));
  const densest = [...measured.rows].sort((a, b) => b.density - a.density);
  return [
    tableOf({ name: "runs", title: "What the model loses", comparedWith: [CLEAN, ZERO, MEAN] }, measured.runs.rows, [
      column("run", "What stands at the hook point.", { format: "text" }),
      LOSS,
      column("divergence", "KL(clean ‖ changed) of the next token.", { unit: "nats", digits: 3 }),
    ]),
    tableOf({ name: "numbers", title: "The dictionary's numbers" }, numbers, [
      column("number", "Which one: means over tokens.", { format: "text" }),
      column("value", "The number.", { digits: 3 }),
      column("says", "What it is.", { format: "text" }),
    ]),
    featureTable(
      "densest",
      `The ${Math.min(top, densest.length)} features that fire most often`,
      densest.slice(0, top),
    ),
    featureTable("features", "Every feature", measured.rows, true),
  ];
}

function featureTable(name: string, title: string, rows: readonly FeatureRow[], detail = false): Table {
  return tableOf({ name, title, detail, comparedWith: [DENSITIES] }, rows, [
    FEATURE,
    DENSITY,
    column("per_text", "At how many tokens of a piece it fires, where it fires at all.", { digits: 2 }),
    column("largest", "Its largest activation.", { digits: 2 }),
    column("encoder_norm", "The norm of its column of W_enc.", { digits: 3, detail: true }),
    column("decoder_norm", "The norm of its row of W_dec.", { digits: 3, detail: true }),
    column("alignment", "The cosine of what it reads and what it writes.", { digits: 3 }),
  ]);
}

function pictures({ rows }: DictionaryReportMeasurement): FindingParts["pictures"] {
  const densities = rows.filter(({ density }) => density > 0).map(({ density }) => Math.log10(density));
  return [
    {
      kind: "bar",
      name: "losses",
      title: "What the model loses with each in its place",
      table: "runs",
      x: "run",
      y: LOSS.name,
    },
    densities.length > 0 && {
      kind: "hist",
      name: "densities",
      title: "How often features fire",
      caption:
        "The logarithm to base 10 of the share of tokens: −2 is one of a hundred. Features that never fire are left out.",
      series: [{ name: "features", values: densities }],
      x: { label: "log₁₀ of the share of tokens" },
      of: "features",
    },
    {
      kind: "hist",
      name: "alignments",
      title: "Does a feature write what it reads?",
      caption: "The cosine of each feature's encoder column and decoder row.",
      table: "features",
      value: "alignment",
      of: "features",
    },
  ];
}

function baselines(measured: DictionaryReportMeasurement): FindingParts["baselines"] {
  const run = (name: DictionaryRunRow["run"]) => measured.runs.at({ run: name }).loss;
  const says = "The loss per token on the same text";
  return [
    control(CLEAN, `${says} with the hook point as it is.`, run("clean"), "nats"),
    control(ZERO, `${says} with zeros there.`, run("zero"), "nats"),
    control(MEAN, `${says} with its mean there.`, run("mean"), "nats"),
    {
      name: MEAN_VARIANCE,
      kind: "reference value",
      text: "What a dictionary that always makes the mean explains.",
      value: 0,
      unit: "%",
    },
    {
      name: WIDTH,
      kind: "reference value",
      text: "How many features the dictionary has.",
      value: measured.length,
      unit: "features",
    },
    {
      ...typicalBaseline(
        DENSITIES,
        "The share of tokens at which each feature fires, in percent",
        measured.rows.map(({ density }) => 100 * density),
      ),
      unit: "%",
    },
  ];
}

const OPTIONS = { ...DICTIONARY_REPORT_OPTIONS, top: topOption("features") } as const satisfies AnalysisOptions;

/** The analysis for the index. */
export const dictionaryReportAnalysis = analysis({
  name: "dictionary-report",
  question: QUESTION,
  description:
    "A sparse dictionary's numbers on a text: features per token (L0), dead and dense features, explained variance, and the cross-entropy that the model keeps with what the dictionary makes, next to zeros and the mean in its place.",
  example: {},
  options: OPTIONS,
  run: dictionaryReport,
});
