/** What the final norm and the unembedding read in each residual stream. */

import { Tensor } from "../graph/tensor.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { fillsMasks, lastStream } from "../lens/model-has.ts";
import { ndarray, type TypedData } from "../tensor/array.ts";
import { InputError } from "../tensor/errors.ts";
import { computeInParts } from "./in-parts.ts";
import { byLayer, type LensLayerRow, type LogitLensRow } from "./logit-lens/by-layer.ts";
import { biasRank, namedTokens, rightTokens } from "./logit-lens/right-tokens.ts";
import { streamsOf } from "./logit-lens/streams.ts";
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

/** One of the tokens that a stream makes most probable at a position. */
export interface LensTokenRow {
  readonly layer: string;
  readonly pos: number;
  /** 0 is the most probable. */
  readonly place: number;
  readonly token: string;
  readonly id: number;
  readonly probability: number;
}

/** A prompt under the logit lens: a row for each stream and position. */
export interface LogitLensMeasurement extends Measured<LogitLensRow> {
  readonly prompt: Prompt;
  /** The streams: `0_pre`, `0_mid`, ..., `final_post`. */
  readonly labels: readonly string[];
  /** The most probable tokens of each stream and position. */
  readonly tokens: Measured<LensTokenRow>;
  /** Means over positions: a row for each stream. */
  readonly layers: Measured<LensLayerRow>;
  /** The mean rank of the right tokens by the unembedding's bias alone. */
  readonly biasRank: number;
  /** The largest difference between a log probability at the last layer and the model's own, in nats. */
  readonly error: number;
}

/**
 * The residual stream before and after each attention layer and MLP, read as if it were the last: through the final norm
 * with its own scale, and the unembedding, `softmax(ln_final(x) W_U + b_U)`. As many streams are read at a time as
 * memory allows, and only the top tokens, ranks and entropies are returned. Source: nostalgebraist 2020.
 * @throws InputError for a prompt with fewer than two tokens, with too many, or of masks alone.
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
  if (prompt.ids.every((_, pos) => right.at(pos) === null)) {
    throw new InputError("All tokens of the prompt are masks, so none is known to be right: leave some as they are.", {
      asked: prompt.text,
    });
  }
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
  const tokenRow = (i: number): LensTokenRow => {
    const at = Math.floor(i / top);
    const id = topIds.data[i] as number;
    const where = { layer: labels[Math.floor(at / count)], pos: at % count, place: i % top };
    return { ...where, token: tokenText(model, id), id, probability: Math.exp(topLogs.data[i]) };
  };
  const rows = Array.from({ length: labels.length * count }, (_, i): LogitLensRow => {
    const pos = i % count;
    const next = right.at(pos);
    const others = next !== null && nextIds[pos] !== otherIds[pos];
    return {
      layer: labels[Math.floor(i / count)],
      ...{ pos, token: prompt.tokens[pos], next: next === null ? null : prompt.tokens[next] },
      rank: next === null ? null : ranks.data[i],
      log_prob: next === null ? null : rightLogs.data[i],
      other_rank: others ? otherRanks.data[i] : null,
      top: tokenText(model, topIds.data[i * top]),
      top_probability: Math.exp(topLogs.data[i * top]),
      entropy: entropies.data[i],
    };
  });
  const ownStreams = streams.subarray((labels.length - 1) * count * model.cfg.dModel);
  const columns = ["layer", "pos", "place", "token", "id", "probability"];
  return Measured.of(rows, {
    ...{ prompt, labels, layers: byLayer(labels, rows) },
    tokens: new Measured({ length: topIds.data.length, columns, row: tokenRow }),
    biasRank: biasRank(model, prompt),
    error: await errorAtTheEnd(model, count, ownStreams, last, signal),
  });
}

/** The residual streams with the final norm applied, [layer pos d_model], and the last one without it, [pos d_model]. */
async function readStreams(model: HookedTransformer, { input }: Prompt, signal: AbortSignal | undefined) {
  const graph = model.graph(input);
  const resid = streamsOf(model, graph);
  const [streams, last] = await model.compute([resid.stack, graph.at(lastStream(model))], { signal });
  return { labels: resid.labels, streams: streams.data, last: last.data };
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
