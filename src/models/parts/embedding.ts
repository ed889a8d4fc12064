/** From tokens into the residual stream, and from the stream to logits. */
import type { Tensor } from "../../graph/tensor.ts";
import type { Scope } from "../scope.ts";
import { affine, lookup } from "./affine.ts";
import { softCap } from "./soft-cap.ts";

/** The embedding's weight. */
export interface EmbeddingWeights {
  /** Token embedding, [d_vocab d_model]. */
  readonly W_E: Tensor;
}

/** Names of the embedding. */
export interface EmbeddingNames {
  readonly weight: keyof EmbeddingWeights;
  readonly point: "hook_embed";
}

/** The unembedding's weights. */
export interface UnembeddingWeights {
  /** Unembedding, [d_model d_vocab]. */
  readonly W_U: Tensor;
  /** [d_vocab] */
  readonly b_U: Tensor;
}

/** Names of the unembedding. */
export interface UnembeddingNames {
  readonly weight: keyof UnembeddingWeights;
  readonly point: never;
}

/** `W_E[tokens]`, [batch pos d_model], at `hook_embed`. Source: TransformerLens' `Embed`. */
export function embedding(d_vocab: number, d_model: number, tokens: Tensor, scope: Scope<EmbeddingNames>): Tensor {
  const W_E = scope.part<EmbeddingNames>("embed").weight("W_E", { d_vocab, d_model }, "drawn");
  return scope.point("hook_embed", lookup(W_E, tokens, scope));
}

/** `x W_U + b_U`, [batch pos d_vocab], softly capped if there is a cap. Source: TransformerLens' `Unembed`. */
export function unembedding(d_vocab: number, cap: number | null, x: Tensor, scope: Scope<UnembeddingNames>): Tensor {
  const weight = scope.weight("W_U", { d_model: x.shape.at(-1)!, d_vocab }, "drawn");
  const bias = scope.weight("b_U", { d_vocab }, "zeros");
  return softCap(affine(x, weight, bias, scope), cap);
}
