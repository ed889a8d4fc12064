/** The MLP of a block. */
import type { Tensor } from "../../graph/tensor.ts";
import type { HookedTransformerConfig } from "../config.ts";
import { activations } from "./activation.ts";
import { norm } from "./norm.ts";
import type { Scope } from "./scope.ts";

/**
 * `pre = x W_in + b_in; post = act(pre); out = post W_out + b_out`, [batch pos d_model] through [batch pos d_mlp].
 * With `solu_ln`: `mid = solu(pre)`, and `post = ln(mid)` by a LayerNorm over the neurons with the model's eps.
 * Hook points: `hook_pre`, `hook_post`, and with `solu_ln` between them `hook_mid`, `ln.hook_scale`,
 * `ln.hook_normalized`. Source: TransformerLens' `MLP`.
 */
export function mlp(x: Tensor, cfg: HookedTransformerConfig, scope: Scope): Tensor {
  const pre = scope.point("hook_pre", x.matmul(scope.weight("W_in")).add(scope.weight("b_in")));
  const act = activations[cfg.actFn!](pre);
  const post = cfg.actFn!.endsWith("_ln") ? innerNorm(scope.point("hook_mid", act), cfg, scope.part("ln")) : act;
  return scope.point("hook_post", post).matmul(scope.weight("W_out")).add(scope.weight("b_out"));
}

function innerNorm(mid: Tensor, cfg: HookedTransformerConfig, scope: Scope): Tensor {
  return norm(mid, cfg.normalizationType === "LN" ? "LN" : "LNPre", cfg.eps, scope);
}
