/** Token types: which of two texts a token belongs to. */
import type { Tensor } from "../../graph/tensor.ts";
import type { Scope } from "../scope.ts";
import { lookup, write } from "./affine.ts";

/** Names of the embedding of token types. */
export interface TokenTypeNames {
  readonly weight: "W_token_type";
  readonly point: "hook_token_type_embed";
}

/**
 * `resid + W_token_type[types]`, [batch pos d_model]. Hook point: `hook_token_type_embed`, the rows.
 * @param types int32 [batch pos]: 0 for tokens of the first text, 1 for those of the second
 *
 * Source: Devlin et al. 2018, arXiv 1810.04805; TransformerLens' `TokenTypeEmbed`.
 */
export function tokenTypes(resid: Tensor, count: number, types: Tensor, scope: Scope<TokenTypeNames>): Tensor {
  const own = scope.part<TokenTypeNames>("token_type_embed");
  const W_token_type = own.weight("W_token_type", { token_type: count, d_model: resid.shape.at(-1)! }, "drawn");
  return write(resid, scope.point("hook_token_type_embed", lookup(W_token_type, types, scope)), scope);
}
