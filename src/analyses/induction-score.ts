/** "Which heads attend to what followed last time, and does the model predict repetitions?" */

import { HEAD_PLACE, LOSS, POS } from "../finding/columns.ts";
import { type Baseline, type Finding, finding } from "../finding/finding.ts";
import { as, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { Model } from "../lens/model.ts";
import {
  INDUCTION_OPTIONS,
  type InductionScoreMeasurement,
  measureInductionScore,
} from "../measures/induction-score.ts";
import { type AnalysisOptions, type GivenOptions, settled, topOf } from "../measures/options.ts";
import { analysis } from "./analysis.ts";
import { UNIFORM_ATTENTION, uniformAttention } from "./baselines.ts";
import { modelFacts, windowCaveats } from "./model-facts.ts";
import { FRAMEWORK, INDUCTION_HEADS } from "./papers.ts";
import { headMap } from "./views.ts";

/** The options of `inductionScore`. */
export type InductionScoreOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which heads attend to what followed last time, and does the model predict repetitions?";
const UNREPEATED = "unrepeated tokens";
const UNREPEATED_LOSS = "unrepeated tokens' loss";

/**
 * Random tokens, repeated once: only the first half can predict the second. A head's induction score is its
 * attention, from tokens of the second half, to the token that followed the same token in the first; the model's is how
 * much lower its loss is in the second half. Source: Olsson et al. 2022.
 * @throws ArgumentError for a length that does not fit into the context twice.
 */
export async function inductionScore(model: Model, options: InductionScoreOptions = {}): Promise<Finding> {
  const { top, ...asked } = settled("inductionScore", model, options, OPTIONS);
  const { samples, seed } = asked;
  const measured = await measureInductionScore(model, asked);
  const { period: length, lead } = measured;
  return finding({
    analysis: "induction-score",
    question: QUESTION,
    summary: summaryOf(measured),
    method: {
      text: `${samples} sequences of ${length} different random tokens${lead ? " after BOS" : ""}, each then repeated. The induction score of a head is the mean of its attention from each token of the second half to the token that came after the same token in the first, ${length - 1} tokens back. The losses are means over each half without its first token.`,
      references: [INDUCTION_HEADS, FRAMEWORK],
    },
    model: modelFacts(model),
    settings: { length, samples, seed, top },
    pictures: pictures(measured),
    tables: tables(measured, top),
    baselines: baselines(measured, samples, seed),
    caveats: [
      "Random tokens are unlike text: a head may do induction here and something else on text.",
      "An induction head needs an earlier layer to copy from, so a one-layer model has none; its heads may still attend to repeated tokens.",
      "The score only looks at attention, not at what the head copies from there.",
      ...windowCaveats(model),
      ...model.notes,
    ],
  });
}

const highestUnrepeated = (measured: InductionScoreMeasurement) => measured.top(1, "unrepeated").rows[0].unrepeated;

function summaryOf(measured: InductionScoreMeasurement): Finding["summary"] {
  const { uniform, repeated } = measured;
  const [best] = measured.top(1, "score");
  const control = highestUnrepeated(measured);
  const score = best.score.toFixed(3);
  const others = `uniform attention would have ${uniform.toFixed(3)}, and ${control.toFixed(3)} is reached where nothing repeats`;
  return [
    {
      text:
        best.score > Math.max(uniform, control)
          ? `${best.component} has the highest induction score, ${score}; ${others}.`
          : `No head does induction here: the highest score is ${score}, of ${best.component}; ${others}.`,
      figure: { value: best.score, unit: "", comparedWith: [UNIFORM_ATTENTION, UNREPEATED] },
    },
    {
      text: `The loss is ${repeated.first.toFixed(2)} nats the first time and ${repeated.second.toFixed(2)} the second: the repetition ${repeated.saved >= 0 ? "saves" : "costs"} ${Math.abs(repeated.saved).toFixed(2)} nats per token.`,
      figure: { value: repeated.saved, unit: "nats", comparedWith: [UNREPEATED_LOSS] },
    },
  ];
}

function pictures(measured: InductionScoreMeasurement): View[] {
  const { uniform, lead, period } = measured;
  return [
    headMap(
      "scores",
      "Induction score of each head",
      { column: "score", scheme: "Blues", domain: [0, 1] },
      {
        caption: `Uniform attention scores ${uniform.toFixed(3)}; the highest score on unrepeated tokens is ${highestUnrepeated(measured).toFixed(3)}.`,
        tip: ["unrepeated"],
      },
    ),
    {
      kind: "line",
      name: "loss",
      title: "Loss of each token, the second half repeating the first",
      caption: "Where the model uses the repetition, the line falls after the middle.",
      table: "losses",
      x: "pos",
      y: { column: ["repeated", "unrepeated"], label: "loss of the next token" },
      references: [{ kind: "x", at: lead + period - 1, label: "repetition begins" }],
    },
  ];
}

const COLUMNS = [
  ...HEAD_PLACE,
  column("score", "Mean attention to the token after the same token's first occurrence.", {
    title: "induction score",
    digits: 3,
  }),
  column("unrepeated", "The same attention where the second half consists of other tokens.", { digits: 3 }),
];

const loss = <const Name extends string>(name: Name, description: string) =>
  as(LOSS, { name, title: name, description });

function tables(measured: InductionScoreMeasurement, top: number): Table[] {
  const { rows: highest, length } = measured.top(top, "score");
  const comparedWith = [UNIFORM_ATTENTION, UNREPEATED];
  return [
    tableOf({ name: "top", title: `The ${length} highest induction scores`, comparedWith }, highest, COLUMNS),
    tableOf({ name: "heads", title: "All heads", detail: true }, measured.rows, COLUMNS),
    tableOf({ name: "losses", title: "Loss of each token", detail: true }, measured.losses.rows, [
      POS,
      loss("repeated", "The next token's loss, where the second half repeats."),
      loss("unrepeated", "The same where nothing repeats."),
    ]),
  ];
}

function baselines(measured: InductionScoreMeasurement, samples: number, seed: number): Baseline[] {
  return [
    uniformAttention(measured.uniform),
    {
      name: UNREPEATED,
      kind: "control",
      text: "The highest score of any head where the second half consists of other random tokens, so that nothing repeats.",
      value: highestUnrepeated(measured),
      samples,
      seed,
    },
    {
      name: UNREPEATED_LOSS,
      kind: "control",
      text: "How much lower the loss of the second half is where nothing repeats.",
      value: measured.unrepeated.saved,
      unit: "nats",
      samples,
      seed,
    },
  ];
}

const OPTIONS = { ...INDUCTION_OPTIONS, top: topOf("heads") } as const satisfies AnalysisOptions;

/** `inductionScore` for the index. */
export const inductionScoreAnalysis = analysis({
  name: "induction-score",
  model: "gelu-3l-novels",
  question: QUESTION,
  description:
    "Runs the model on random tokens that are repeated once: measures each head's attention to what followed the same token the first time, and the loss of the second half compared with the first.",
  example: { length: 50, samples: 8 },
  options: OPTIONS,
  run: inductionScore,
});
