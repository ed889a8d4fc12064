/** "What does the model make of this text?" */

import { mean } from "simple-statistics";
import { POS, TOKEN } from "../finding/columns.ts";
import { type Baseline, type Finding, finding, type Statement } from "../finding/finding.ts";
import { as, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { LOOK_OPTIONS, type LookMeasurement, type LookOptions, measureLook } from "../measures/look.ts";
import { settled } from "../measures/options.ts";
import { tokenText } from "../measures/prompt.ts";
import { percent, quoted, signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { patternPicture } from "./attention-patterns.ts";
import { LAYERS, layerSum, layerTable } from "./direct-logit-attribution/tables.ts";
import { layerNullModel } from "./direct-logit-attribution.ts";
import { byPosition, lens, topTokens } from "./logit-lens/tables.ts";
import { modelFacts, windowCaveats } from "./model-facts.ts";
import { FRAMEWORK, LOGIT_LENS } from "./papers.ts";

const QUESTION = "What does the model make of this text?";
const SURPRISE_ALONE = "surprise without context";
const UNIFORM = "uniform attention";

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
    summary: [
      prediction(model, measured),
      ...surprise(measured),
      arrival(model, measured),
      writer(measured),
      gaze(measured),
    ],
    method: METHOD,
    model: modelFacts(model),
    settings: { prompt: prompt.tokens.join(""), tokens: prompt.ids.length, top: asked.top, seed: asked.seed },
    parts: PARTS,
    answerPicture: "next",
    pictures: [
      NEXT_VIEW,
      surpriseView(measured),
      { ...lens(model), part: "lens" },
      { ...patternPicture(attention), part: "attention" },
      { ...layerSum(), part: "attribution" },
    ],
    tables: [
      nextTable(model, measured),
      tokenTable(model, measured),
      { ...byPosition(model, measured.lens), part: "lens" },
      { ...topTokens(model, measured.lens), part: "lens" },
      { ...layerTable(attribution), part: "attribution" },
    ],
    baselines: baselines(measured, asked.seed),
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

function prediction(model: HookedTransformer, measured: LookMeasurement): Statement {
  const [{ id, probability, alone }] = measured.next;
  const name = aloneName(measured);
  const against = probability > alone ? `with ${name} it would have` : `no more than with ${name},`;
  return {
    text: `It expects ${quoted(tokenText(model, id))} next, with a probability of ${percent(probability)}: ${against} ${percent(alone)}.`,
    figure: { value: 100 * probability, unit: "%", comparedWith: [name] },
  };
}

/** The tokens that have some of the text before them, and their mean surprise, with and without it. */
function surprises({ tokens, prompt }: LookMeasurement) {
  const known = tokens.filter(({ pos, surprise }) => surprise !== null && pos > (prompt.startsWithBos ? 1 : 0));
  if (known.length === 0) return undefined;
  const most = known.reduce((a, b) => (b.surprise! > a.surprise! ? b : a));
  return { most, own: mean(known.map(({ surprise }) => surprise!)), alone: mean(known.map(({ alone }) => alone!)) };
}

function surprise(measured: LookMeasurement): Statement[] {
  const found = surprises(measured);
  if (!found) return [];
  const { most, own, alone } = found;
  const verdict = own < alone ? "" : ", so what comes before does not help here";
  return [
    {
      text: `Tokens surprise it by ${own.toFixed(2)} nats, ${alone.toFixed(2)} with ${aloneName(measured)}${verdict}; ${quoted(measured.prompt.tokens[most.pos])} most: ${most.surprise!.toFixed(2)}.`,
      figure: { value: own, unit: "nats", comparedWith: [SURPRISE_ALONE] },
    },
  ];
}

/** From which stream on the lens shows the prediction. */
function arrival(model: HookedTransformer, { lens, next }: LookMeasurement): Statement {
  const [{ id }] = next;
  const tops = lens.cells.map((row) => row[row.length - 1].top[0].id);
  const since = tops.length - [...tops].reverse().findIndex((top) => top !== id);
  const from = since > tops.length ? 0 : since;
  const name = quoted(tokenText(model, id));
  const [first, last] = [lens.labels[0], lens.labels[tops.length - 1]];
  return {
    text:
      from === tops.length - 1
        ? `The logit lens shows ${name} at the end alone, at ${last}.`
        : `The logit lens shows ${name} from ${lens.labels[from]} on, of ${tops.length} streams from ${first} to ${last}.`,
  };
}

function writer({ attribution }: LookMeasurement): Statement {
  const { layers, logit } = attribution;
  const most = layers.attributions.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value))[0];
  return {
    text: `${most.label} writes most of its logit: ${signed(most.value)} of ${logit.toFixed(2)} (${percent(layers.share)} of all writing).`,
    figure: { value: 100 * layers.share, unit: "%", comparedWith: [LAYERS] },
  };
}

