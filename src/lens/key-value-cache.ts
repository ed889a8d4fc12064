/** Keys and values of positions already run, so that a next token costs one position. */

import { Tensor } from "../graph/tensor.ts";
import type { PastKeysValues } from "../models/blocks/attention.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import type { PreparedInput } from "./model-input.ts";

/**
 * Pass one to `forward` as `pastKvCache`: the run sees the positions that it holds, and adds its own. Keys and values are
 * kept as `hook_k` and `hook_v` gave them, hooks included. Source: TransformerLens' `HookedTransformerKeyValueCache`.
 */
export class KeyValueCache {
  /** While true, runs read the cache and add nothing. */
  frozen = false;
  private stores: Store[] = [];
  private mask: Uint8Array | undefined;
  private batch = 0;

  /** Positions held. */
  get length(): number {
    return this.stores[0]?.length ?? 0;
  }

  /** Keys and values [batch pos head d_head] of each layer; `undefined` while nothing is held. */
  get layers(): PastKeysValues[] | undefined {
    if (this.length === 0) return undefined;
    return Array.from({ length: this.stores.length / 2 }, (_, layer) => ({
      keys: this.stores[2 * layer].tensor(),
      values: this.stores[2 * layer + 1].tensor(),
    }));
  }

  /** The attention mask [batch key] over what is held and what comes; `undefined` if nothing is padding. */
  maskWith({ tokens, attentionMask }: PreparedInput): Tensor | undefined {
    const [batch, pos] = tokens.shape;
    if (this.length > 0 && batch !== this.batch) {
      throw new ArgumentError(`The cache holds a batch of ${this.batch}, but this run has ${batch}: use a new cache.`, {
        asked: batch,
        found: this.batch,
      });
    }
    this.batch = batch;
    const before = this.mask ? this.mask.length / batch : this.length;
    const total = before + pos;
    const data = new Uint8Array(batch * total).fill(1);
    for (let b = 0; b < batch; b++) {
      if (this.mask) data.set(this.mask.subarray(b * before, (b + 1) * before), b * total);
      if (attentionMask)
        data.set(attentionMask.data.subarray(b * pos, (b + 1) * pos) as Uint8Array, b * total + before);
    }
    const padded = data.includes(0);
    if (!this.frozen) this.mask = padded ? data : undefined;
    return padded ? Tensor.leaf(ndarray("bool", [batch, total], data), ["batch", "key"]) : undefined;
  }

  /** Adds a run's keys and values: layer by layer, each [batch pos head d_head]. */
  append(keysValues: readonly Tensor[]): void {
    if (keysValues.length === 0) return;
    if (this.stores.length === 0) this.stores = keysValues.map(() => new Store());
    keysValues.forEach((x, i) => {
      this.stores[i].append(x);
    });
  }
}

/** One growing array [batch pos head d_head], with room ahead so that a batch of one grows without copies. */
class Store {
  length = 0;
  private shape: readonly number[] = [];
  private data = new Float32Array(0);

  append(x: Tensor): void {
    const [batch, pos, ...rest] = x.shape;
    const row = rest.reduce((n, size) => n * size, 1);
    const total = this.length + pos;
    const capacity = batch === 1 ? this.data.length / row : 0;
    if (total > capacity) {
      const grown = new Float32Array(batch * row * (batch === 1 ? Math.max(2 * total, 64) : total));
      const stride = batch === 1 ? grown.length : total * row;
      for (let b = 0; b < batch; b++) {
        grown.set(this.data.subarray(b * this.length * row, (b + 1) * this.length * row), b * stride);
      }
      this.data = grown;
    }
    const stride = batch === 1 ? 0 : total * row;
    for (let b = 0; b < batch; b++) {
      this.data.set(
        (x.data as Float32Array).subarray(b * pos * row, (b + 1) * pos * row),
        b * stride + this.length * row,
      );
    }
    this.length = total;
    this.shape = [batch, total, ...rest];
  }

  tensor(): Tensor {
    const size = this.shape.reduce((n, s) => n * s, 1);
    return Tensor.leaf(ndarray("float32", this.shape, this.data.subarray(0, size)), ["batch", "pos", "head", "d_head"]);
  }
}
