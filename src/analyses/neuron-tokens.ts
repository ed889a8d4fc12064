/** "What makes a neuron fire, and which tokens does it then promote?" */

import { median } from "simple-statistics";
import { NEURON, NEXT, POS, TOKEN } from "../finding/columns.ts";
import { type Finding, type FindingParts, finding } from "../finding/finding.ts";
import { as, column, type Table, tableOf } from "../finding/table.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { PIECE } from "../measures/in-text/pieces.ts";
import {
  measureNeuronTokens,
  NEURON_OPTIONS,
  type NeuronTokensMeasurement,
  type NeuronTokensOptions,
} from "../measures/neuron-tokens.ts";
import { settled } from "../measures/options.ts";
import { quoted } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { spread } from "./baselines.ts";
import { capCaveat } from "./caps.ts";
import { modelFacts } from "./model-facts.ts";
import { KEY_VALUE_MEMORIES, SOLU } from "./papers.ts";

const QUESTION = "What makes a neuron fire, and which tokens does it then promote?";
const NEURONS = "all neurons in the layer";
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
 * all other neurons in its layer. @see measureNeuronTokens
 */
export async function neuronTokens(model: HookedTransformer, options: NeuronTokensOptions = {}): Promise<Finding> {
  const given = settled("neuronTokens", model, options, NEURON_OPTIONS);
  const measured = await measureNeuronTokens(model, given);
  const { component, text, length: tokens, examples } = measured;
  return finding({
    analysis: "neuron-tokens",
    question: QUESTION,
    summary: summaryOf(measured),
    method: METHOD,
    model: modelFacts(model),
    settings: { neuron: component, text, tokens, examples: examples.length, seed: given.seed },
    pictures: pictures(measured),
    tables: tables(measured),
    baselines: baselines(measured, given.seed),
    caveats: [
      "The strongest examples show a neuron at its extreme. What it does most of the time, at lower activations, can be different; look at the histogram too.",
      `Examples come from ${tokens} tokens of ${text}: another text has other examples, and a short one may contain nothing that the neuron responds to.`,
      "Only the direct path to the logits is read; in all but the last layer, later layers also use what a neuron writes.",
      "A negative activation writes the opposite of what is listed.",
      ...capCaveat(model),
      ...model.notes,
    ],
  });
}

function summaryOf({ component, written, neurons, examples }: NeuronTokensMeasurement): FindingParts["summary"] {
  const [best] = examples;
  const above = neurons.rows.filter(({ largest }) => largest > best.activation).length;
  const [{ effect_up, effect_down }] = written;
  const largest = Math.max(effect_up, -effect_down);
  const first = written.rows.slice(0, 3);
  const list = (end: "token_up" | "token_down") => first.map((row) => quoted(row[end])).join(", ");
  const effects = examples.rows.flatMap(({ next_effect }) => (next_effect === null ? [] : [next_effect]));
  const helped = effects.filter((effect) => effect > 0).length;
  return [
    {
      text: `${component} is most active at ${quoted(best.token)}, in ${quoted(`${best.before}${best.token}`.trim())}, with ${best.activation.toFixed(3)}; ${above} of the ${neurons.length} neurons in the layer reach a higher activation on this text.`,
      figure: { value: best.activation, unit: "", comparedWith: [NEURONS] },
    },
    {
      text: `It promotes ${list("token_up")} and suppresses ${list("token_down")}: one unit of activation changes a token's logit by at most ${largest.toFixed(3)}.`,
      figure: { value: largest, unit: "logits", comparedWith: [RANDOM] },
    },
    effects.length > 0 && {
      text: `In ${helped} of its ${effects.length} strongest places it promotes the token that actually comes next.`,
      figure: { value: (100 * helped) / effects.length, unit: "%", comparedWith: [CHANCE] },
    },
  ];
}

function pictures({ component, rows, examples }: NeuronTokensMeasurement): FindingParts["pictures"] {
  return [
    {
      kind: "tokens",
      name: "examples",
      title: `Where ${component} is most active`,
      caption: "The strongest place of each example is framed.",
      table: "contexts",
      text: "example",
      token: TOKEN.name,
      rows: [ACTIVATION.name],
      marked: { strongest: true },
      marks: "most active",
    },
    {
      kind: "topk",
      name: "tokens",
      title: `What ${component} writes`,
      caption: "What one unit of its activation adds to a token's logit.",
      table: "tokens",
      top: ["token_up", "effect_up"],
      bottom: ["token_down", "effect_down"],
      color: { label: "effect" },
    },
    {
      kind: "hist",
      name: "activations",
      title: `${component}'s activation at all tokens`,
      series: [{ name: component, values: rows.map(({ activation }) => activation) }],
      x: { label: "activation" },
      of: "tokens",
    },
    {
      kind: "hist",
      name: "neurons",
      title: "The largest activation of each neuron in the layer",
      table: "neurons",
      value: "largest",
      of: "neurons",
      references: [{ kind: "x", at: examples.rows[0].activation, label: component }],
    },
  ];
}

const ACTIVATION = column("activation", "The neuron's activation there.", { digits: 3 });
const EFFECT = column("effect", "For one unit of activation.", { title: "adds", unit: "logits", digits: 3 });

function tables({ examples, written, contexts, neurons }: NeuronTokensMeasurement): Table[] {
  return [
    tableOf({ name: "examples", title: "Where it is most active", comparedWith: [NEURONS] }, examples.rows, [
      ACTIVATION,
      as(POS, { name: "at", title: "at", description: "The position among the text's tokens." }),
      column("before", "The words before it."),
      as(TOKEN, "The token there."),
      NEXT,
    ]),
    tableOf({ name: "tokens", title: "What it writes" }, written.rows, [
      as(TOKEN, { name: "token_up", title: "promotes", description: "A token that it promotes." }),
      as(EFFECT, { name: "effect_up" }),
      as(TOKEN, { name: "token_down", title: "suppresses", description: "A token that it suppresses." }),
      as(EFFECT, { name: "effect_down" }),
    ]),
    tableOf({ name: "contexts", title: "The examples, token by token", detail: true }, contexts.rows, [
      column("example", "The example, from 0.", { axis: "batch", format: "integer" }),
      TOKEN,
      ACTIVATION,
      column("strongest", "Whether it is the example's place."),
    ]),
    tableOf({ name: "neurons", title: "Each neuron in the layer", detail: true }, neurons.rows, [
      NEURON,
      as(ACTIVATION, { name: "largest", title: "largest activation", description: "On the text." }),
    ]),
  ];
}

function baselines(measured: NeuronTokensMeasurement, seed: number): FindingParts["baselines"] {
  const { neurons, randomEffects, promoted } = measured;
  const largest = neurons.rows.map((row) => row.largest);
  return [
    {
      name: NEURONS,
      kind: "control",
      text: "The largest activation on the same text of each neuron in the layer: the median, and what 95 % of them reach.",
      ...spread(largest, median),
    },
    randomEffects.length > 0 && {
      name: RANDOM,
      kind: "control",
      text: "The largest effect on any token of one unit of activation, for random other neurons in the layer: the mean, and the range of 95 % of them.",
      ...spread(randomEffects),
      seed,
      unit: "logits",
    },
    {
      name: CHANCE,
      kind: "reference value",
      text: "The share of the vocabulary that the neuron promotes: how often it would promote the next token if that were drawn at random.",
      value: 100 * promoted,
      unit: "%",
    },
  ];
}

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
