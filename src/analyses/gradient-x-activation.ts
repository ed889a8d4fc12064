/** "Which tokens of the prompt favour the answer, judged by the gradient at their embeddings?" */

import { type Finding, finding, type Method } from "../finding/finding.ts";
import type { Model } from "../lens/model.ts";
import { answerOptions, readAnswer } from "../measures/answer.ts";
import { type GradientXActivationMeasurement, measureGradientXActivation } from "../measures/gradient-x-activation.ts";
import { occlusion } from "../measures/occlusion.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled } from "../measures/options.ts";
import { quoted, signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { agreement, agreementBaselines, correlationStatement, worstStatement } from "./attribution/agreement.ts";
import { answerSettings } from "./attribution/answer.ts";
import {
  perToken,
  type TokenNumbers,
  tokenPairs,
  tokenPictures,
  tokenTable,
  tokenWords,
} from "./attribution/token-finding.ts";
import { modelFacts } from "./model-facts.ts";
import { SALIENCY } from "./papers.ts";

/** The options of the analysis. */
export type GradientXActivationOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which tokens of the prompt favour the answer, judged by the gradient at their embeddings?";
const PROMPT = "the unchanged prompt";

/**
 * Each token's embedding times the gradient of the answer's logit there, compared with what the logit loses when the embedding
 * is actually removed.
 * @throws InputError for a prompt that is empty or too long, or answers that are not single tokens.
 */
export async function gradientXActivation(model: Model, options: GradientXActivationOptions = {}): Promise<Finding> {
  const given = settled("gradientXActivation", model, options, OPTIONS);
  const { seed, signal } = given;
  const answer = readAnswer(model, given);
  const { prompt, metric, asked } = answer;
  const result = await measureGradientXActivation(model, { prompt: prompt.input, metric, signal });
  const saliency = perToken(result.attributions);
  const occluded = await occlusion(model, prompt, metric, "zero", signal);
  const agreed = agreement(tokenPairs(prompt, saliency, occluded.effects), seed, tokenWords("saliency"));
  const strongest = saliency.indexOf(saliency.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a)));
  const numbers = columns(result, saliency, occluded.effects);
  return finding({
    analysis: "gradient-x-activation",
    question: QUESTION,
    summary: [
      {
        text: `${quoted(prompt.tokens[strongest])} (position ${strongest}) has the largest saliency: ${signed(saliency[strongest])} logits; when it is actually removed, ${signed(occluded.effects[strongest])}.`,
        figure: { value: saliency[strongest], unit: "logits", comparedWith: [PROMPT] },
      },
      correlationStatement("Saliency and the effect of removing each token's embedding", agreed),
      ...worstStatement(agreed, [PROMPT]),
    ],
    method: method(asked),
    model: modelFacts(model),
    settings: { ...answerSettings(answer), seed },
    pictures: tokenPictures(numbers.slice(0, 2), agreed, ["gradient_x_activation", "taken_away"]),
    tables: [tokenTable(prompt, numbers, [PROMPT])],
    baselines: [
      {
        name: PROMPT,
        kind: "control",
        text: `${asked} with nothing removed.`,
        value: occluded.metric,
        unit: "logits",
      },
      ...agreementBaselines(agreed, seed),
    ],
    caveats: [
      "A gradient only sees small changes of a token's embedding: where the model is saturated, a token that decides everything can have a saliency of nearly 0. Integrated gradients look along the whole path.",
      "No token has a zero embedding, so the model has never seen one: both numbers also reflect the length of the embedding.",
      ...model.notes,
    ],
  });
}

function columns(
  { gradients }: GradientXActivationMeasurement,
  saliency: readonly number[],
  removed: readonly number[],
): TokenNumbers[] {
  return [
    {
      name: "gradient_x_activation",
      title: "gradient × activation",
      description: "The sum over d_model of embedding times gradient.",
      values: saliency,
    },
    {
      name: "taken_away",
      title: "removed",
      description: "The logit in question, minus the same with the token's embedding set to zero.",
      values: removed,
    },
    {
      name: "gradient_norm",
      title: "gradient norm",
      description: "√(Σ gradient²): the most that a step of length 1 in the embedding can change, in any direction.",
      unit: "logits / 1",
      values: perToken(gradients, (x) => x * x).map(Math.sqrt),
    },
  ];
}

function method(asked: string): Method {
  return {
    text: `For each token, Σ over d_model of embedding · d(${asked}) / d embedding, at the last position's logits: to first order, what would be lost if the embedding were set to zero. The position's embedding stays.\n\nEach token's embedding is then actually set to zero, one at a time, for comparison.`,
    references: [SALIENCY],
  };
}

const OPTIONS = {
  ...answerOptions,
  seed: seedOption(),
} as const satisfies AnalysisOptions;

/** The analysis for the index. */
export const gradientXActivationAnalysis = analysis({
  name: "gradient-x-activation",
  question: QUESTION,
  description:
    "Saliency of each token: its embedding times the gradient of the answer's logit (or of a difference of two logits) there, compared with what is lost when the embedding is actually removed.",
  example: { prompt: "My sister was angry, because", answer: " she", wrong: " he" },
  options: OPTIONS,
  run: gradientXActivation,
});
