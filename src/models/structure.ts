/**
 * What a model's parts say about how weights and norms meet the residual stream. From it the processing of weights knows
 * what reads which norm and what writes to the stream, and decompositions know the stream's writers and readers, for every
 * kind of model.
 */
import { isName } from "../graph/layouts.ts";
import type { Tensor } from "../graph/tensor.ts";

/** `result = input W + b`. */
export interface Product {
  readonly input: Tensor;
  /** [... in out] */
  readonly weight: Tensor;
  /** [... out] */
  readonly bias: Tensor | undefined;
  readonly result: Tensor;
}

/** A sum of what several weights write, weighed in ways that vary: the result is linear in all of them together. */
export interface Mixture {
  readonly result: Tensor;
  /** [... d_model] each: matrices and biases. */
  readonly weights: readonly Tensor[];
}

/** `result = W[ids]`: rows of a weight. */
export interface Lookup {
  readonly weight: Tensor;
  readonly result: Tensor;
}

/** A norm, with weights of its own or without. */
export interface NormUse {
  /** What it is called: `blocks.0.ln1`, `ln_final`. */
  readonly where: string;
  readonly input: Tensor;
  readonly result: Tensor;
  readonly subtractsMean: boolean;
  readonly w: Tensor | undefined;
  readonly b: Tensor | undefined;
}

/** `result = stream + value`: something is written to the residual stream. */
export interface Addition {
  readonly stream: Tensor;
  readonly value: Tensor;
  readonly result: Tensor;
}

/** The weights of an attention layer. */
export interface AttentionWeights {
  /** What queries are made with, [head d_model d_head]. */
  readonly W_Q: Tensor;
  /** [head d_head] */
  readonly b_Q: Tensor;
  /** What keys are made with, [head d_model d_head]. */
  readonly W_K: Tensor;
  /** [head d_head] */
  readonly b_K: Tensor;
  /** What values are made with, [head d_model d_head]. */
  readonly W_V: Tensor;
  /** [head d_head] */
  readonly b_V: Tensor;
  /** What heads write to the residual stream with, [head d_head d_model]. */
  readonly W_O: Tensor;
  /** [d_model] */
  readonly b_O: Tensor;
}

/** An attention layer. */
export interface AttentionUse {
  readonly weights: AttentionWeights;
  /** What stands between queries or keys and their product, so that the product of their matrices is not all. */
  readonly between: readonly string[];
  /** Whether a pattern's rows sum to 1: nothing but keys is attended to. */
  readonly sumsToOne: boolean;
  /** Whether values are clipped, so that a pattern does not mix their biases unchanged. */
  readonly clipsValues: boolean;
}

/** What is collected while a model is recorded. */
export interface Structure {
  readonly products: Product[];
  readonly mixtures: Mixture[];
  readonly lookups: Lookup[];
  readonly norms: NormUse[];
  readonly additions: Addition[];
  readonly attentions: AttentionUse[];
}

/** Nothing said yet. */
export function emptyStructure(): Structure {
  return { products: [], mixtures: [], lookups: [], norms: [], additions: [], attentions: [] };
}

/** A value without the hook points that it was put under. */
export function bare(x: Tensor): Tensor {
  return isName(x) ? bare(x.inputs[0]) : x;
}
