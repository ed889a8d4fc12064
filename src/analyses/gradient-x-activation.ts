/** "Which tokens of the prompt speak for the answer, by the gradient at their embeddings?" */
import type { Model } from "../lens/model.ts";
import { gradientTimesActivation } from "../lens/saliency.ts";
import type { OptionKinds } from "../tensor/options.ts";
import { type AnalysisContext, type AnalysisOptions, analysis } from "./analysis.ts";
import {
  agreement,
  agreementBaselines,
  correlationStatement,
  signed,
  worstStatement,
} from "./attribution/agreement.ts";
import { type AnswerOptions, answerOptions, answerSettings, readAnswer } from "./attribution/answer.ts";
import { occlusion } from "./attribution/occlusion.ts";
import {
  perToken,
  type TokenNumbers,
  tokenPairs,
  tokenPictures,
  tokenTable,
  tokenWords,
} from "./attribution/token-finding.ts";
import { type Finding, finding } from "./finding.ts";
import { CONTEXT, checkAnalysis, kindsOf } from "./option-kinds.ts";
import { checkWhole, modelFacts, quoted } from "./prompt.ts";

/** What the analysis takes besides the model. */
export interface GradientXActivationOptions extends AnswerOptions, AnalysisContext {
  readonly seed?: number | undefined;
}

const QUESTION = "Which tokens of the prompt speak for the answer, by the gradient at their embeddings?";
const PROMPT = "the prompt as it is";

/**
 * Each token's embedding times the gradient of the answer's logit there, beside what the logit loses when the embedding
 * is taken away in truth.
 * @throws InputError for a prompt that is empty or too long, or answers that are not single tokens.
 */
export async function gradientXActivation(model: Model, options: GradientXActivationOptions = {}): Promise<Finding> {
  checkAnalysis("gradientXActivation", model, options, KINDS);
  const { seed = 0, signal } = options;
  checkWhole("seed", seed, 0);
  const answer = readAnswer(model, options);
  const { prompt, metric, asked } = answer;
  const found = await gradientTimesActivation(model, prompt.input, metric, { signal });
  const saliency = perToken(found.attributions);
  const lengths = perToken(found.gradients, (x) => x * x).map(Math.sqrt);
  const taken = await occlusion(model, prompt, metric, "zero", signal);
  const agreed = agreement(tokenPairs(prompt, saliency, taken.effects), seed, tokenWords("saliency"));
  const strongest = saliency.indexOf(saliency.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a)));
  const numbers: TokenNumbers[] = [
    {
      name: "gradient_x_activation",
      title: "gradient × activation",
      description: "The sum over d_model of embedding times gradient.",
      values: saliency,
    },
    {
      name: "taken_away",
      title: "taken away",
      description: "What is asked, minus what it is with the token's embedding set to zero.",
      values: taken.effects,
    },
    {
      name: "gradient_norm",
      title: "gradient's length",
      description: "√(Σ gradient²): how much a step of length 1 in the embedding can change, in any direction.",
      unit: "logits / 1",
      values: lengths,
    },
  ];
  return finding({
    analysis: "gradient-x-activation",
    question: QUESTION,
    summary: [
      {
        text: `${quoted(prompt.tokens[strongest])} (position ${strongest}) has the largest saliency: ${signed(saliency[strongest])} logits; taken away in truth, it is worth ${signed(taken.effects[strongest])}.`,
        figure: { value: saliency[strongest], unit: "logits", comparedWith: [PROMPT] },
      },
      correlationStatement("Saliency against taking each token's embedding away", agreed),
      ...worstStatement(agreed, [PROMPT]),
    ],
    method: {
      text: `For each token, Σ over d_model of embedding · d(${asked}) / d embedding, at the last position's logits: to first order, what setting the embedding to zero would take away. The position's embedding stays.\n\nThe same is done in truth, one token at a time, and compared.`,
      references: [
        {
          title: "Extraction of Salient Sentences from Labelled Documents",
          url: "https://arxiv.org/abs/1412.6815",
          paper: "Denil, Demiraj and de Freitas, 2014",
        },
      ],
    },
    model: modelFacts(model),
    settings: { ...answerSettings(answer), seed },
    pictures: tokenPictures(prompt, numbers.slice(0, 2), agreed, { x: "gradient × activation", y: "taken away" }),
    tables: [tokenTable(prompt, numbers, [PROMPT])],
    baselines: [
      {
        name: PROMPT,
        kind: "control",
        text: `${asked} with nothing taken away.`,
        value: taken.metric,
        unit: "logits",
      },
      ...agreementBaselines(agreed, seed),
    ],
    caveats: [
      "A gradient sees a token's immediate surroundings only: where the model is saturated, a token that decides everything can have a saliency of nearly 0. Integrated gradients look along the whole way.",
      "An embedding of zero is no token's, so the model has never seen one: both numbers say what the embedding's length carries, too.",
      ...model.notes,
    ],
  });
}

const OPTIONS = {
  ...answerOptions,
  seed: { type: "integer", placeholder: "N", description: "seed of all that is left to chance", default: 0 },
} as const satisfies AnalysisOptions;

const KINDS: OptionKinds<GradientXActivationOptions> = { ...kindsOf(OPTIONS), ...CONTEXT };

/** The analysis as the index has it. */
export const gradientXActivationAnalysis = analysis({
  name: "gradient-x-activation",
  question: QUESTION,
  description:
    "Saliency of each token: its embedding times the gradient of the answer's logit (or of a difference of two logits) there, beside what is lost when the embedding is taken away in truth.",
  example: '--prompt "My sister was angry, because" --answer " she" --wrong " he" --out report.html',
  options: OPTIONS,
  run: (model, options, context) => gradientXActivation(model, { ...options, ...context }),
});
