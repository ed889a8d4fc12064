/** "What makes a feature of a dictionary fire, and what does it write?" */

import { median } from "simple-statistics";
import { COMPONENT, FEATURE, NEXT, POS, TOKEN } from "../finding/columns.ts";
import { type Finding, type FindingParts, finding, type Statement } from "../finding/finding.ts";
import { as, column, type Table, tableOf } from "../finding/table.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { FEATURE_OPTIONS, type FeatureMeasurement, type FeatureOptions, measureFeature } from "../measures/feature.ts";
import { PIECE } from "../measures/in-text/pieces.ts";
import { settled } from "../measures/options.ts";
import { percent, quoted, signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { spread } from "./baselines.ts";
import { capCaveat } from "./caps.ts";
import { modelFacts } from "./model-facts.ts";
import { MONOSEMANTICITY } from "./papers.ts";

const QUESTION = "What makes a feature of a dictionary fire, and what does it write?";
const FEATURES = "all features of the dictionary";
const RANDOM = "random features";
const ALONE = "one neuron alone";
const SAME = "the same direction";

const METHOD = {
  text:
    `The text is cut into pieces of at most ${PIECE - 1} tokens, each read after a BOS. The feature's activation is what the dictionary makes of the hook point that it reads; it fires where that is above 0. BOS itself is left out, and so are examples that overlap with a stronger one.\n\n` +
    "What it writes is read by the unembedding: W_dec[feature] · W_U is what one unit of its activation adds to each token's logit on the direct path, before the final norm divides by its scale. Near features are those with the largest cosine of decoder rows.\n\n" +
    "Where the dictionary reads what an MLP writes, a neuron's part in what makes the feature fire is the mean over the tokens where it does of hook_post · W_out[neuron] · W_enc[:, feature].",
  references: [MONOSEMANTICITY],
};

/**
 * A feature of a dictionary from both ends: where in a text it fires, what it writes, which features are near it, and the neurons behind
 * it, compared with all other features. @see measureFeature
 */
export async function feature(model: HookedTransformer, options: FeatureOptions = {}): Promise<Finding> {
  const given = settled("feature", model, options, FEATURE_OPTIONS);
  const measured = await measureFeature(model, given);
  const { text, length: tokens, examples, hook, dictionary, writes } = measured;
  return finding({
    analysis: "feature",
    question: QUESTION,
    summary: summaryOf(measured),
    method: METHOD,
    model: modelFacts(model),
    settings: {
      ...{ feature: measured.feature, dictionary, hook, text, tokens },
      ...{ examples: examples.length, seed: given.seed },
    },
    pictures: pictures(measured),
    tables: tables(measured),
    baselines: baselines(measured, given.seed),
    caveats: [
      "The strongest examples show a feature at its extreme. At lower activations, which are most of them, it can mean something else: look at the histogram too.",
      `Examples come from ${tokens} tokens of ${text}: another text has other examples, and a short one may contain nothing that the feature responds to.`,
      writes
        ? "Only the direct path to the logits is read; in all but the last layer, later layers also use what a feature writes."
        : `What it writes is not given in tokens: values at ${hook} are not added to the residual stream as they are.`,
      ...capCaveat(model),
      ...model.notes,
    ],
  });
}

const nameOf = ({ feature: index }: FeatureMeasurement) => `Feature ${index}`;

function summaryOf(measured: FeatureMeasurement): FindingParts["summary"] {
  const { examples, features, density } = measured;
  const often = `it fires at ${percent(density)} of ${measured.length} tokens`;
  const [best] = examples.rows;
  const figure = { value: 100 * density, unit: "%", comparedWith: [FEATURES] } as const;
  if (!best) return [{ text: `${nameOf(measured)} never fires on this text.`, figure }, writesOf(measured)];
  const above = features.rows.filter(({ largest }) => largest > best.activation).length;
  return [
    {
      text: `${nameOf(measured)} fires most at ${quoted(best.token)}, in ${quoted(`${best.before}${best.token}`.trim())}, with ${best.activation.toFixed(2)}; ${often}, and ${above} of ${features.length} features reach a higher activation.`,
      figure,
    },
    writesOf(measured),
    behind(measured),
    near(measured),
  ];
}

function writesOf({ writes }: FeatureMeasurement): Statement | undefined {
  if (!writes) return undefined;
  const [{ effect_up, effect_down }] = writes.written;
  const largest = Math.max(effect_up, -effect_down);
  const first = writes.written.rows.slice(0, 3);
  const list = (end: "token_up" | "token_down") => first.map((row) => quoted(row[end])).join(", ");
  return {
    text: `It promotes ${list("token_up")} and suppresses ${list("token_down")}: one unit of activation changes a token's logit by at most ${largest.toFixed(3)}.`,
    figure: { value: largest, unit: "logits", comparedWith: [RANDOM] },
  };
}

/** How many neurons are behind it. */
function behind({ neurons, read }: FeatureMeasurement): Statement | undefined {
  const [first] = neurons;
  if (!first || read === null) return undefined;
  const share = read === 0 ? 0 : first.adds / read;
  return {
    text: `Of what the MLP's neurons add to what makes it fire, ${first.component} has ${percent(share)}: ${signed(first.adds)} of ${signed(read)}, the mean over the tokens where it fires.`,
    figure: { value: 100 * share, unit: "%", comparedWith: [ALONE] },
  };
}

function near({ nearest }: FeatureMeasurement): Statement | undefined {
  const [first] = nearest;
  return (
    first && {
      text: `Feature ${first.d_sae} writes the most alike: the cosine of their directions is ${first.cosine.toFixed(2)}.`,
      figure: { value: first.cosine, unit: "", comparedWith: [SAME] },
    }
  );
}

const ACTIVATION = column("activation", "The feature's activation there.", { digits: 2 });
const EFFECT = column("effect", "For one unit of activation.", { title: "adds", unit: "logits", digits: 3 });

function pictures(measured: FeatureMeasurement): FindingParts["pictures"] {
  const { rows, examples, writes, neurons } = measured;
  const name = nameOf(measured);
  const firing = rows.filter(({ activation }) => activation > 0);
  return [
    examples.length > 0 && {
      kind: "tokens",
      name: "examples",
      title: `Where ${name.toLowerCase()} fires most`,
      caption: "The strongest place of each example is framed.",
      table: "contexts",
      text: "example",
      token: TOKEN.name,
      rows: [ACTIVATION.name],
      marked: { strongest: true },
      marks: "most active",
    },
    writes && {
      kind: "topk",
      name: "tokens",
      title: `What ${name.toLowerCase()} writes`,
      caption: "What one unit of its activation adds to a token's logit.",
      table: "tokens",
      top: ["token_up", "effect_up"],
      bottom: ["token_down", "effect_down"],
      color: { label: "effect" },
    },
    firing.length > 0 && {
      kind: "hist",
      name: "activations",
      title: `${name}'s activation where it fires`,
      series: [{ name, values: firing.map(({ activation }) => activation) }],
      x: { label: "activation" },
      of: "tokens",
    },
    neurons.length > 0 && {
      kind: "bar",
      name: "neurons",
      title: "The neurons behind it",
      caption: "What each adds to what makes the feature fire: the mean over the tokens where it does.",
      table: "neurons",
      x: COMPONENT.name,
      y: "adds",
    },
  ];
}

function tables({
  examples,
  writes,
  contexts,
  nearest,
  neurons,
  features,
}: FeatureMeasurement): FindingParts["tables"] {
  return [
    examples.length > 0 &&
      tableOf({ name: "examples", title: "Where it fires most", comparedWith: [FEATURES] }, examples.rows, [
        ACTIVATION,
        as(POS, { name: "at", title: "at", description: "The position among the text's tokens." }),
        column("before", "The words before it."),
        as(TOKEN, "The token there."),
        NEXT,
      ]),
    writes &&
      tableOf({ name: "tokens", title: "What it writes" }, writes.written.rows, [
        as(TOKEN, { name: "token_up", title: "promotes", description: "A token that it promotes." }),
        as(EFFECT, { name: "effect_up" }),
        as(TOKEN, { name: "token_down", title: "suppresses", description: "A token that it suppresses." }),
        as(EFFECT, { name: "effect_down" }),
      ]),
    nearest.length > 0 &&
      tableOf({ name: "nearest", title: "The features that write the most alike" }, nearest.rows, [
        FEATURE,
        column("cosine", "The cosine of the two decoder rows.", { digits: 3 }),
      ]),
    neurons.length > 0 &&
      tableOf({ name: "neurons", title: "The neurons behind it" }, neurons.rows, [
        as(COMPONENT, { title: "neuron", description: "L0N17 is neuron 17 of layer 0." }),
        column("adds", "What it adds to what makes the feature fire, the mean over the tokens where it does.", {
          digits: 3,
        }),
      ]),
    contexts.length > 0 && contextTable(contexts),
    tableOf({ name: "features", title: "Every feature of the dictionary", detail: true }, features.rows, [
      FEATURE,
      column("density", "The share of tokens at which it fires.", { format: "percent" }),
      as(ACTIVATION, { name: "largest", title: "largest activation", description: "On the text." }),
    ]),
  ];
}

function contextTable(contexts: FeatureMeasurement["contexts"]): Table {
  return tableOf({ name: "contexts", title: "The examples, token by token", detail: true }, contexts.rows, [
    column("example", "The example, from 0.", { axis: "batch", format: "integer" }),
    TOKEN,
    ACTIVATION,
    column("strongest", "Whether it is the example's place."),
  ]);
}

function baselines(
  { features, writes, neurons, nearest }: FeatureMeasurement,
  seed: number,
): FindingParts["baselines"] {
  const densities = features.rows.map(({ density }) => 100 * density);
  return [
    {
      name: FEATURES,
      kind: "control",
      text: "The share of the same tokens at which each feature of the dictionary fires: the median, and the range of 95 % of them.",
      unit: "%",
      ...spread(densities, median),
    },
    writes &&
      writes.randomEffects.length > 0 && {
        name: RANDOM,
        kind: "control",
        text: "The largest effect on any token of one unit of activation, for random other features: the mean, and the range of 95 % of them.",
        ...spread(writes.randomEffects),
        seed,
        unit: "logits",
      },
    neurons.length > 0 && {
      name: ALONE,
      kind: "reference value",
      text: "What a neuron has that makes the feature fire by itself.",
      value: 100,
      unit: "%",
    },
    nearest.length > 0 && {
      name: SAME,
      kind: "reference value",
      text: "The cosine of two features that write the same.",
      value: 1,
    },
  ];
}

/** `feature` for the index. */
export const featureAnalysis = analysis({
  name: "feature",
  question: QUESTION,
  description:
    "A feature of a sparse dictionary: the places in a text where it fires, how often and how strongly, the tokens that it promotes and suppresses by W_dec · W_U, the features that write the like, and the neurons behind it.",
  example: { feature: 442 },
  options: FEATURE_OPTIONS,
  run: feature,
});
