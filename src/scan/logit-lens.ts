/** The logit lens over a corpus: at each residual stream, how probable the token is that comes next, and how far the stream is from the end. */
import { Tensor } from "../graph/tensor.ts";
import type { Model } from "../lens/model.ts";
import { streamsOf } from "../measures/logit-lens/streams.ts";
import { logitsOf } from "../measures/unembed.ts";
import { ndarray } from "../tensor/array.ts";
import type { ScanBatch } from "./batches.ts";
import { needCausal } from "./causal.ts";
import { logitLensFinding, logitLensTables } from "./logit-lens/finding.ts";
import { notedNumbers } from "./logit-lens/noted.ts";
import { emptyLens, LENS_QUANTITIES, type LogitLensSummaries, streamsForTypes } from "./logit-lens/summaries.ts";
import { Predictions, TOKEN_COLUMNS } from "./predictions.ts";
import type { RowColumn, Rows } from "./rows.ts";
import { type ModelScan, mostTokensFor, scan, TOP } from "./scan.ts";

const OPTIONS = { top: TOP } as const;

/** The streams are read this many numbers at a time, as wide as the vocabulary. */
const TOGETHER = 2 ** 22;

export const logitLensScan = scan({
  name: "logit-lens",
  question: "At which layer does the model arrive at its predictions?",
  description:
    "The logit lens: at each residual stream the rank and the probability of the token that comes next, and the divergence from the model's own distribution, by stream and by the token that is predicted.",
  options: OPTIONS,
  on(model, options) {
    needCausal(model);
    const { dVocab, dVocabOut, dModel } = model.cfg;
    const { labels } = streamsOf(model, model.graph([[0, 0]]));
    const one: ModelScan<LogitLensSummaries> = {
      mostTokens: mostTokensFor(labels.length * dModel),
      columns: [...TOKEN_COLUMNS, ...labels.flatMap(columnsOf)],
      empty: () => emptyLens(labels.length, dVocab, options.top),
      async measure(batch, into, rows) {
        const stack = streamsOf(model, model.graph(batch.tokens)).stack;
        const values = labels.map((_, component) => stack.at({ component }).gatherRows(batch.predicting));
        const streams = (await model.compute(values)).map(({ data }) => data as Float32Array);
        const each = Math.max(16, Math.floor(TOGETHER / dVocabOut));
        add(labels, batch, await read(model, streams, batch.targets, each), into, rows);
      },
      finding: (summaries, about) => logitLensFinding(model, labels, options, summaries, about),
      tables: (summaries) => logitLensTables(model, labels, summaries),
    };
    return one;
  },
});

function columnsOf(label: string): RowColumn[] {
  return [
    {
      name: `rank_${label}`,
      holds: "integer",
      description: `How many tokens are more probable than the next one, at stream ${label}.`,
    },
    {
      name: `log_prob_${label}`,
      holds: "float",
      description: `The log probability of the next token at stream ${label}, in nats.`,
    },
    {
      name: `kl_${label}`,
      holds: "float",
      description: `The divergence of the distribution at stream ${label} from the model's own, KL(own ‖ stream), in nats.`,
    },
  ];
}

/** What the lens reads at one stream: a number for each token. */
interface Read {
  readonly rank: Float32Array;
  readonly log_prob: Float32Array;
  readonly kl: Float32Array;
}

/**
 * Rank and log probability of the next tokens, and KL(own ‖ stream) = Σ p_own (log p_own − log p_stream), at each stream.
 * @param streams each [row d_model], the last one what the model itself reads @param each rows at a time
 */
async function read(
  model: Model,
  streams: readonly Float32Array[],
  targets: Tensor,
  each: number,
): Promise<readonly Read[]> {
  const width = model.cfg.dModel;
  const count = targets.shape[0];
  const all = streams.map(
    (): Read => ({ rank: new Float32Array(count), log_prob: new Float32Array(count), kl: new Float32Array(count) }),
  );
  const leaf = (data: Float32Array) =>
    Tensor.leaf(ndarray("float32", [data.length / width, width], data), ["row", "d_model"]);
  for (let from = 0; from < count; from += each) {
    const to = Math.min(count, from + each);
    const next = Tensor.leaf(ndarray("int32", [to - from], targets.data.slice(from, to) as Int32Array), ["row"]);
    const logProbs = streams.map((data) => logitsOf(model, leaf(data.subarray(from * width, to * width))).logSoftmax());
    const own = logProbs[logProbs.length - 1];
    const values = logProbs.flatMap((at) => {
      const right = at.pick(next);
      const rank = at.greaterThan(right.unsqueeze(-1)).cast("float32").sum(-1);
      return [rank, right, own.exp().mul(own.sub(at)).sum(-1).maximum(0)];
    });
    const computed = await model.compute(values);
    all.forEach(({ rank, log_prob, kl }, stream) => {
      [rank, log_prob, kl].forEach((numbers, i) => {
        numbers.set(computed[3 * stream + i].data as Float32Array, from);
      });
    });
  }
  return all;
}

function add(
  labels: readonly string[],
  batch: ScanBatch,
  streams: readonly Read[],
  into: LogitLensSummaries,
  rows: Rows,
): void {
  const tokens = new Predictions(batch);
  const { next } = tokens.columns;
  const last = streams.length - 1;
  const compared = streamsForTypes(streams.length);
  for (let i = 0; i < tokens.length; i++) {
    streams.forEach(({ rank, log_prob, kl }, stream) => {
      const numbers = { rank: rank[i], log_prob: log_prob[i], probability: Math.exp(log_prob[i]), kl: kl[i] };
      LENS_QUANTITIES.forEach((name, q) => {
        into.numbers.add(stream * LENS_QUANTITIES.length + q, numbers[name]);
      });
      into.ranks.add(stream, rank[i]);
      into.divergences.add(stream, kl[i]);
      into.probabilities.add(stream, numbers.probability);
    });
    let settled = streams.length;
    while (settled > 0 && streams[settled - 1].rank[i] === 0) settled--;
    into.settled.add(settled);
    into.types.add(next[i]);
    compared.forEach((stream, c) => {
      into.typeLogProbs.add(next[i] * compared.length + c, streams[stream].log_prob[i]);
    });
    const logProb = (stream: number) => streams[stream].log_prob[i];
    const note = (list: LogitLensSummaries["late"], value: number, stream: number) => {
      if (!list.accepts(0, value, tokens.keys[i])) return;
      list.add(
        0,
        value,
        tokens.keys[i],
        notedNumbers(tokens.place(i), { stream, there: logProb(stream), atEnd: logProb(last) }),
      );
    };
    if (last === 0) continue;
    note(into.late, logProb(last) - logProb(last - 1), last - 1);
    let best = 0;
    for (let stream = 1; stream < last; stream++) if (logProb(stream) > logProb(best)) best = stream;
    note(into.lost, logProb(best) - logProb(last), best);
  }
  const numbers = streams.flatMap((at, stream) =>
    (["rank", "log_prob", "kl"] as const).map((name) => [`${name}_${labels[stream]}`, at[name]] as const),
  );
  rows.add(tokens.keys, { ...tokens.columns, ...Object.fromEntries(numbers) });
}
