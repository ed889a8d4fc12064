/** The tables of the logit lens, and the pictures of them. */
import { mean, median } from "simple-statistics";
import { ENTROPY, LAYER, LOG_PROB, NEXT, POS, TOKEN } from "../../finding/columns.ts";
import { as, type Column, column, type Table, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import { fillsMasks } from "../../lens/model-has.ts";
import { type LensCell, type LogitLensMeasurement, rightTokens } from "../../measures/logit-lens.ts";
import { tokenText } from "../../measures/prompt.ts";

export const UNIFORM = "guessing";
export const BIAS = "unembedding's bias alone";
export const OTHER = "another position's token";

/** Means over the positions of a layer. */
export interface LayerMeans {
  readonly rank: number;
  readonly medianRank: number;
  readonly logProb: number;
  readonly probability: number;
  readonly right: number;
  readonly entropy: number;
  readonly otherRank: number | null;
}

export function meansOf(cells: readonly LensCell[]): LayerMeans {
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

export function lens(model: HookedTransformer): View {
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

export function rankLine({ cfg }: HookedTransformer, bias: number): View {
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
const RANK = column("rank", "How many tokens are more probable than the right one.", { format: "integer" });
const PROBABILITY = column("probability", "The mean probability of the right token.", {
  title: "prob",
  format: "percent",
});

export function byLayer(
  labels: readonly string[],
  means: readonly LayerMeans[],
  comparedWith: readonly string[],
): Table {
  const rows = labels.map((label, i) => ({ label, ...means[i] }));
  return tableOf({ name: "layers", title: "By layer, means over positions", comparedWith }, rows, [
    [STREAM, "label"],
    [as(RANK, { title: "mean rank", digits: 1 }), "rank"],
    [column("median_rank", "The median of the ranks.", { title: "median", digits: 1 }), "medianRank"],
    [LOG_PROB, "logProb"],
    PROBABILITY,
    column("right", "How often the top token is the right one.", { title: "top is right", format: "percent" }),
    ENTROPY,
    [
      as(RANK, {
        name: OTHER_RANK,
        title: OTHER,
        format: { digits: 1 },
        description: "The mean rank of the tokens that come next half a prompt away.",
      }),
      "otherRank",
    ],
  ]);
}

export function byPosition(model: HookedTransformer, { prompt, labels, cells }: LogitLensMeasurement): Table {
  const { at } = rightTokens(model, prompt);
  const rows = labels.flatMap((label, layer) => cells[layer].map((cell, pos) => ({ label, pos, ...cell })));
  return tableOf({ name: "cells", title: "By layer and position", detail: true }, rows, [
    [STREAM, "label"],
    POS,
    [TOKEN, ({ pos }) => prompt.tokens[pos]],
    [NEXT, ({ pos }) => prompt.tokens[at(pos) ?? -1] ?? null],
    [RANK, ({ right }) => right?.rank ?? null],
    [LOG_PROB, ({ right }) => right?.logProb ?? null],
    ENTROPY,
  ]);
}

/** The tokens that each layer finds most probable. */
export function topTokens(model: HookedTransformer, { labels, cells }: LogitLensMeasurement): Table {
  const rows = labels.flatMap((label, layer) =>
    cells[layer].flatMap(({ top }, pos) => top.map((one, place) => ({ label, pos, place, ...one }))),
  );
  return tableOf({ name: "top", title: "The most probable tokens", detail: true }, rows, [
    [STREAM, "label"],
    POS,
    column("place", "0 is the most probable.", { format: "integer" }),
    [as(TOKEN, "The token."), ({ id }) => tokenText(model, id)],
    as(PROBABILITY, "Its probability."),
  ]);
}
