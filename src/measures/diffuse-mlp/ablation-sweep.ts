/**
 * Ablating each position of an MLP that later layers' attention reads: each position needs its own pass from there
 * on. The passes run side by side as one more axis in front, row p with position p zeroed, and share everything before.
 */
import type { Tensor } from "../../graph/tensor.ts";
import { Tensor as Leaf } from "../../graph/tensor.ts";
import type { Model } from "../../lens/model.ts";
import { ndarray } from "../../tensor/array.ts";
import { prediction } from "./prediction.ts";
import { type Batch, indexOf, type TokenizedPrompt } from "./prompts.ts";
import type { Site } from "./site.ts";

/** One token's prediction while a position before it, or its own, is ablated. */
export interface SweepRow {
  /** The prompt's index in the batch. */
  readonly row: number;
  readonly ablated: number;
  /** The position that predicts. */
  readonly pos: number;
  readonly loss: number;
  readonly logit: number;
}

/**
 * All predictions at or after each ablated position; those before it do not change.
 * @param maxCells how many cells (ablated position x prompt x position) run at a time
 */
export async function* sweepAblations(
  model: Model,
  site: Site,
  batch: Batch,
  prompts: readonly TokenizedPrompt[],
  maxCells: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly SweepRow[]> {
  const lengths = batch.prompts.map((i) => prompts[i].ids.length);
  const [rows, pos] = batch.tokens.shape;
  const step = Math.max(1, Math.floor(maxCells / (rows * pos)));
  const graph = model.graph(batch.tokens);
  for (let start = 0; start < pos - 1; start += step) {
    const end = Math.min(start + step, pos - 1);
    const swept = graph.with([[site.ablated, (x) => x.unsqueeze(0, "sweep").mul(keepAllBut(start, end, pos, x))]]);
    const places: [sweep: number, row: number, pos: number][] = [];
    for (let ablated = start; ablated < end; ablated++) {
      lengths.forEach((n, row) => {
        for (let p = ablated; p < n - 1; p++) places.push([ablated - start, row, p]);
      });
    }
    const next = places.map(([, row, p]) => prompts[batch.prompts[row]].ids[p + 1]);
    const targets = Leaf.leaf(ndarray("int32", [next.length], Int32Array.from(next)));
    const values = prediction(swept.output, indexOf(places), targets);
    const [loss, logit] = await model.compute([values.loss, values.logit], { signal });
    yield places.map(([s, row, p], i) => ({
      row,
      ablated: start + s,
      pos: p,
      loss: loss.data[i],
      logit: logit.data[i],
    }));
  }
}

/** 0 at position p of row p - start, else 1: [sweep 1 pos 1]. */
function keepAllBut(start: number, end: number, pos: number, like: Tensor): Tensor {
  const data = new Float32Array((end - start) * pos).fill(1);
  for (let p = start; p < end; p++) data[(p - start) * pos + p] = 0;
  return Leaf.leaf(ndarray("float32", [end - start, 1, pos, 1], data), ["sweep", ...like.axes]);
}
