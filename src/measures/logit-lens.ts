/** What the final norm and the unembedding read in each residual stream. */

import { Tensor } from "../graph/tensor.ts";
import { ActivationCache } from "../lens/activation-cache.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { fillsMasks, hasMid, lastStream } from "../lens/model-has.ts";
import { ndarray, type TypedData } from "../tensor/array.ts";
import { maskTokenId } from "../text/index.ts";
import { computeInParts } from "./in-parts.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, settled } from "./options.ts";
import { type Prompt, readPrompt, tokenText } from "./prompt.ts";
import { logitsOf } from "./unembed.ts";

/** The options of `measureLogitLens` and `logitLens`. */
export type LogitLensOptions = GivenOptions<typeof LOGIT_LENS_OPTIONS>;

const DEFAULT_PROMPT = "He sat down in the chair, looked at me for a moment, and shook his head.";

export const LOGIT_LENS_OPTIONS = {
  prompt: { type: "prompt", description: "the text to read", default: DEFAULT_PROMPT },
  top: {
    type: "integer",
    placeholder: "K",
    description: "tokens to keep for each layer and position",
    default: 5,
    least: 1,
    most: ({ cfg }) => cfg.dVocabOut,
  },
} as const satisfies AnalysisOptions;

/** What the lens sees of one layer at one position. */
export interface LensCell {
  /** The ids of the most probable tokens, the most probable first, and their probabilities. */
  readonly top: readonly { readonly id: number; readonly probability: number }[];
  /** For the token that comes next: how many tokens are more probable (0 is the top), and its log probability in nats. */
  readonly right: { readonly rank: number; readonly logProb: number } | null;
  /** The rank here of the token that is right elsewhere in the prompt. */
  readonly otherRank: number | null;
  /** The entropy of the whole distribution, in nats. */
  readonly entropy: number;
}

/** What the lens sees of one stream at one position. */
export interface LogitLensRow {
  /** Which stream: `0_pre`, `0_mid`, …, `final_post`. */
  readonly layer: string;
  readonly pos: number;
  readonly token: string;
  /** The token that is right there: the next one, or in a model that fills in masks the one that stands there. */
  readonly next: string | null;
  /** How many tokens are more probable than the right one. */
  readonly rank: number | null;
  readonly log_prob: number | null;
  /** The most probable token, and its probability. */
  readonly top: string;
  readonly top_probability: number;
  readonly entropy: number;
}

/** A prompt under the logit lens: a row for each stream and position. */
export interface LogitLensMeasurement extends Measured<LogitLensRow> {
  readonly prompt: Prompt;
  /** `0_pre`, `0_mid`, ..., `final_post`. */
  readonly labels: readonly string[];
  /** [layer][pos] */
  readonly cells: readonly (readonly LensCell[])[];
  /** The largest difference between a log probability at the last layer and the model's own, in nats. */
  readonly error: number;
}

/**
 * The residual stream before and after each attention layer and MLP, read as if it were the last: through the final norm
 * with its own scale, and the unembedding, `softmax(ln_final(x) W_U + b_U)`. As many streams are read at a time as
 * memory allows, and only the top tokens, ranks and entropies are returned. Source: nostalgebraist 2020.
 * @throws InputError for a prompt with fewer than two tokens or with too many.
 */
export async function measureLogitLens(
  model: HookedTransformer,
  options: LogitLensOptions = {},
): Promise<LogitLensMeasurement> {
  const asked = settled("measureLogitLens", model, options, LOGIT_LENS_OPTIONS);
  const { top, signal } = asked;
  const prompt = readPrompt(model, asked.prompt, { least: 2 });
  const { labels, streams, last } = await readStreams(model, prompt, signal);
  const count = prompt.ids.length;
  const right = rightTokens(model, prompt);
  const [nextIds, otherIds] = namedTokens(prompt, right);
  const [rightLogs, ranks, otherRanks, entropies, topLogs, topIds] = await computeInParts(
    model,
    labels.length * count,
    (from, to) => {
      const logProbs = logProbsOf(model, rowsOf(model, streams, from, to));
      const its = logProbs.pick(tokensAt(nextIds, from, to));
      const other = logProbs.pick(tokensAt(otherIds, from, to));
      const rankOf = (of: Tensor) => logProbs.greaterThan(of.unsqueeze(-1)).cast("float32").sum(-1);
      const entropy = logProbs.exp().mul(logProbs).sum(-1).neg();
      const { values, indices } = logProbs.topK(top);
      return [its, rankOf(its), rankOf(other), entropy, values, indices];
    },
    { signal },
  );
  const cells = labels.map((_, layer) =>
    prompt.ids.map((_, pos): LensCell => {
      const at = layer * count + pos;
      const none = right.at(pos) === null;
      return {
        top: Array.from({ length: top }, (_, k) => ({
          id: topIds.data[at * top + k],
          probability: Math.exp(topLogs.data[at * top + k]),
        })),
        right: none ? null : { rank: ranks.data[at], logProb: rightLogs.data[at] },
        otherRank: none || nextIds[pos] === otherIds[pos] ? null : otherRanks.data[at],
        entropy: entropies.data[at],
      };
    }),
  );
  const ownStreams = streams.subarray((labels.length - 1) * count * model.cfg.dModel);
  const error = await errorAtTheEnd(model, count, ownStreams, last, signal);
  const row = (i: number): LogitLensRow => {
    const [layer, pos] = [Math.floor(i / count), i % count];
    const { top, right: its, entropy } = cells[layer][pos];
    return {
      layer: labels[layer],
      pos,
      token: prompt.tokens[pos],
      next: prompt.tokens[right.at(pos) ?? -1] ?? null,
      rank: its?.rank ?? null,
      log_prob: its?.logProb ?? null,
      top: tokenText(model, top[0].id),
      top_probability: top[0].probability,
      entropy,
    };
  };
  const rows = Array.from({ length: labels.length * count }, (_, i) => row(i));
  return Measured.of(rows, { prompt, labels, cells, error });
}

