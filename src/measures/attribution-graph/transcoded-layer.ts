/** A layer's transcoder on a run: what it reads and writes there, and which of its features are active. */
import type { TranscoderLayer } from "../../dictionaries/transcoder-layer.ts";
import type { Tensor } from "../../graph/tensor.ts";

/** A layer's transcoder on a run. */
export interface TranscodedLayer {
  readonly coder: TranscoderLayer;
  /** How many positions from the first on have no features and no errors. */
  readonly silent: number;
  /** Where it reads and writes in the pass, and what is there in the run: [1 pos d_model]. */
  readonly read: Tensor;
  readonly written: Tensor;
  readonly output: Tensor;
  /** What the skip connection carries, [1 pos d_model]. */
  readonly skipped: Tensor | undefined;
  /** What is added to what features read, [d_sae]. */
  readonly bias: Float32Array;
  /** Active features, by position and number. */
  readonly active: readonly ActiveFeature[];
  /** What features write, to the layer itself and then to those after it. */
  readonly rows: FeatureRows;
}

/** A feature that is active at a position. */
export interface ActiveFeature {
  readonly pos: number;
  readonly feature: number;
  readonly activation: number;
}

/** The decoder's rows of some features, read once. */
export class FeatureRows {
  /** How many layers they write to. */
  targets = 0;
  private readonly coder: TranscoderLayer;
  /** For each feature a row for each target layer. */
  private readonly known = new Map<number, readonly Float32Array[]>();

  constructor(coder: TranscoderLayer) {
    this.coder = coder;
  }

  async read(features: Iterable<number>, signal?: AbortSignal): Promise<void> {
    const wanted = [...new Set(features)].filter((feature) => !this.known.has(feature)).sort((a, b) => a - b);
    const written = await this.coder.decoderRows(wanted, { signal });
    this.targets = Math.max(this.targets, written.length);
    wanted.forEach((feature, i) => {
      this.known.set(
        feature,
        written.map(({ rows: { data, shape } }) => data.subarray(i * shape[1], (i + 1) * shape[1])),
      );
    });
  }

  /** What a feature writes at activation 1, for each target layer; it was read before. */
  of(feature: number): readonly Float32Array[] {
    return this.known.get(feature)!;
  }
}

/**
 * How many positions from the first on transcoders have no features and no errors at: what a model does at BOS is unlike everything else. In Gemma
 * 3's chats that goes for the turn's beginning, four tokens. Source: circuit-tracer's `zero_positions`.
 */
export function silentPositions({ modelName }: { readonly modelName: string }): number {
  return /gemma-3.*-it$/.test(modelName) ? 4 : 1;
}
