/** Keys and values of positions already run, so that the next token costs one position. */

import { Tensor } from "../graph/tensor.ts";
import { compose } from "../models/compose.ts";
import type { PastKeysValues } from "../models/parts/attention.ts";
import { keptKeys } from "../models/parts/places.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { longAbove } from "./model-has.ts";
import type { PreparedInput } from "./model-input.ts";
import type { PassSource } from "./trace-pass.ts";

/** One run's use of a cache: what it reads, and what it adds once it has succeeded. */
export interface CacheTurn {
  /** Positions held before the run. */
  readonly length: number;
  /** Keys and values [batch pos head d_head] of each layer; `undefined` where nothing is held. */
  readonly layers: readonly PastKeysValues[] | undefined;
  /** Whether the run's keys and values are to be kept. */
  readonly keeps: boolean;
  /** The attention mask [batch key] over held and new positions; `undefined` if nothing is padding. */
  mask(input: PreparedInput): Tensor | undefined;
  /** Keeps the run's keys and values, layer by layer, each [batch pos head d_head], all or none. */
  commit(keysValues: readonly Tensor[]): void;
  /** Lets the next run have the cache; whatever was not committed is dropped. */
  end(): void;
}

/** The model of a run: what keys and values depend on. */
type Filler = PassSource;

/** Whether keys and values of two models are the same: views that differ only in hooks count as one model, views with other parts do not. */
function isSame(a: Filler, b: Filler): boolean {
  return (
    a.weights === b.weights &&
    a.splices === b.splices &&
    (a.cfg === b.cfg || JSON.stringify(a.cfg) === JSON.stringify(b.cfg))
  );
}

/**
 * Pass one to `forward` as `pastKvCache`: the run sees the positions in the cache, and adds its own once it has succeeded.
 * A run that fails or is aborted leaves it as it was. Keys and values are kept as `hook_k` and `hook_v` gave them, hooks
 * included, so that rotary positions turn them again in each run; layers with a sliding window keep the last ones that a
 * window can still reach. A cache is of one model's weights and of one batch, and one run at a time adds to it. Source: TransformerLens'
 * `HookedTransformerKeyValueCache`.
 */
export class KeyValueCache {
  /** While true, runs read the cache and add nothing. */
  frozen = false;
  private stores: readonly Store[] = [];
  private held: readonly PastKeysValues[] | undefined;
  /** bool [batch key]; `undefined` while nothing is padding. */
  private mask: Uint8Array | undefined;
  private batch = 0;
  private model: Filler | undefined;
  /** Runs that read the cache now, and whether one of them is to add to it. */
  private readers = 0;
  private writing = false;

  private positions = 0;

  /** Positions held. */
  get length(): number {
    return this.positions;
  }

  /** Keys and values [batch pos head d_head] of each layer, fewer in those with a window; `undefined` while nothing is held. */
  get layers(): PastKeysValues[] | undefined {
    return this.held && [...this.held];
  }

  /**
   * Begins a run's turn, which must be ended.
   * @throws ArgumentError while another run adds to the cache, or for another model than it was filled by
   */
  turn(model: Filler): CacheTurn {
    if (this.model && !isSame(this.model, model)) {
      throw new ArgumentError(
        "The key/value cache was filled by a run of another model, whose keys and values mean nothing to this one: use a new cache.",
      );
    }
    const keeps = !this.frozen;
    if (this.writing || (keeps && this.readers > 0)) {
      throw new ArgumentError(
        "Another run is using this key/value cache: await that run first, give each run its own cache, or freeze it for runs that only read.",
      );
    }
    const { cfg, weights, splices } = model;
    const filler = { cfg, weights, splices };
    this.readers++;
    this.writing = keeps;
    const { length, layers } = this;
    let after: { readonly batch: number; readonly pos: number; readonly mask: Uint8Array | undefined } | undefined;
    let ended = false;
    return {
      length,
      layers,
      keeps,
      mask: (input) => {
        const [batch, pos] = input.tokens.shape;
        const mask = this.maskWith(input);
        this.checkStaysShort(model, batch, mask, this.length + pos);
        after = { batch, pos, mask };
        return mask && Tensor.leaf(ndarray("bool", [batch, mask.length / batch], mask), ["batch", "key"]);
      },
      commit: (keysValues) => {
        if (!keeps || !after || keysValues.length === 0) return;
        checkRows(keysValues, after.batch, after.pos);
        const total = length + after.pos;
        const { blocks, decoder } = compose(cfg); // an encoder-decoder keeps what its decoder has
        const windows = (decoder?.blocks ?? blocks).map(({ attention }) => attention.window);
        const stores = keysValues.map((x, i) =>
          (this.stores[i] ?? new Store()).with(x).last(keptKeys(windows[Math.floor(i / 2)], total)),
        );
        this.positions = total;
        this.stores = stores;
        this.held = layersOf(stores);
        this.mask = after.mask;
        this.batch = after.batch;
        this.model = filler;
      },
      end: () => {
        if (ended) return;
        ended = true;
        this.readers--;
        if (keeps) this.writing = false;
      },
    };
  }

