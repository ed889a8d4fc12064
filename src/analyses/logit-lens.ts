/** "At which layer does the model arrive at its prediction?" */

import { mean, median } from "simple-statistics";
import { as, ENTROPY, LAYER, LOG_PROB, NEXT, POS, TOKEN } from "../finding/columns.ts";
import { type Baseline, type Finding, finding } from "../finding/finding.ts";
import { type Column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { fillsMasks } from "../lens/model-has.ts";
import {
  type LensCell,
  LOGIT_LENS_OPTIONS,
  type LogitLensMeasurement,
  type LogitLensOptions,
  measureLogitLens,
  rightTokens,
} from "../measures/logit-lens.ts";
import { settled } from "../measures/options.ts";
import { type Prompt, tokenText } from "../measures/prompt.ts";
import { percent } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { modelFacts } from "./model-facts.ts";

const QUESTION = "At which layer does the model arrive at its prediction?";
const UNIFORM = "guessing";
const BIAS = "unembedding's bias alone";
const OTHER = "another position's token";
const LAST = "the model's own output";
const AGREEMENT = "agreement at the end";

const METHOD = {
  text:
    "Each residual stream x, before and after every attention layer and MLP, is read as if it were the last one: probabilities are softmax(ln_final(x) W_U + b_U), where the norm takes its scale from x itself.\n\n" +
    "The rank of a token is the number of tokens that are more probable, so 0 is the best. Means are over the positions that have a next token. Entropy is of the whole distribution.",
  references: [
    {
      title: "interpreting GPT: the logit lens",
      url: "https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens",
      paper: "nostalgebraist, 2020",
    },
    {
      title: "Eliciting Latent Predictions from Transformers with the Tuned Lens",
      url: "https://arxiv.org/abs/2303.08112",
      paper: "Belrose et al., 2023",
    },
  ],
};

interface LayerMeans {
  readonly rank: number;
  readonly medianRank: number;
  readonly logProb: number;
  readonly probability: number;
  readonly right: number;
  readonly entropy: number;
  readonly otherRank: number | null;
}

function meansOf(cells: readonly LensCell[]): LayerMeans {
  const right = cells.flatMap((cell) => (cell.right ? [cell.right] : []));
  const others = cells.flatMap((cell) => (cell.otherRank === null ? [] : [cell.otherRank]));
  return {
    rank: mean(right.map((r) => r.rank)),
    medianRank: median(right.map((r) => r.rank)),
    logProb: mean(right.map((r) => r.logProb)),
    probability: mean(right.map((r) => Math.exp(r.logProb))),
    right: right.filter((r) => r.rank === 0).length / right.length,
    entropy: mean(cells.map((cell) => cell.entropy)),
    otherRank: others.length > 0 ? mean(others) : null,
  };
}

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
    settings: { prompt: prompt.tokens.join(""), tokens: prompt.ids.length, layers: labels.length },
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
          ? `Between ${labels[largestStep]} and ${labels[largestStep + 1]} most of all: there the ${called} gains ${steps[largestStep].toFixed(2)} nats of log probability on average. `
          : `At none: nowhere does the ${called} gain log probability on average. `) +
        `Its mean rank goes from ${first.rank.toFixed(1)} at ${labels[0]} to ${last.rank.toFixed(1)} at ${labels.at(-1)}, of ${model.cfg.dVocabOut} tokens, where 0 is the most probable.`,
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

function lens(model: HookedTransformer): View {
  return {
    kind: "logit-lens",
    name: "logit-lens",
    title: fillsMasks(model) ? "What each layer would put there" : "What each layer would predict next",
    caption: "Each cell has the token that the stream there makes most probable; the colour is its probability.",
    table: "cells",
    x: POS.name,
    y: STREAM.name,
    token: TOKEN.name,
    next: NEXT.name,
    right: [LOG_PROB.name, RANK.name],
    entropy: ENTROPY.name,
    top: { table: "top", token: TOKEN.name, probability: PROBABILITY.name },
    color: { label: "probability of the top token" },
  };
}

