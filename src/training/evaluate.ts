/** How well a model does on rows of tokens, in particular on rows that it was not trained on. */
import { Tensor } from "../graph/tensor.ts";
import { checkModel } from "../lens/check.ts";
import type { Loss } from "../lens/metric.ts";
import type { Model } from "../lens/model.ts";
import { type NDArray, ndarray } from "../tensor/array.ts";
import { ANYTHING, FUNCTION, SIGNAL } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { checkedTokens, needTwo, requireCount } from "./data/batches.ts";

/** The mean loss on held-out data after this many steps, in nats. */
export interface HeldOutLoss {
  readonly step: number;
  readonly loss: number;
}

/** The most tokens, and the most numbers in the largest value, of the rows that run together: memory does not grow with the rows. */
const TOKENS_AT_ONCE = 8192;
const NUMBERS_AT_ONCE = 64e6;

/** How to evaluate. */
export interface EvaluateOptions {
  /** A single number, the mean over the rows of a batch. Default: the mean next-token loss in nats. */
  readonly loss?: Loss | undefined;
  /** How many rows run together. Default: as many as make 8192 tokens, or fewer if the vocabulary is large. */
  readonly batchSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const KINDS: OptionKinds<EvaluateOptions> = { loss: FUNCTION, batchSize: ANYTHING, signal: SIGNAL };

/**
 * The mean loss over rows of tokens, int32 [row pos], in nats: `Σ rows of a batch · loss of the batch / rows`. Models of one
 * structure share compiled sessions, so it is cheap to evaluate the model after each step of a training run.
 * @throws ShapeError, InputError for rows that the model cannot read.
 */
export async function evaluateLoss(
  model: Model,
  data: NDArray<"int32"> | Tensor,
  options: EvaluateOptions = {},
): Promise<number> {
  checkModel("evaluateLoss", model);
  checkOptions("evaluateLoss", options, KINDS);
  const { loss, signal } = options;
  const { shape, data: ids } = checkedTokens(data, model.cfg.nCtx, model.cfg.dVocab);
  const [rows, pos] = shape;
  if (!loss) needTwo(pos);
  const batchSize = options.batchSize ?? rowsAtOnce(model.cfg, pos);
  requireCount("batchSize", batchSize);
  let sum = 0;
  for (let start = 0; start < rows; start += batchSize) {
    const count = Math.min(batchSize, rows - start);
    const batch = ndarray("int32", [count, pos], ids.slice(start * pos, (start + count) * pos));
    const graph = model.graph(Tensor.leaf(batch, ["batch", "pos"]));
    const [batchLoss] = await model.compute([loss ? loss(graph) : graph.loss()], { signal });
    sum += count * batchLoss.item();
  }
  return sum / rows;
}

/** Fixed, so that every machine has the same batches: sums over other batches would be rounded differently. */
function rowsAtOnce({ dVocabOut, nHeads, dMlp, dModel }: Model["cfg"], pos: number): number {
  const numbers = pos * Math.max(dVocabOut, nHeads * pos, dMlp ?? 0, dModel);
  return Math.max(1, Math.floor(Math.min(TOKENS_AT_ONCE / pos, NUMBERS_AT_ONCE / numbers)));
}
