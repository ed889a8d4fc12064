/** One layer of a set of transcoders. */
import type { Tensor } from "../graph/tensor.ts";
import { TENSOR } from "../graph/tensor-kind.ts";
import type { NDArray } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { listOf, NOT_NEGATIVE_WHOLE, SIGNAL } from "../tensor/kinds.ts";
import { checkArgument, checkOptions } from "../tensor/options.ts";
import type { DictionaryConfig } from "./config.ts";
import { encode } from "./pass.ts";
import type { LayerSource } from "./set-parts.ts";

/** What the features of a layer write to one layer. */
export interface WrittenRows {
  /** The layer whose output they write to. */
  readonly layer: number;
  /** A row for each of the features, in their order: [feature d_model]. */
  readonly rows: NDArray<"float32">;
}

const FEATURES = listOf(NOT_NEGATIVE_WHOLE, "whole numbers from 0 on");

/** A layer of a set: its encoder is in memory, and of its decoder the rows that are asked for are read. */
export class TranscoderLayer {
  readonly layer: number;
  readonly cfg: DictionaryConfig;
  readonly #source: LayerSource;

  constructor(layer: number, source: LayerSource) {
    this.layer = layer;
    this.cfg = source.cfg;
    this.#source = source;
  }

  /** Pre-activations and features, [... d_sae], of what the layer reads, [... d_model]. @throws ShapeError for another width */
  encode(x: Tensor): { readonly pre: Tensor; readonly acts: Tensor } {
    checkArgument("What a transcoder encodes", x, TENSOR);
    const { pre, acts } = encode({ cfg: this.cfg, weight: this.#source.weight }, x);
    return { pre, acts };
  }

  /** The directions that features read, [feature d_model]. @throws ArgumentError for a feature that does not exist */
  encoderRows(features: readonly number[]): NDArray<"float32"> {
    this.checkFeatures(features);
    return this.#source.encoderRows(features);
  }

  /**
   * What features write, for each layer that they write to, the layer's own first. Only these rows are read.
   * @throws ArgumentError for a feature that does not exist
   */
  async decoderRows(
    features: readonly number[],
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<readonly WrittenRows[]> {
    this.checkFeatures(features);
    checkOptions("decoderRows", options, { signal: SIGNAL });
    const targets = await this.#source.decoderRows(features, options.signal);
    return targets.map((rows, i) => ({ layer: this.layer + i, rows }));
  }

  /** What is added to everything that is written to this layer, [d_model]. */
  get bDec(): NDArray<"float32"> {
    return this.#source.bDec;
  }

  /** `W_skip` [d_model d_model] of a skip transcoder: `x W_skipᵀ` is added to what it writes. */
  get skip(): NDArray<"float32"> | undefined {
    return this.#source.skip;
  }

  private checkFeatures(features: readonly number[]): void {
    checkArgument("The features of a transcoder", features, FEATURES);
    const beyond = features.find((feature) => feature >= this.cfg.dSae);
    if (beyond === undefined) return;
    throw new ArgumentError(`Layer ${this.layer} has no feature ${beyond}: it has ${this.cfg.dSae}, counted from 0.`, {
      asked: beyond,
      found: this.cfg.dSae,
    });
  }
}