/** Where the last position looks most. */
function gaze({ attention, prompt }: LookMeasurement): Statement {
  const last = prompt.ids.length - 1;
  const looks = attention.heads.flatMap(({ name, pattern }) =>
    Array.from(pattern.data.subarray(last * (last + 1)) as Float32Array).flatMap((weight, key) =>
      key === 0 && prompt.startsWithBos ? [] : [{ name, key, weight }],
    ),
  );
  const most = looks.reduce((a, b) => (b.weight > a.weight ? b : a));
  return {
    text: `From the last position, ${most.name} looks most at one token: ${percent(most.weight)} of its attention is on ${quoted(prompt.tokens[most.key])} (position ${most.key})${prompt.startsWithBos ? ", BOS left aside" : ""}.`,
    figure: { value: 100 * most.weight, unit: "%", comparedWith: [UNIFORM] },
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

function nextTable(model: HookedTransformer, measured: LookMeasurement): Table {
  const about = {
    name: "next",
    title: "The most probable next tokens",
    part: "next",
    comparedWith: [aloneName(measured)],
  };
  return tableOf(about, measured.next, [
    [as(TOKEN, "The token."), ({ id }) => tokenText(model, id)],
    PROBABILITY,
    [as(PROBABILITY, { name: "alone", title: "alone", description: "Its probability without the text." }), "alone"],
    [
      column("times", "How many times as probable as without the text.", { digits: 1 }),
      ({ probability, alone }) => (alone > 0 ? probability / alone : null),
    ],
  ]);
}

function tokenTable(model: HookedTransformer, measured: LookMeasurement): Table {
  const about = {
    name: "tokens",
    title: "Token by token",
    part: "text",
    comparedWith: surprises(measured) ? [SURPRISE_ALONE] : [],
  };
  return tableOf(about, measured.tokens, [
    POS,
    [TOKEN, ({ id }) => tokenText(model, id)],
    column("id", "The token's id.", { format: "integer" }),
    [SURPRISE, (token) => token.surprise],
    [as(SURPRISE, { name: "alone", title: "alone", description: "The same without the text before it." }), "alone"],
    column("rank", "How many tokens were more probable.", { format: "integer" }),
  ]);
}

const NEXT_VIEW: View = {
  kind: "bar",
  name: "next",
  title: "The most probable next tokens",
  part: "next",
  table: "next",
  x: { column: TOKEN.name, label: "" },
  y: [PROBABILITY.name, "alone"],
  horizontal: true,
};

function surpriseView(measured: LookMeasurement): View {
  const found = surprises(measured);
  const context = found ? ` With ${aloneName(measured)} a token has ${found.alone.toFixed(2)} nats on average.` : "";
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

const WITHOUT = {
  BOS: "what the model predicts after BOS alone",
  bias: "what the unembedding's bias alone would predict, in a model without BOS",
};

function baselines(measured: LookMeasurement, seed: number): readonly Baseline[] {
  const { next, attribution, prompt } = measured;
  const found = surprises(measured);
  return [
    {
      name: aloneName(measured),
      kind: "control",
      text: `The probability of the same token without the text: ${WITHOUT[measured.without]}.`,
      value: 100 * next[0].alone,
      unit: "%",
    },
    ...(found
      ? [
          {
            name: SURPRISE_ALONE,
            kind: "control" as const,
            text: `The mean of −log p of the same tokens without the text: ${WITHOUT[measured.without]}.`,
            value: found.alone,
            unit: "nats",
          },
        ]
      : []),
    layerNullModel(attribution, seed),
    {
      name: UNIFORM,
      kind: "reference value",
      text: `The weight of each of ${prompt.ids.length} tokens for a head that looks at all of them equally.`,
      value: 100 / prompt.ids.length,
      unit: "%",
    },
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
