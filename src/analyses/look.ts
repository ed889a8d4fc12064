/** "What does the model make of this text?" */

import { POS, TOKEN } from "../finding/columns.ts";
import { type Finding, type FindingParts, finding, type Statement } from "../finding/finding.ts";
import { as, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { LOOK_OPTIONS, type LookMeasurement, type LookOptions, measureLook } from "../measures/look.ts";
import { settled } from "../measures/options.ts";
import { percent, quoted, signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { patternPicture } from "./attention-patterns/picture.ts";
import { control, UNIFORM_ATTENTION, uniformAttention } from "./baselines.ts";
import { LAYER_SUM, layerTable, nullModel, RANDOM } from "./direct-logit-attribution/layers.ts";
import { lens, lensTables } from "./logit-lens/cells.ts";
import { modelFacts, windowCaveats } from "./model-facts.ts";
import { FRAMEWORK, LOGIT_LENS } from "./papers.ts";
import { bars } from "./views.ts";

const QUESTION = "What does the model make of this text?";
const SURPRISE_ALONE = "surprise without context";

const PARTS = [
  { name: "next", title: "What comes next" },
  { name: "text", title: "How surprising each token was" },
  { name: "lens", title: "What each layer would predict" },
  { name: "attention", title: "Where the heads look" },
  { name: "attribution", title: "What writes the prediction" },
] as const;

/**
 * One text, from all sides: the next tokens, how surprising each token was, the logit lens, attention, and the direct logit
 * attribution of the most probable next token. @see measureLook
 */
export async function look(model: HookedTransformer, options: LookOptions = {}): Promise<Finding> {
  const asked = settled("look", model, options, LOOK_OPTIONS);
  const measured = await measureLook(model, asked);
  const { prompt, attention, attribution } = measured;
  return finding({
    analysis: "look",
    question: QUESTION,
    summary: [prediction(measured), surprise(measured), arrival(measured), writer(measured), gaze(measured)],
    method: METHOD,
    model: modelFacts(model),
    settings: { prompt: prompt.tokens.join(""), tokens: prompt.ids.length, top: asked.top, seed: asked.seed },
    parts: PARTS,
    answerPicture: "next",
    pictures: [
      { ...bars("next", "The most probable next tokens", TOKEN.name, [PROBABILITY.name, "alone"]), part: "next" },
      surpriseView(measured),
      { ...lens(model), part: "lens" },
      { ...patternPicture(attention), part: "attention" },
      { ...LAYER_SUM, part: "attribution" },
    ],
    tables: [
      nextTable(measured),
      tokenTable(measured),
      ...lensTables(measured.lens).map((table) => ({ ...table, part: "lens" })),
      { ...layerTable(attribution), part: "attribution" },
    ],
    baselines: [
      ...withoutText(measured),
      nullModel("layers", attribution, asked.seed),
      uniformAttention(100 / prompt.ids.length, {
        what: "The weight on each token",
        on: `a text of ${prompt.ids.length} tokens`,
        unit: "%",
      }),
    ],
    caveats: [
      `One text of ${prompt.ids.length} tokens says little about the model in general.`,
      "The lens reads every layer as if it were the last; attention says where a head reads, not what it moves; the attribution counts direct paths to the logits alone. Each has a command of its own that says more.",
      ...windowCaveats(model),
      ...model.notes,
    ],
  });
}

/** What predicts without the text, in words. */
const aloneName = ({ without }: LookMeasurement): string => (without === "BOS" ? "BOS alone" : "bias alone");
const predicted = ({ next }: LookMeasurement) => next.rows[0];

function prediction(measured: LookMeasurement): Statement {
  const { token, probability, alone } = predicted(measured);
  const name = aloneName(measured);
  const against = probability > alone ? `with ${name} it would have` : `no more than with ${name},`;
  return {
    text: `It expects ${quoted(token)} next, with a probability of ${percent(probability)}: ${against} ${percent(alone)}.`,
    figure: { value: 100 * probability, unit: "%", comparedWith: [name] },
  };
}

function surprise(measured: LookMeasurement): Statement | null {
  const found = measured.surprise;
  if (!found) return null;
  const { mean, alone, most } = found;
  const verdict = mean < alone ? "" : ", so what comes before does not help here";
  return {
    text: `Tokens surprise it by ${mean.toFixed(2)} nats, ${alone.toFixed(2)} with ${aloneName(measured)}${verdict}; ${quoted(most.token)} most: ${most.surprise!.toFixed(2)}.`,
    figure: { value: mean, unit: "nats", comparedWith: [SURPRISE_ALONE] },
  };
}

/** From which stream on the lens shows the prediction. */
function arrival(measured: LookMeasurement): Statement {
  const { labels } = measured.lens;
  const last = labels[labels.length - 1];
  const token = quoted(predicted(measured).token);
  return {
    text:
      measured.arrival === last
        ? `The logit lens shows ${token} at the end alone, at ${last}.`
        : `The logit lens shows ${token} from ${measured.arrival} on, of ${labels.length} streams from ${labels[0]} to ${last}.`,
  };
}

function writer({ attribution: { layers, logit } }: LookMeasurement): Statement {
  const [most] = layers.top(1, ({ attribution }) => Math.abs(attribution));
  return {
    text: `${most.component} writes most of its logit: ${signed(most.attribution)} of ${logit.toFixed(2)} (${percent(layers.largestShare)} of all writing).`,
    figure: { value: 100 * layers.largestShare, unit: "%", comparedWith: [RANDOM.layers] },
  };
}

/** Where the last position looks most. */
function gaze({ gaze: { component, attention, key, key_token }, prompt }: LookMeasurement): Statement {
  return {
    text: `From the last position, ${component} looks most at one token: ${percent(attention)} of its attention is on ${quoted(key_token)} (position ${key})${prompt.startsWithBos ? ", BOS left aside" : ""}.`,
    figure: { value: 100 * attention, unit: "%", comparedWith: [UNIFORM_ATTENTION] },
  };
}

const METHOD = {
  text:
    "The model reads the text. Probabilities of the next token are the softmax of the logits at the last position. The surprise of a token is −log p, where p is its probability at the position before it. Without the text, the same is read after BOS alone (or, in a model without BOS, from the unembedding's bias).\n\n" +
    "Logit lens, attention patterns and direct logit attribution are those of the commands logit-lens, attention-patterns and direct-logit-attribution, whose documents have the formulas.",
  references: [LOGIT_LENS, FRAMEWORK],
};

const PROBABILITY = column("probability", "Its probability of coming next.", { format: "percent" });
const SURPRISE = column("surprise", "−log probability, given the text before it.", { unit: "nats", digits: 2 });
const alone = { name: "alone", title: "alone" } as const;

function nextTable(measured: LookMeasurement): Table {
  const title = "The most probable next tokens";
  return tableOf({ name: "next", title, part: "next", comparedWith: [aloneName(measured)] }, measured.next.rows, [
    as(TOKEN, "The token."),
    PROBABILITY,
    as(PROBABILITY, { ...alone, description: "Its probability without the text." }),
    column("times", "How many times as probable as without the text.", { digits: 1 }),
  ]);
}

function tokenTable({ rows, surprise }: LookMeasurement): Table {
  const comparedWith = surprise ? [SURPRISE_ALONE] : [];
  return tableOf({ name: "tokens", title: "Token by token", part: "text", comparedWith }, rows, [
    POS,
    TOKEN,
    column("id", "The token's id.", { format: "integer" }),
    SURPRISE,
    as(SURPRISE, { ...alone, description: "The same without the text before it." }),
    column("rank", "How many tokens were more probable.", { format: "integer" }),
  ]);
}

function surpriseView(measured: LookMeasurement): View {
  const { surprise } = measured;
  const context = surprise
    ? ` With ${aloneName(measured)} a token has ${surprise.alone.toFixed(2)} nats on average.`
    : "";
  return {
    kind: "tokens",
    name: "surprise",
    title: "How surprising each token was",
    caption: `The darker a token, the less the model expected it from what comes before.${context}`,
    part: "text",
    table: "tokens",
    token: TOKEN.name,
    rows: [{ column: SURPRISE.name, label: "surprise", scheme: "Blues" }],
    hover: ["alone", "rank"],
  };
}

/** What the same numbers are without the text. */
function withoutText(measured: LookMeasurement): FindingParts["baselines"] {
  const { surprise } = measured;
  const what = {
    BOS: "what the model predicts after BOS alone",
    bias: "what the unembedding's bias alone would predict, in a model without BOS",
  }[measured.without];
  return [
    control(
      aloneName(measured),
      `The probability of the same token without the text: ${what}.`,
      100 * predicted(measured).alone,
      "%",
    ),
    surprise &&
      control(
        SURPRISE_ALONE,
        `The mean of −log p of the same tokens without the text: ${what}.`,
        surprise.alone,
        "nats",
      ),
  ];
}

/** `look` for the index. */
export const lookAnalysis = analysis({
  name: "look",
  question: QUESTION,
  description:
    "One text, from all sides: its tokens, the most probable next tokens, how surprising each token was, the logit lens, the attention of every head, and which parts of the model write the prediction.",
  example: { prompt: "The old man smiled, and shook his" },
  options: LOOK_OPTIONS,
  run: look,
});
