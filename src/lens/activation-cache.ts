/** What a run's hook points held. */
import type { Tensor } from "../graph/tensor.ts";
import { getActName } from "../models/act-name.ts";
import { ShapeError } from "../tensor/errors.ts";
import { type HookNameLike, resolveName } from "./hook-names.ts";

/** `"blocks.0.mlp.hook_mid"`, `"mid0"`, or name, layer (negative: from the end) and kind apart: `["normalized", 0, "ln2"]`. */
export type CacheKey = HookNameLike | readonly [name: string, layer: number, type?: string];

/** Values by hook name, each a tensor of its own that nothing else changes. Source: TransformerLens' `ActivationCache`. */
export class ActivationCache {
  readonly nLayers: number;
  private readonly values: ReadonlyMap<string, Tensor>;

  constructor(values: ReadonlyMap<string, Tensor>, nLayers: number) {
    this.values = values;
    this.nLayers = nLayers;
  }

  /** The value at a hook point. @throws UnknownNameError with the nearest one that is cached. */
  get(key: CacheKey): Tensor {
    return this.values.get(this.nameOf(key))!;
  }

  has(key: CacheKey): boolean {
    return this.values.has(this.written(key));
  }

  private written(key: CacheKey): string {
    if (typeof key === "string") return this.values.has(key) ? key : getActName(key);
    const [name, layer, type] = key;
    return getActName(name, layer < 0 ? layer + this.nLayers : layer, type);
  }

  private nameOf(key: CacheKey): string {
    return resolveName(this.written(key), [...this.values.keys()]);
  }

  keys(): string[] {
    return [...this.values.keys()];
  }

  items(): [string, Tensor][] {
    return [...this.values];
  }

  get size(): number {
    return this.values.size;
  }

  [Symbol.iterator](): IterableIterator<[string, Tensor]> {
    return this.values.entries();
  }

  /** The same values without the batch axis. @throws ShapeError if there is more than one row. */
  removeBatchDim(): ActivationCache {
    const single = this.items().map(([name, value]): [string, Tensor] => {
      if (value.shape[0] !== 1) {
        throw new ShapeError(
          `removeBatchDim needs a batch of one, but "${name}" has ${value.shape[0]} rows: slice the batch first.`,
          { asked: 1, found: value.shape[0] },
        );
      }
      return [name, value.row(0)];
    });
    return new ActivationCache(new Map(single), this.nLayers);
  }
}
