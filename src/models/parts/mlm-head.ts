/** What a model that fills in masked tokens puts between its last stream and the unembedding. */
import type { Tensor } from "../../graph/tensor.ts";
import type { Scope } from "../scope.ts";
import { type ActivationName, activate } from "./activation.ts";
import { affine } from "./affine.ts";
import { type NormKind, type NormNames, norm } from "./norm.ts";

/** Names of the head. */
export interface MlmHeadNames {
  readonly weight: "W" | "b";
  readonly point: `ln.${NormNames["point"]}`;
}

/** A kind of head for masked tokens. */
export interface MlmHeadKind {
  readonly act: ActivationName;
  readonly norm: NormKind | null;
}

/**
 * `out = ln(act(x W + b))`, [batch pos d_model]. Hook points: `ln.hook_scale`, `ln.hook_normalized`.
 * Source: Devlin et al. 2018, arXiv 1810.04805; TransformerLens' `BertMLMHead`.
 */
export function mlmHead(kind: MlmHeadKind, x: Tensor, scope: Scope<MlmHeadNames>): Tensor {
  const d_model = x.shape.at(-1)!;
  const W = scope.weight("W", { d_model, "": d_model }, "drawn");
  const b = scope.weight("b", { d_model }, "zeros");
  const made = activate(kind.act, affine(x, W, b, scope), scope).rename(x.axes);
  return norm(made, kind.norm, scope.part("ln"));
}
