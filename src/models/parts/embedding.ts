/** From tokens into the residual stream, and from the stream to logits. */
import type { Tensor } from "../../graph/tensor.ts";
import type { Scope } from "../scope.ts";
import { affine, lookup } from "./affine.ts";
import { type NormKind, norm } from "./norm.ts";
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

/** A kind of embedding. */
export interface EmbeddingKind {
  readonly d_vocab: number;
  readonly d_model: number;
  /** Of what the tokens look up. */
  readonly norm: NormKind | null;
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

/**
 * `W_E[tokens]`, or `ln(W_E[tokens])`, [batch pos d_model]. Hook points: `embed.ln.hook_scale` and `embed.ln.hook_normalized`
 * of the norm, `hook_embed`. Source: TransformerLens' `Embed`.
 */
export function embedding(kind: EmbeddingKind, tokens: Tensor, scope: Scope<EmbeddingNames>): Tensor {
  const { d_vocab, d_model } = kind;
  const embed = scope.part<EmbeddingNames>("embed");
  const rows = lookup(embed.weight("W_E", { d_vocab, d_model }, "drawn"), tokens, scope);
  return scope.point("hook_embed", norm(rows, kind.norm, embed.part("ln")));
}

/** `x W_U + b_U`, [batch pos d_vocab], softly capped if there is a cap. Source: TransformerLens' `Unembed`. */
export function unembedding(d_vocab: number, cap: number | null, x: Tensor, scope: Scope<UnembeddingNames>): Tensor {
  const weight = scope.weight("W_U", { d_model: x.shape.at(-1)!, d_vocab }, "drawn");
  const bias = scope.weight("b_U", { d_vocab }, "zeros");
  return softCap(affine(x, weight, bias, scope), cap);
}