  /** @throws ArgumentError where a text becomes so long that all its keys and values are others */
  private checkStaysShort(model: Filler, batch: number, mask: Uint8Array | undefined, total: number): void {
    const above = longAbove(model);
    if (above === undefined || this.length === 0) return;
    const count = (all: Uint8Array | undefined, b: number, width: number) =>
      all ? all.subarray(b * width, (b + 1) * width).reduce((n, is) => n + is, 0) : width;
    for (let b = 0; b < batch; b++) {
      const [before, after] = [count(this.mask, b, this.length), count(mask, b, total)];
      if (before === 0 || before > above || after <= above) continue;
      throw new ArgumentError(
        `The cache holds keys and values of a text of ${before} tokens, but ${after} are more than ${above}, and such texts' positions are others from the first token on: run the whole text with a new cache.`,
        { asked: after, found: above },
      );
    }
  }

  /** Which held and new positions are text, [batch key]. @throws ArgumentError for another batch */
  private maskWith({ tokens, attentionMask }: PreparedInput): Uint8Array | undefined {
    const [batch, pos] = tokens.shape;
    const { length } = this;
    if (length > 0 && batch !== this.batch) {
      throw new ArgumentError(`The cache holds a batch of ${this.batch}, but this run has ${batch}: use a new cache.`, {
        asked: batch,
        found: this.batch,
      });
    }
    const total = length + pos;
    const data = new Uint8Array(batch * total).fill(1);
    for (let b = 0; b < batch; b++) {
      if (this.mask) data.set(this.mask.subarray(b * length, (b + 1) * length), b * total);
      if (attentionMask)
        data.set(attentionMask.data.subarray(b * pos, (b + 1) * pos) as Uint8Array, b * total + length);
    }
    return data.includes(0) ? data : undefined;
  }
}

/** @throws ShapeError for keys or values that are not one row per prompt: a hook made more of them */
export function checkRows(keysValues: readonly Tensor[], batch: number, pos: number): void {
  const other = keysValues.find(({ shape }) => shape.length !== 4 || shape[0] !== batch || shape[1] !== pos);
  if (!other) return;
  throw new ShapeError(
    `Hooks turned the keys or values of a batch of ${batch} with ${pos} positions into shape ${shown(other.shape)}, but a key/value cache keeps one row for each prompt. Run without pastKvCache, or without the hook.`,
    { asked: [batch, pos], found: other.shape },
  );
}

function layersOf(stores: readonly Store[]): PastKeysValues[] {
  return Array.from({ length: stores.length / 2 }, (_, layer) => ({
    keys: stores[2 * layer].tensor(),
    values: stores[2 * layer + 1].tensor(),
  }));
}

/**
 * One array [batch pos head d_head] that can be made longer. With a batch of one there is room ahead, so that it grows
 * without copies; what a longer one writes there is past the end of those before it.
 */
class Store {
  readonly length: number;
  /** Positions in front of the first, which a window has passed; only with a batch of one. */
  private readonly skipped: number;
  private readonly shape: readonly number[];
  private readonly data: Float32Array<ArrayBufferLike>;
  /** Numbers written so far, of all stores that share the room. */
  private readonly room: { used: number };

  private readonly axes: readonly string[];

  constructor(
    length = 0,
    axes: readonly string[] = [],
    shape: readonly number[] = [],
    data: Float32Array<ArrayBufferLike> = new Float32Array(0),
    room = { used: 0 },
    skipped = 0,
  ) {
    this.length = length;
    this.skipped = skipped;
    this.axes = axes;
    this.shape = shape;
    this.data = data;
    this.room = room;
  }

  /** A store with a run's keys or values appended; this one does not change. */
  with(x: Tensor): Store {
    const [batch, pos, ...rest] = x.shape;
    const row = rest.reduce((n, size) => n * size, 1);
    const total = this.length + pos;
    const shape = [batch, total, ...rest];
    const more = x.data as Float32Array;
    if (batch === 1) {
      const from = this.skipped * row;
      const used = from + this.length * row;
      const fits = used + pos * row <= this.data.length && this.room.used === used;
      const data = fits ? this.data : new Float32Array(row * Math.max(2 * total, 64));
      if (!fits) data.set(this.data.subarray(from, used));
      const end = fits ? used : used - from;
      data.set(more, end);
      const room = fits ? this.room : { used: 0 };
      room.used = end + pos * row;
      return new Store(total, x.axes, shape, data, room, fits ? this.skipped : 0);
    }
    const data = new Float32Array(batch * total * row);
    for (let b = 0; b < batch; b++) {
      data.set(this.data.subarray(b * this.length * row, (b + 1) * this.length * row), b * total * row);
      data.set(more.subarray(b * pos * row, (b + 1) * pos * row), (b * total + this.length) * row);
    }
    return new Store(total, x.axes, shape, data);
  }

  /** The last of its positions. */
  last(count: number): Store {
    const { length, axes, data, room, skipped } = this;
    const passed = length - count;
    if (passed <= 0) return this;
    const [batch, , ...rest] = this.shape;
    const row = rest.reduce((n, size) => n * size, 1);
    const shape = [batch, count, ...rest];
    if (batch === 1) return new Store(count, axes, shape, data, room, skipped + passed);
    const kept = new Float32Array(batch * count * row);
    for (let b = 0; b < batch; b++) {
      kept.set(data.subarray((b * length + passed) * row, (b + 1) * length * row), b * count * row);
    }
    return new Store(count, axes, shape, kept);
  }

  tensor(): Tensor {
    const [, , ...rest] = this.shape;
    const from = this.skipped * rest.reduce((n, s) => n * s, 1);
    const size = this.shape.reduce((n, s) => n * s, 1);
    return Tensor.leaf(
      ndarray("float32", this.shape, this.data.subarray(from, from + size) as Float32Array<ArrayBuffer>),
      this.axes,
    );
  }
}
