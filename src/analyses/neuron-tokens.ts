/** "What makes a neuron fire, and which tokens does it then promote?" */

import { mean, median, quantile } from "simple-statistics";
import { type Baseline, type Finding, finding } from "../finding/finding.ts";
import type { RankedToken } from "../finding/picture.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import {
  measureNeuronTokens,
  NEURON_OPTIONS,
  type NeuronTokensMeasurement,
  type NeuronTokensOptions,
  PIECE,
} from "../measures/neuron-tokens.ts";
import { settled } from "../measures/options.ts";
import { tokenText } from "../measures/prompt.ts";
import { largestIndices } from "../measures/top-tokens.ts";
import { quoted } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { capCaveat } from "./caps.ts";
import { modelFacts } from "./model-facts.ts";
import { context, NEURONS, neuronPictures, neuronTables } from "./neuron-tokens/tables.ts";
import { KEY_VALUE_MEMORIES, SOLU } from "./papers.ts";

const QUESTION = "What makes a neuron fire, and which tokens does it then promote?";
const RANDOM = "random neurons";
const CHANCE = "next token by chance";

const METHOD = {
  text:
    `The text is cut into pieces of at most ${PIECE - 1} tokens, each read after a BOS. The neuron's activation is hook_post at each token; BOS itself is left out, and so are places that overlap with a stronger one.\n\n` +
    "What it writes is read by the unembedding: W_out[neuron] · W_U is what one unit of its activation adds to each token's logit on the direct path, before the final norm (and any norm behind the MLP) divides by its scale.",
  references: [SOLU, KEY_VALUE_MEMORIES],
};

/**
 * A neuron from both ends: the tokens it promotes and suppresses, and the places in a text where it is most active, compared with
 * all other neurons in its layer. @see measureNeuron
 */
export async function neuronTokens(model: HookedTransformer, options: NeuronTokensOptions = {}): Promise<Finding> {
  const given = settled("neuronTokens", model, options, NEURON_OPTIONS);
  const { top, seed } = given;
  const measured = await measureNeuronTokens(model, given);
  const { name, text, effects, activations, examples } = measured;
  const ranked = (sign: 1 | -1): RankedToken[] =>
    largestIndices(sign === 1 ? effects : effects.map((x) => -x), top).map((id) => ({
      token: tokenText(model, id),
      value: effects[id],
    }));
  const [up, down] = [ranked(1), ranked(-1)];
  return finding({
    analysis: "neuron-tokens",
    question: QUESTION,
    summary: summaryOf(measured, up, down),
    method: METHOD,
    model: modelFacts(model),
    settings: { neuron: name, text, tokens: activations.length, examples: examples.length, seed },
    pictures: neuronPictures(measured),
    tables: neuronTables(measured, up, down),
    baselines: baselines(measured, seed),
    caveats: [
      "The strongest examples show a neuron at its extreme. What it does most of the time, at lower activations, can be different; look at the histogram too.",
      `Examples come from ${activations.length} tokens of ${text}: another text has other examples, and a short one may contain nothing that the neuron responds to.`,
      "Only the direct path to the logits is read; in all but the last layer, later layers also use what a neuron writes.",
      "A negative activation writes the opposite of what is listed.",
      ...capCaveat(model),
      ...model.notes,
    ],
  });
}

function summaryOf(
  { name, effects, largestOfEach, examples }: NeuronTokensMeasurement,
  up: readonly RankedToken[],
  down: readonly RankedToken[],
): Finding["summary"] {
  const largest = Math.max(up[0].value, -down[0].value);
  const best = examples[0];
  const above = largestOfEach.filter((x) => x > best.activation).length;
  const promoted = examples.flatMap(({ nextId }) => (nextId === null ? [] : [effects[nextId]]));
  const helped = promoted.filter((e) => e > 0).length;
  return [
    {
      text: `${name} is most active at ${quoted(best.token)}, in “${context(best)}”, with ${best.activation.toFixed(3)}; ${above} of the ${largestOfEach.length} neurons in the layer reach a higher activation on this text.`,
      figure: { value: best.activation, unit: "", comparedWith: [NEURONS] },
    },
    {
      text: `It promotes ${listed(up)} and suppresses ${listed(down)}: one unit of activation changes a token's logit by at most ${largest.toFixed(3)}.`,
      figure: { value: largest, unit: "logits", comparedWith: [RANDOM] },
    },
    ...(promoted.length > 0
      ? [
          {
            text: `In ${helped} of its ${promoted.length} strongest places it promotes the token that actually comes next.`,
            figure: { value: (100 * helped) / promoted.length, unit: "%", comparedWith: [CHANCE] as [string] },
          },
        ]
      : []),
  ];
}

function baselines(
  { effects, otherEffects, largestOfEach }: NeuronTokensMeasurement,
  seed: number,
): readonly Baseline[] {
  const positive = effects.reduce((n, e) => n + (e > 0 ? 1 : 0), 0) / effects.length;
  return [
    {
      name: NEURONS,
      kind: "control",
      text: "The largest activation on the same text of each neuron in the layer: the median, and what 95 % of them reach.",
      value: median([...largestOfEach]),
      interval: [quantile([...largestOfEach], 0.025), quantile([...largestOfEach], 0.975)],
      level: 0.95,
      samples: largestOfEach.length,
    },
    ...(otherEffects.length > 0
      ? [
          {
            name: RANDOM,
            kind: "control" as const,
            text: "The largest effect on any token of one unit of activation, for random other neurons in the layer: the mean, and the range of 95 % of them.",
            value: mean([...otherEffects]),
            interval: [quantile([...otherEffects], 0.025), quantile([...otherEffects], 0.975)] as const,
            level: 0.95,
            samples: otherEffects.length,
            seed,
            unit: "logits",
          },
        ]
      : []),
    {
      name: CHANCE,
      kind: "reference value",
      text: "The share of the vocabulary that the neuron promotes: how often it would promote the next token if that were drawn at random.",
      value: 100 * positive,
      unit: "%",
    },
  ];
}

const listed = (tokens: readonly RankedToken[]) =>
  tokens
    .slice(0, 3)
    .map(({ token }) => quoted(token))
    .join(", ");

/** `neuronTokens` for the index. */
export const neuronTokensAnalysis = analysis({
  name: "neuron-tokens",
  question: QUESTION,
  description:
    "A neuron's top and bottom tokens by W_out · W_U, and the places in a text where it is most active, compared with all neurons in its layer.",
  example: { layer: 0, neuron: 830 },
  options: NEURON_OPTIONS,
  run: neuronTokens,
});