function rankLine({ cfg }: HookedTransformer, bias: number): View {
  return {
    kind: "line",
    name: "mean-rank",
    title: "The rank of the right token, layer by layer",
    caption: "Lower is better; 1 is added to each rank, so the most probable token has 1.",
    table: "layers",
    x: { column: STREAM.name, label: "residual stream" },
    y: { column: [RANK.name, OTHER_RANK], label: "mean rank + 1", unit: "tokens", scale: "log", plus: 1 },
    references: [
      { kind: "y", at: (cfg.dVocabOut + 1) / 2, label: UNIFORM },
      { kind: "y", at: bias + 1, label: BIAS },
    ],
  };
}

/** The column of ranks elsewhere. */
const OTHER_RANK = "other_rank";

const STREAM: Column = as(LAYER, {
  title: "stream",
  format: "text",
  description: "Where the residual stream is read.",
});
const RANK: Column = {
  name: "rank",
  title: "rank",
  format: "integer",
  description: "How many tokens are more probable than the right one.",
};
const PROBABILITY: Column = {
  name: "probability",
  title: "prob",
  format: "percent",
  description: "The mean probability of the right token.",
};

function byLayer(labels: readonly string[], means: readonly LayerMeans[], comparedWith: readonly string[]): Table {
  const rows = labels.map((label, i) => ({ label, ...means[i] }));
  return tableOf({ name: "layers", title: "By layer, means over positions", comparedWith }, rows, [
    [STREAM, ({ label }) => label],
    [as(RANK, { title: "mean rank", format: { digits: 1 } }), ({ rank }) => rank],
    [
      { name: "median_rank", title: "median", format: { digits: 1 }, description: "The median of the ranks." },
      ({ medianRank }) => medianRank,
    ],
    [LOG_PROB, ({ logProb }) => logProb],
    [PROBABILITY, ({ probability }) => probability],
    [
      {
        name: "right",
        title: "top is right",
        format: "percent",
        description: "How often the top token is the right one.",
      },
      ({ right }) => right,
    ],
    [ENTROPY, ({ entropy }) => entropy],
    [
      as(RANK, {
        name: OTHER_RANK,
        title: OTHER,
        format: { digits: 1 },
        description: "The mean rank of the tokens that come next half a prompt away.",
      }),
      ({ otherRank }) => otherRank,
    ],
  ]);
}

function byPosition(model: HookedTransformer, { prompt, labels, cells }: LogitLensMeasurement): Table {
  const { at } = rightTokens(model, prompt);
  const rows = labels.flatMap((label, layer) => cells[layer].map((cell, pos) => ({ label, pos, ...cell })));
  return tableOf({ name: "cells", title: "By layer and position", detail: true }, rows, [
    [STREAM, ({ label }) => label],
    [POS, ({ pos }) => pos],
    [TOKEN, ({ pos }) => prompt.tokens[pos]],
    [NEXT, ({ pos }) => prompt.tokens[at(pos) ?? -1] ?? null],
    [RANK, ({ right }) => right?.rank ?? null],
    [LOG_PROB, ({ right }) => right?.logProb ?? null],
    [ENTROPY, ({ entropy }) => entropy],
  ]);
}

/** The tokens that each layer finds most probable. */
function topTokens(model: HookedTransformer, { labels, cells }: LogitLensMeasurement): Table {
  const rows = labels.flatMap((label, layer) =>
    cells[layer].flatMap(({ top }, pos) => top.map((one, place) => ({ label, pos, place, ...one }))),
  );
  return tableOf({ name: "top", title: "The most probable tokens", detail: true }, rows, [
    [STREAM, ({ label }) => label],
    [POS, ({ pos }) => pos],
    [
      { name: "place", title: "place", format: "integer", description: "0 is the most probable." },
      ({ place }) => place,
    ],
    [as(TOKEN, { description: "The token." }), ({ id }) => tokenText(model, id)],
    [as(PROBABILITY, { description: "Its probability." }), ({ probability }) => probability],
  ]);
}

/** `logitLens` for the index. */
export const logitLensAnalysis = analysis({
  name: "logit-lens",
  question: QUESTION,
  description:
    "The logit lens (nostalgebraist 2020): the residual stream of every layer and position, read through the final norm and the unembedding. " +
    "Shows the rank and the probability of the token that actually comes next, and the tokens that each layer finds most probable.",
  example: `--prompt ${JSON.stringify("She opened the door and went into the room.")} --out lens.html`,
  options: LOGIT_LENS_OPTIONS,
  run: logitLens,
});