/** The residual streams with the final norm applied, [layer pos d_model], and the last one without it, [pos d_model]. */
async function readStreams(model: HookedTransformer, { input }: Prompt, signal: AbortSignal | undefined) {
  const graph = model.graph(input);
  const names = graphNames(model).filter((name) => graph.has(name));
  const cache = new ActivationCache(new Map(names.map((name) => [name, graph.at(name)])), model);
  const resid = cache.accumulatedResid({ inclMid: hasMid(model), applyLn: true });
  const [streams, last] = await model.compute([resid.stack, graph.at(lastStream(model))], { signal });
  return { labels: resid.labels, streams: streams.data, last: last.data };
}

/** The token that is right at each position, and the one that is right half a prompt away. */
function namedTokens({ ids }: Prompt, { predicting }: RightTokens): readonly [number[], number[]] {
  const first = ids.length - predicting;
  const shifted = (by: number) => ids.map((_, p) => ids[first + ((p + by) % predicting)]);
  return [shifted(0), shifted(Math.ceil(predicting / 2))];
}

/** The tokens of rows, position by position within a layer, [row]. */
function tokensAt(ids: readonly number[], from: number, to: number): Tensor {
  const data = Int32Array.from({ length: to - from }, (_, i) => ids[(from + i) % ids.length]);
  return Tensor.leaf(ndarray("int32", [to - from], data));
}

/** What the model makes of rows of its last stream, log softmax [row d_vocab]. */
function endOf(model: HookedTransformer, rows: Tensor): Tensor {
  const { output } = model.graph(rows.unsqueeze(0, "batch"), { startAtLayer: model.cfg.nLayers });
  return output.squeeze(0).rename({ pos: "row" }).logSoftmax();
}

/** log softmax(x W_U + b_U) of rows of streams, with logits capped as the model caps them, [row d_vocab]. */
function logProbsOf(model: HookedTransformer, rows: Tensor): Tensor {
  return fillsMasks(model) ? endOf(model, rows) : logitsOf(model, rows).logSoftmax();
}

/** The model itself continues from its last stream, and must agree with what the lens reads there. */
async function errorAtTheEnd(
  model: HookedTransformer,
  count: number,
  read: TypedData,
  last: TypedData,
  signal: AbortSignal | undefined,
): Promise<number> {
  const [errors] = await computeInParts(
    model,
    count,
    (from, to) => {
      const own = endOf(model, rowsOf(model, last, from, to));
      const difference = logProbsOf(model, rowsOf(model, read, from, to)).sub(own);
      return [difference.abs().max(-1)];
    },
    { signal },
  );
  return (errors.data as Float32Array).reduce((a, b) => Math.max(a, b), 0);
}

/** Rows of a stream's numbers, [row d_model], without a copy. */
function rowsOf(model: HookedTransformer, data: TypedData, from: number, to: number): Tensor {
  const width = model.cfg.dModel;
  const rows = data.subarray(from * width, to * width) as Float32Array;
  return Tensor.leaf(ndarray("float32", [to - from, width], rows), ["row", "d_model"]);
}

/** The hook points that hold a residual stream between layers. */
function graphNames({ hookNames }: HookedTransformer): readonly string[] {
  return hookNames.filter((name) => /^blocks\.\d+\.hook_(normalized_)?resid_(pre|mid|post)$/.test(name));
}

/** Which token is right at each position: the next one, or in a model that fills in masks the one that stands there. */
interface RightTokens {
  /** How many of a prompt's tokens, from the last, are right somewhere. */
  readonly predicting: number;
  /** The position of the token that is right at one; null for a position where none is known. */
  at(pos: number): number | null;
  /** In words: `right next token`. */
  readonly called: string;
}

/** Which token is right where, in a prompt. */
export function rightTokens(model: HookedTransformer, { ids }: Prompt): RightTokens {
  if (fillsMasks(model)) {
    const mask = model.text && maskTokenId(model.text.tokenizer);
    return { predicting: ids.length, at: (pos) => (ids[pos] === mask ? null : pos), called: "token that stands there" };
  }
  return {
    predicting: ids.length - 1,
    at: (pos) => (pos + 1 < ids.length ? pos + 1 : null),
    called: "right next token",
  };
}
