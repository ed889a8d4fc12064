/** Activations to train a dictionary on: a model's, over texts, mixed. */
import { Tensor } from "../../graph/tensor.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import { type NDArray, ndarray } from "../../tensor/array.ts";
import { mixed, permutation } from "../data/batches.ts";

/** What is read, and how it is mixed. */
export interface ActivationOptions {
  /** Tokens, int32 [row pos]. */
  readonly rows: NDArray<"int32">;
  /** The hook points that are read, a layer each, and those that are to be made: the same, unless it is a transcoder. */
  readonly reads: readonly string[];
  readonly makes: readonly string[];
  /** Their widths. */
  readonly dIn: number;
  readonly dOut: number;
  /** Tokens per batch, and batches that are mixed together. */
  readonly batchSize: number;
  readonly mixedBatches: number;
  /** Rows that the model runs at a time. */
  readonly rowsAtOnce: number;
  /** Positions before this one are left out: 1 leaves out BOS. */
  readonly fromPosition: number;
  readonly seed: number;
}

/** A batch of activations, [token layers·d_in] and [token layers·d_out]. */
export interface ActivationBatch {
  readonly x: NDArray<"float32">;
  readonly target: NDArray<"float32">;
}

/**
 * Batches of activations by their number. As many rows as fill `mixedBatches` batches run through the model together, their tokens are
 * shuffled, and the batches are cut from them: which tokens a batch has depends on the seed and its number alone, so that a run that is
 * resumed sees what it would have seen. Rows come in another order in each pass over the data.
 */
export class ActivationStream {
  private readonly model: HookedTransformer;
  private readonly options: ActivationOptions;
  private readonly perRow: number;
  /** Tokens that are mixed together. */
  private readonly together: number;
  /** Whether what is read is what is to be made. */
  private readonly same: boolean;
  private held: { readonly chunk: number; readonly x: Float32Array; readonly target: Float32Array } | undefined;

  constructor(model: HookedTransformer, options: ActivationOptions) {
    this.model = model;
    this.options = options;
    this.perRow = options.rows.shape[1] - options.fromPosition;
    this.together = options.batchSize * options.mixedBatches;
    this.same = options.reads.join() === options.makes.join();
  }

  /** The batch of a step (the first is 0). */
  async batch(step: number, signal?: AbortSignal): Promise<ActivationBatch> {
    const { batchSize, mixedBatches, dIn, dOut, reads, makes } = this.options;
    const chunk = Math.floor(step / mixedBatches);
    const { x, target } = await this.chunk(chunk, signal);
    const first = (step % mixedBatches) * batchSize;
    const part = (data: Float32Array, width: number) =>
      ndarray("float32", [batchSize, width], data.slice(first * width, (first + batchSize) * width));
    const read = part(x, dIn * reads.length);
    return { x: read, target: this.same ? read : part(target, dOut * makes.length) };
  }

  /** The shuffled activations of a chunk. */
  private async chunk(chunk: number, signal: AbortSignal | undefined) {
    if (this.held?.chunk === chunk) return this.held;
    this.held = undefined;
    const { reads, makes, dIn, dOut, rowsAtOnce, seed } = this.options;
    const x = new Float32Array(this.together * dIn * reads.length);
    const target = this.same ? x : new Float32Array(this.together * dOut * makes.length);
    // Where each token of the chunk goes.
    const places = permutation(this.together, mixed(seed, 1), chunk);
    const rows = Math.ceil(this.together / this.perRow);
    for (let at = 0; at < rows; at += rowsAtOnce) {
      signal?.throwIfAborted();
      const count = Math.min(rowsAtOnce, rows - at);
      const tokens = this.rowsFrom(chunk * rows + at, count);
      const [, cache] = await this.model.runWithCache(Tensor.leaf(tokens, ["batch", "pos"]), {
        namesFilter: [...new Set([...reads, ...makes])],
        returnType: null,
        signal,
      });
      const placeAll = (hooks: readonly string[], to: Float32Array, width: number) => {
        hooks.forEach((hook, layer) => {
          const columns = { width, offset: layer * width, all: hooks.length * width };
          this.place(cache.get(hook).data as Float32Array, to, columns, at, places);
        });
      };
      placeAll(reads, x, dIn);
      if (!this.same) placeAll(makes, target, dOut);
    }
    this.held = { chunk, x, target };
    return this.held;
  }

  /** Copies the activations of rows [row pos width] to where their tokens go, and the columns of their layer. */
  private place(
    from: Float32Array,
    to: Float32Array,
    { width, offset, all }: { readonly width: number; readonly offset: number; readonly all: number },
    firstRow: number,
    places: Int32Array,
  ): void {
    const { fromPosition, rows } = this.options;
    const [, pos] = rows.shape;
    for (let row = 0; row * pos * width < from.length; row++) {
      for (let i = 0; i < this.perRow; i++) {
        const token = (firstRow + row) * this.perRow + i;
        if (token >= this.together) return;
        const start = (row * pos + fromPosition + i) * width;
        to.set(from.subarray(start, start + width), places[token] * all + offset);
      }
    }
  }

  /** Rows in the order of their passes over the data. */
  private rowsFrom(first: number, count: number): NDArray<"int32"> {
    const { rows, seed } = this.options;
    const [all, pos] = rows.shape;
    const data = new Int32Array(count * pos);
    let epoch = -1;
    let order: Int32Array = new Int32Array(0);
    for (let i = 0; i < count; i++) {
      const pass = Math.floor((first + i) / all);
      if (pass !== epoch) order = permutation(all, seed, pass);
      epoch = pass;
      const row = order[(first + i) % all];
      data.set(rows.data.subarray(row * pos, (row + 1) * pos), i * pos);
    }
    return ndarray("int32", [count, pos], data);
  }
}
