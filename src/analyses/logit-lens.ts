/** "At which layer does the model arrive at its prediction?" */

import { mean } from "simple-statistics";
import { type Baseline, type Finding, finding } from "../finding/finding.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { fillsMasks } from "../lens/model-has.ts";
import {
  LOGIT_LENS_OPTIONS,
  type LogitLensMeasurement,
  type LogitLensOptions,
  measureLogitLens,
  rightTokens,
} from "../measures/logit-lens.ts";
import { settled } from "../measures/options.ts";
import type { Prompt } from "../measures/prompt.ts";
import { percent } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import {
  BIAS,
  byLayer,
  byPosition,
  type LayerMeans,
  lens,
  meansOf,
  OTHER,
  rankLine,
  topTokens,
  UNIFORM,
} from "./logit-lens/tables.ts";
import { modelFacts } from "./model-facts.ts";
import { LOGIT_LENS, TUNED_LENS } from "./papers.ts";

const QUESTION = "At which layer does the model arrive at its prediction?";
const LAST = "the model's own output";
const AGREEMENT = "agreement at the end";

const METHOD = {
  text:
    "Each residual stream x, before and after every attention layer and MLP, is read as if it were the last one: probabilities are softmax(ln_final(x) W_U + b_U), where the norm takes its scale from x itself.\n\n" +
    "The rank of a token is the number of tokens that are more probable, so 0 is the best. Means are over the positions that have a next token. Entropy is of the whole distribution.",
  references: [LOGIT_LENS, TUNED_LENS],
};

/** The mean rank of the prompt's tokens if only the unembedding's bias is known. */
function biasRank(model: HookedTransformer, prompt: Prompt): number {
  const bias = Array.from(model.b_U.data);
  const rank = (id: number) => bias.filter((b) => b > bias[id]).length;
  return mean(prompt.ids.slice(fillsMasks(model) ? 0 : 1).map(rank));
}

/**
 * The logit lens on a prompt: rank and probability of the token that comes next, and the most probable tokens, at each
 * layer and position. @see measureLogitLens
 */
export async function logitLens(model: HookedTransformer, options: LogitLensOptions = {}): Promise<Finding> {
  const measured = await measureLogitLens(model, settled("logitLens", model, options, LOGIT_LENS_OPTIONS));
  const { prompt, labels, cells } = measured;
  const means = cells.map(meansOf);
  const bias = biasRank(model, prompt);
  const compared: [string, ...string[]] = [
    UNIFORM,
    BIAS,
    ...(means[means.length - 1].otherRank === null ? [] : [OTHER]),
  ];
  return finding({
    analysis: "logit-lens",
    question: QUESTION,
    summary: summaryOf(model, measured, means, compared),
    method: METHOD,
    model: modelFacts(model),
    settings: { prompt: prompt.text, tokens: prompt.ids.length, layers: labels.length },
    pictures: [lens(model), rankLine(model, bias)],
    tables: [byLayer(labels, means, compared), byPosition(model, measured), topTokens(model, measured)],
    baselines: baselines(model.cfg.dVocabOut, means[means.length - 1], bias, measured.error),
    caveats: [
      "The lens reads every layer as if it were the last. A token that it does not show may be present in another form, which a tuned lens (Belrose et al. 2023) would find; what it does show need not be what later layers use.",
      "Before the first layer the stream holds only the current token, so what the lens shows there is the direct path from embedding to unembedding: bigrams at best.",
      `One prompt of ${prompt.ids.length} tokens says little about the model in general.`,
      ...(model.cfg.attentionDir === "causal"
        ? []
        : fillsMasks(model)
          ? [
              "Except at masks the model sees the token that it should name, so a high probability there is no prediction.",
            ]
          : ["This model's attention sees later tokens too, so the next token is not a prediction."]),
      ...model.notes,
    ],
  });
}

function summaryOf(
  model: HookedTransformer,
  { prompt, labels }: LogitLensMeasurement,
  means: readonly LayerMeans[],
  compared: [string, ...string[]],
): Finding["summary"] {
  const [first, last] = [means[0], means[means.length - 1]];
  const steps = means.slice(1).map((m, i) => m.logProb - means[i].logProb);
  const largestStep = steps.indexOf(Math.max(...steps));
  const { called } = rightTokens(model, prompt);
  return [
    {
      text:
        (steps[largestStep] > 0
          ? `Between ${labels[largestStep]} and ${labels[largestStep + 1]} the ${called} gains most, ${steps[largestStep].toFixed(2)} nats of log probability on average, and its mean rank`
          : `Nowhere does the ${called} gain log probability on average; its mean rank`) +
        ` goes from ${first.rank.toFixed(1)} at ${labels[0]} to ${last.rank.toFixed(1)} at ${labels.at(-1)} (0 is the most probable of ${model.cfg.dVocabOut} tokens).`,
      figure: { value: last.rank, unit: "tokens", comparedWith: compared },
    },
    {
      text: `The most probable token is the right one at ${percent(first.right)} of the positions at ${labels[0]}, and at ${percent(last.right)} of them at the end.`,
      figure: { value: 100 * first.right, unit: "%", comparedWith: [LAST] },
    },
  ];
}

function baselines(
  vocabulary: number,
  { otherRank, right }: LayerMeans,
  bias: number,
  error: number,
): readonly Baseline[] {
  return [
    {
      name: UNIFORM,
      kind: "reference value",
      text: `The mean rank of a token among ${vocabulary} in random order, (${vocabulary} − 1) / 2.`,
      value: (vocabulary - 1) / 2,
      unit: "tokens",
    },
    {
      name: BIAS,
      kind: "control",
      text: "The mean rank of the same next tokens by b_U alone, which reflects how common tokens are and nothing about the prompt.",
      value: bias,
      unit: "tokens",
    },
    ...(otherRank === null
      ? []
      : [
          {
            name: OTHER,
            kind: "control" as const,
            text: "The mean rank, at the last layer, of the tokens that come next half a prompt away: as common as the right ones, but in the wrong place.",
            value: otherRank,
            unit: "tokens",
          },
        ]),
    {
      name: LAST,
      kind: "reference value",
      text: "How often the model itself is right on this prompt, which is what the last layer shows.",
      value: 100 * right,
      unit: "%",
    },
    {
      name: AGREEMENT,
      kind: "control",
      text: "The largest difference of any token's log probability between the lens at the last layer and the model's own output: only rounding, as they are the same computation.",
      value: error,
      unit: "nats",
    },
  ];
}

/** `logitLens` for the index. */
export const logitLensAnalysis = analysis({
  name: "logit-lens",
  model: "gelu-3l-novels",
  question: QUESTION,
  description:
    "The logit lens (nostalgebraist 2020): the residual stream of every layer and position, read through the final norm and the unembedding. " +
    "Shows the rank and the probability of the token that actually comes next, and the tokens that each layer finds most probable.",
  example: { prompt: "She opened the door and went into the room." },
  options: LOGIT_LENS_OPTIONS,
  run: logitLens,
});
