/** "Which tokens of the prompt contribute to the answer's logit, along the path from no prompt to this one?" */

import { type Baseline, type Finding, finding, type Method, type Statement } from "../finding/finding.ts";
import { column } from "../finding/table.ts";
import type { Model } from "../lens/model.ts";
import type { Pair } from "../measures/agreement.ts";
import { answerOptions, readAnswer } from "../measures/answer.ts";
import { measureGradientXActivation } from "../measures/gradient-x-activation.ts";
import {
  type IntegratedGradientsMeasurement,
  measureIntegratedGradients,
  PATH_STEPS,
} from "../measures/integrated-gradients.ts";
import { occlusion } from "../measures/occlusion.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled } from "../measures/options.ts";
import { percent, signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { agreement, agreementBaselines, correlationStatement, worstStatement } from "./attribution/agreement.ts";
import { answerSettings } from "./attribution/answer.ts";
import { strongestToken, tokenPairs, tokenPictures, tokenTable, tokenWords } from "./attribution/token-finding.ts";
import { modelFacts } from "./model-facts.ts";
import { INTEGRATED_GRADIENTS } from "./papers.ts";

/** The options of the analysis. */
export type IntegratedGradientsOptions = GivenOptions<typeof OPTIONS>;

const QUESTION =
  "Which tokens of the prompt contribute to the answer's logit, along the path from no prompt to this one?";
const PROMPT = "the unchanged prompt";
const START = "the start of the path";
const COMPLETE = "completeness";
/** The share of the difference by which the attributions' sum may be off before the finding warns about it. */
const COARSE = 0.01;

/**
 * Integrated gradients at the tokens' embeddings, with the error of their sum, compared with actually removing each token.
 * @throws InputError for a prompt that is empty or too long, or answers that are not single tokens; ArgumentError for
 * fewer than one step.
 */
export async function integratedGradients(model: Model, options: IntegratedGradientsOptions = {}): Promise<Finding> {
  const given = settled("integratedGradients", model, options, OPTIONS);
  const { baseline, steps, seed, signal } = given;
  const answer = readAnswer(model, given);
  const { prompt, metric, asked } = answer;
  const result = await measureIntegratedGradients(model, { prompt: prompt.input, metric, baseline, steps, signal });
  const local = await measureGradientXActivation(model, { prompt: prompt.input, metric, signal });
  const occluded = await occlusion(model, prompt, metric, baseline, signal);
  const [attributed, saliency] = [result, local].map(({ rows }) => rows.map(({ attribution }) => attribution));
  const pairs = tokenPairs(prompt, attributed, occluded.effects);
  const agreed = agreement(pairs, seed, tokenWords("attributed"));
  const start = baseline === "zero" ? "zero embeddings" : "the mean embedding at each position";
  const values = [attributed, saliency, occluded.effects];
  const numbers = COLUMNS.map((column, i) => [column, values[i]] as const);
  return finding({
    analysis: "integrated-gradients",
    question: QUESTION,
    summary: [
      ...statements(strongestToken(pairs), result, start),
      correlationStatement("Attributions and the effect of removing each token", agreed),
      ...worstStatement(agreed, [PROMPT]),
    ],
    method: method(asked, start, given),
    model: modelFacts(model),
    settings: { ...answerSettings(answer), baseline, steps, seed },
    pictures: tokenPictures(numbers, agreed, ["integrated_gradients", "taken_away"]),
    tables: [tokenTable(prompt, numbers, [PROMPT, START])],
    baselines: [...ends(asked, start, result), ...agreementBaselines(agreed, seed)],
    caveats: [
      ...coarseCaveat(result, steps),
      "Attributions depend on where the path starts, and no start is neutral: no token has a zero embedding or the mean embedding. Compare both.",
      "Along the path the model sees embeddings that no text has.",
      ...model.notes,
    ],
  });
}

const COLUMNS = [
  column(
    "integrated_gradients",
    "The sum over d_model of (embedding − baseline) · the gradient averaged along the path.",
    { unit: "logits" },
  ),
  column("gradient_x_activation", "The same with the gradient at the end of the path only, and from zero.", {
    title: "gradient × activation",
    unit: "logits",
  }),
  column("taken_away", "The logit in question, minus the same with the baseline in place of this token.", {
    title: "removed",
    unit: "logits",
  }),
];

/** Whether the attributions' sum is further off than it may be. */
function isCoarse({ metric, baseline, completenessError }: IntegratedGradientsMeasurement): boolean {
  return Math.abs(completenessError) > COARSE * Math.abs(metric - baseline);
}

/** The largest attribution, and how exactly all of them add up. */
function statements(
  { name, estimated }: Pair,
  result: IntegratedGradientsMeasurement,
  start: string,
): [Statement, Statement] {
  const difference = result.metric - result.baseline;
  return [
    {
      text: `${name} has the largest attribution: ${signed(estimated)} logits; all of them together make up the ${signed(difference)} between ${start} and the prompt.`,
      figure: { value: estimated, unit: "logits", comparedWith: [PROMPT, START] },
    },
    {
      text: `The attributions sum to ${signed(difference + result.completenessError)}, which is ${Math.abs(result.completenessError).toPrecision(2)} logits off${isCoarse(result) ? ": more steps are needed" : ""}.`,
      figure: { value: result.completenessError, unit: "logits", comparedWith: [COMPLETE, PROMPT] },
    },
  ];
}

function method(
  asked: string,
  start: string,
  { baseline, steps }: { readonly baseline: string; readonly steps: number },
): Method {
  return {
    text: `All embeddings move on the straight path from ${start} to the prompt's, x' + a (x − x'). Each token's attribution is Σ over d_model of (x − x') · ∫₀¹ d(${asked}) / dx da, so they sum to the difference between the two ends. The integral is a Gauss-Legendre sum of ${steps} ${steps === 1 ? "step" : "steps"}. Position embeddings stay.\n\nFor comparison, each token is also removed alone: ${baseline === "zero" ? "its embedding is set to zero" : "the mean embedding takes its place"}.`,
    references: [INTEGRATED_GRADIENTS],
  };
}

/** The two ends of the path, and the error of an exact integral. */
function ends(asked: string, start: string, result: IntegratedGradientsMeasurement): Baseline[] {
  return [
    { name: PROMPT, kind: "control", text: `${asked} for the prompt.`, value: result.metric, unit: "logits" },
    { name: START, kind: "control", text: `${asked} for ${start}.`, value: result.baseline, unit: "logits" },
    {
      name: COMPLETE,
      kind: "reference value",
      text: "The error of the attributions' sum if the integral were exact.",
      value: 0,
      unit: "logits",
    },
  ];
}

function coarseCaveat(result: IntegratedGradientsMeasurement, steps: number): string[] {
  if (!isCoarse(result)) return [];
  const share = percent(Math.abs(result.completenessError / (result.metric - result.baseline)));
  return [
    `The attributions' sum is off by ${share} of the difference: with ${steps} ${steps === 1 ? "step" : "steps"} the path is sampled too coarsely, and single attributions can be off by more.`,
  ];
}

const OPTIONS = {
  ...answerOptions,
  baseline: { type: "choice", description: "where the path starts", choices: ["zero", "mean"], default: "zero" },
  steps: PATH_STEPS,
  seed: seedOption(),
} as const satisfies AnalysisOptions;

/** The analysis for the index. */
export const integratedGradientsAnalysis = analysis({
  name: "integrated-gradients",
  question: QUESTION,
  description:
    "Attributes the answer's logit (or a difference of two logits) to the prompt's tokens by gradients averaged along the straight path from a baseline to their embeddings; the attributions sum to the difference between the two ends, and the error of that sum is shown.",
  example: { prompt: "My sister was angry, because", answer: " she", wrong: " he", baseline: "mean" },
  options: OPTIONS,
  run: integratedGradients,
});
