/** One transformer block: attention and MLP around the residual stream. */
import type { Tensor } from "../../graph/tensor.ts";
import type { HookedTransformerConfig } from "../config.ts";
import { type AttentionInputs, attention, type Mask, type PastKeysValues } from "./attention.ts";
import { mlp } from "./mlp.ts";
import { norm } from "./norm.ts";
import type { Scope } from "./scope.ts";

export interface BlockInputs {
  readonly mask: Mask;
  readonly past?: PastKeysValues | undefined;
  /** Shortformer: position embeddings that the queries and keys see, and the residual stream does not. */
  readonly shortformerPos?: Tensor | undefined;
}

/**
 * `mid = pre + attn(ln1 pre); post = mid + mlp(ln2 mid)`, all [batch pos d_model].
 * Hook points: `hook_resid_pre`, `hook_attn_out`, `hook_resid_mid`, `hook_mlp_out`, `hook_resid_post`, and when asked
 * for `hook_attn_in`, `hook_q_input`, `hook_k_input`, `hook_v_input` [batch pos head d_model] and `hook_mlp_in`.
 */
export function block(
  x: Tensor,
  inputs: BlockInputs,
  layer: number,
  cfg: HookedTransformerConfig,
  scope: Scope,
): Tensor {
  const pre = scope.point("hook_resid_pre", x);
  const from = attentionInputs(pre, inputs.shortformerPos, cfg, scope);
  const attn = attention(from, inputs.mask, inputs.past, layer, cfg, scope.part("attn"));
  const attnOut = scope.point("hook_attn_out", attn);
  if (cfg.attnOnly) return scope.point("hook_resid_post", pre.add(attnOut));

  const mid = scope.point("hook_resid_mid", pre.add(attnOut));
  const mlpIn = scope.hooked("hook_mlp_in") ? scope.point("hook_mlp_in", mid) : mid;
  if (mlpIn === mid) scope.aside("hook_mlp_in", () => mid);
  const normalized = cfg.normalizationType ? norm(mlpIn, cfg.normalizationType, cfg.eps, scope.part("ln2")) : mlpIn;
  const mlpOut = scope.point("hook_mlp_out", mlp(normalized, cfg, scope.part("mlp")));
  return scope.point("hook_resid_post", mid.add(mlpOut));
}

/**
 * What queries, keys and values read: ln1 of the residual stream. TransformerLens runs ln1 once for each; here it runs
 * again only for a hooked input of one of them, which alone differs. The points `ln1.*` are the shared run's.
 */
function attentionInputs(
  pre: Tensor,
  shortformerPos: Tensor | undefined,
  cfg: HookedTransformerConfig,
  scope: Scope,
): AttentionInputs {
  const perHead = (x: Tensor) => (x.axes.at(-2) === "head" ? x : x.unsqueeze(-2, "head").repeat(-2, cfg.nHeads));
  const normalized = (x: Tensor, to: Scope) =>
    cfg.normalizationType ? norm(x, cfg.normalizationType, cfg.eps, to.part("ln1")) : x;
  const positioned = (x: Tensor) => {
    if (!shortformerPos) return x;
    return x.add(x.axes.at(-2) === "head" ? shortformerPos.unsqueeze(-2, "head") : shortformerPos);
  };

  const attnIn = scope.hooked("hook_attn_in") ? scope.point("hook_attn_in", perHead(pre)) : pre;
  if (attnIn === pre) scope.aside("hook_attn_in", () => perHead(pre));
  const shared = normalized(attnIn, scope);
  const own = (name: string) => {
    if (!scope.hooked(name)) {
      scope.aside(name, () => perHead(attnIn));
      return shared;
    }
    return normalized(scope.point(name, perHead(attnIn)), scope.unlisted());
  };
  return {
    query: positioned(own("hook_q_input")),
    key: positioned(own("hook_k_input")),
    value: own("hook_v_input"),
  };
}
