/** "Which tokens of the prompt make up the answer's logit, along the way from no prompt to this one?" */
import type { Model } from "../lens/model.ts";
import { gradientTimesActivation, integratedGradients } from "../lens/saliency.ts";
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
import { type Absence, occlusion } from "./attribution/occlusion.ts";
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
export interface IntegratedGradientsFindingOptions extends AnswerOptions, AnalysisContext {
  /** What the way starts from at each position: a zero embedding (the default), or the mean of the vocabulary's. */
  readonly baseline?: Absence | undefined;
  /** Places on the way at which gradients are taken. Default 64. */
  readonly steps?: number | undefined;
  readonly seed?: number | undefined;
}

const QUESTION = "Which tokens of the prompt make up the answer's logit, along the way from no prompt to this one?";
const PROMPT = "the prompt as it is";
const START = "the way's start";
const COMPLETE = "completeness";
/** A part of the difference by which the attributions' sum may be off before the finding warns of it. */
const COARSE = 0.01;

/**
 * Integrated gradients at the tokens' embeddings, with the error of their sum, beside taking each token away in truth.
 * @throws InputError for a prompt that is empty or too long, or answers that are not single tokens; ArgumentError for
 * fewer than one step.
 */
export async function integratedGradientsFinding(
  model: Model,
  options: IntegratedGradientsFindingOptions = {},
): Promise<Finding> {
  checkAnalysis("integratedGradientsFinding", model, options, KINDS);
  const { baseline = "zero", steps = 64, seed = 0, signal } = options;
  checkWhole("steps", steps, 1);
  checkWhole("seed", seed, 0);
  const answer = readAnswer(model, options);
  const { prompt, metric, asked } = answer;
  const found = await integratedGradients(model, prompt.input, metric, { baseline, steps, signal });
  const local = await gradientTimesActivation(model, prompt.input, metric, { signal });
  const taken = await occlusion(model, prompt, metric, baseline, signal);
  const attributed = perToken(found.attributions);
  const agreed = agreement(tokenPairs(prompt, attributed, taken.effects), seed, tokenWords("attributed"));
  const strongest = attributed.indexOf(attributed.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a)));
  const difference = found.metric - found.baseline;
  const coarse = Math.abs(found.completenessError) > COARSE * Math.abs(difference);
  const start = baseline === "zero" ? "zero embeddings" : "the mean embedding at each position";
  const numbers: TokenNumbers[] = [
    {
      name: "integrated_gradients",
      title: "integrated gradients",
      description: "The sum over d_model of (embedding − baseline) · the gradient averaged along the way.",
      values: attributed,
    },
    {
      name: "gradient_x_activation",
      title: "gradient × activation",
      description: "The same with the gradient at the way's end alone, and from zero.",
      values: perToken(local.attributions),
    },
    {
      name: "taken_away",
      title: "taken away",
      description: "What is asked, minus what it is with the baseline in this token's place.",
      values: taken.effects,
    },
  ];
  return finding({
    analysis: "integrated-gradients",
    question: QUESTION,
    summary: [
      {
        text: `${quoted(prompt.tokens[strongest])} (position ${strongest}) has the largest attribution: ${signed(attributed[strongest])} logits, where all together make up the ${signed(difference)} between ${start} and the prompt.`,
        figure: { value: attributed[strongest], unit: "logits", comparedWith: [PROMPT, START] },
      },
      {
        text: `The attributions sum to ${signed(difference + found.completenessError)}, which is ${Math.abs(found.completenessError).toPrecision(2)} logits off${coarse ? ": more steps are needed" : ""}.`,
        figure: { value: found.completenessError, unit: "logits", comparedWith: [COMPLETE, PROMPT] },
      },
      correlationStatement("Attributions against taking each token away", agreed),
      ...worstStatement(agreed, [PROMPT]),
    ],
    method: {
      text: `All embeddings go the straight way from ${start} to the prompt's, x' + a (x − x'). Each token's attribution is Σ over d_model of (x − x') · ∫₀¹ d(${asked}) / dx da: so all of them sum to the difference of what is asked between both ends. The integral is a Gauss-Legendre sum of ${steps} ${steps === 1 ? "step" : "steps"}. Position embeddings stay.\n\nFor comparison each token alone is taken away: ${baseline === "zero" ? "its embedding is set to zero" : "the mean embedding stands in its place"}.`,
      references: [
        {
          title: "Axiomatic Attribution for Deep Networks",
          url: "https://arxiv.org/abs/1703.01365",
          paper: "Sundararajan, Taly and Yan, 2017",
        },
      ],
    },
    model: modelFacts(model),
    settings: { ...answerSettings(answer), baseline, steps, seed },
    pictures: tokenPictures(prompt, numbers, agreed, { x: "integrated gradients", y: "taken away" }),
    tables: [tokenTable(prompt, numbers, [PROMPT, START])],
    baselines: [
      { name: PROMPT, kind: "control", text: `${asked} for the prompt.`, value: found.metric, unit: "logits" },
      { name: START, kind: "control", text: `${asked} for ${start}.`, value: found.baseline, unit: "logits" },
      {
        name: COMPLETE,
        kind: "reference value",
        text: "What the sum of the attributions is off by if the integral is exact.",
        value: 0,
        unit: "logits",
      },
      ...agreementBaselines(agreed, seed),
    ],
    caveats: [
      ...(coarse
        ? [
            `The attributions' sum is off by ${((100 * Math.abs(found.completenessError)) / Math.abs(difference)).toFixed(0)} % of the difference: with ${steps} ${steps === 1 ? "step" : "steps"} the way is sampled too coarsely, and single attributions can be off by more.`,
          ]
        : []),
      "Attributions depend on where the way starts, and no start is neutral: neither zero nor the mean embedding is a token's. Compare both.",
      "On the way the model sees embeddings that no text has.",
      ...model.notes,
    ],
  });
}

const OPTIONS = {
  ...answerOptions,
  baseline: { type: "choice", description: "where the way starts", choices: ["zero", "mean"], default: "zero" },
  steps: { type: "integer", placeholder: "N", description: "places on the way with a gradient", default: 64 },
  seed: { type: "integer", placeholder: "N", description: "seed of all that is left to chance", default: 0 },
} as const satisfies AnalysisOptions;

const KINDS: OptionKinds<IntegratedGradientsFindingOptions> = { ...kindsOf(OPTIONS), ...CONTEXT };

/** The analysis as the index has it. */
export const integratedGradientsAnalysis = analysis({
  name: "integrated-gradients",
  question: QUESTION,
  description:
    "Attributes the answer's logit (or a difference of two logits) to the prompt's tokens by gradients averaged along the straight way from a baseline to their embeddings; the attributions sum to the difference between both ends, and the error of that sum is told.",
  example: '--prompt "My sister was angry, because" --baseline mean --steps 128 --out report.html',
  options: OPTIONS,
  run: (model, options, context) => integratedGradientsFinding(model, { ...options, ...context }),
});
