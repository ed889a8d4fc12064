/** "Which tokens of the prompt favour the answer, judged by the gradient at their embeddings?" */

import { type Finding, finding, type Method } from "../finding/finding.ts";
import { column } from "../finding/table.ts";
import type { Model } from "../lens/model.ts";
import { answerOptions, readAnswer } from "../measures/answer.ts";
import { measureGradientXActivation } from "../measures/gradient-x-activation.ts";
import { occlusion } from "../measures/occlusion.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled } from "../measures/options.ts";
import { signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { agreement, agreementBaselines, correlationStatement, worstStatement } from "./attribution/agreement.ts";
import { answerSettings } from "./attribution/answer.ts";
import { strongestToken, tokenPairs, tokenPictures, tokenTable, tokenWords } from "./attribution/token-finding.ts";
import { modelFacts } from "./model-facts.ts";
import { SALIENCY } from "./papers.ts";

/** The options of the analysis. */
export type GradientXActivationOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which tokens of the prompt favour the answer, judged by the gradient at their embeddings?";
const PROMPT = "the unchanged prompt";

const SALIENCY_SUM = column("gradient_x_activation", "The sum over d_model of embedding times gradient.", {
  title: "gradient × activation",
  unit: "logits",
});
const REMOVED = column("taken_away", "The logit in question, minus the same with the token's embedding set to zero.", {
  title: "removed",
  unit: "logits",
});
const GRADIENT_NORM = column(
  "gradient_norm",
  "√(Σ gradient²): the most that a step of length 1 in the embedding can change, in any direction.",
  { unit: "logits per unit" },
);

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
  const saliency = result.rows.map(({ attribution }) => attribution);
  const occluded = await occlusion(model, prompt, metric, "zero", signal);
  const pairs = tokenPairs(prompt, saliency, occluded.effects);
  const agreed = agreement(pairs, seed, tokenWords("saliency"));
  const strongest = strongestToken(pairs);
  const gradients = result.rows.map(({ gradient_norm }) => gradient_norm);
  const numbers = [[SALIENCY_SUM, saliency] as const, [REMOVED, occluded.effects] as const];
  return finding({
    analysis: "gradient-x-activation",
    question: QUESTION,
    summary: [
      {
        text: `${strongest.name} has the largest saliency: ${signed(strongest.estimated)} logits; when it is actually removed, ${signed(strongest.measured)}.`,
        figure: { value: strongest.estimated, unit: "logits", comparedWith: [PROMPT] },
      },
      correlationStatement("Saliency and the effect of removing each token's embedding", agreed),
      ...worstStatement(agreed, [PROMPT]),
    ],
    method: method(asked),
    model: modelFacts(model),
    settings: { ...answerSettings(answer), seed },
    pictures: tokenPictures(numbers, agreed, [SALIENCY_SUM.name, REMOVED.name]),
    tables: [tokenTable(prompt, [...numbers, [GRADIENT_NORM, gradients]], [PROMPT])],
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
