/** What a set of transcoders is made of, wherever its numbers are. */
import type { NDArray } from "../tensor/array.ts";
import type { WeightOf } from "./activations.ts";
import type { DictionaryConfig } from "./config.ts";

/** `per-layer`: each layer's transcoder writes to that layer; `cross-layer`: to that layer and every later one. */
export type TranscoderSetKind = "per-layer" | "cross-layer";

/** A layer's numbers, in files that are read in part or in memory. */
export interface LayerSource {
  readonly cfg: DictionaryConfig;
  /** What encodes, as values of a graph, by SAELens' names: `W_enc` [d_in d_sae], biases, thresholds. */
  readonly weight: WeightOf;
  /** [d_model] */
  readonly bDec: NDArray<"float32">;
  /** [d_model d_model], of skip transcoders. */
  readonly skip: NDArray<"float32"> | undefined;
  /** What features read, [feature d_model]. */
  encoderRows(features: readonly number[]): NDArray<"float32">;
  /** What features write to each target layer, from the layer itself on: [feature d_model] each. */
  decoderRows(features: readonly number[], signal?: AbortSignal): Promise<readonly NDArray<"float32">[]>;
}

/** What is the same for all layers of a set, and how a layer is read. */
export interface SetParts {
  readonly name: string;
  readonly kind: TranscoderSetKind;
  readonly nLayers: number;
  /** Features of each layer. */
  readonly dSae: number;
  readonly dModel: number;
  /** The hook points' names within a block: `hook_resid_mid`, `mlp.hook_in`. */
  readonly featureInputHook: string;
  readonly featureOutputHook: string;
  readonly modelName: string | null;
  /** What identifies the pages of its features. */
  readonly scan: string | null;
  /** Reads a layer's encoder. */
  open(layer: number, signal: AbortSignal | undefined): Promise<LayerSource>;
}
