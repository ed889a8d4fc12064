/** Multi-head attention with every intermediate a hook point. */
import type { Tensor } from "../../graph/tensor.ts";
import type { HookedTransformerConfig } from "../config.ts";
import type { Scope } from "./scope.ts";

/** What the queries, keys and values are computed from: [batch pos d_model], or a head's own [batch pos head d_model]. */
export interface AttentionInputs {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

/** Keys and values of earlier positions, [batch pos head d_head], to go before this run's. */
export interface PastKeysValues {
  readonly keys: Tensor;
  readonly values: Tensor;
}

/** Which keys a query may see: bool [query key] or [batch 1 query key]. `undefined`: all. */
export type Mask = Tensor | undefined;

/**
 * ```
 * q = x W_Q + b_Q    k = x W_K + b_K    v = x W_V + b_V          [batch pos head d_head]
 * scores = q·k / attn_scale, -inf where masked                    [batch head query key]
 * pattern = softmax(scores)                                       [batch head query key]
 * z = pattern v                                                   [batch pos head d_head]
 * out = Σ_head z W_O + b_O                                        [batch pos d_model]
 * ```
 * Hook points: `hook_q`, `hook_k`, `hook_v`, `hook_attn_scores`, `hook_pattern`, `hook_z`, and when asked for
 * `hook_result`, each head's own z W_O. Source: Vaswani et al. 2017; TransformerLens' `AbstractAttention`.
 */
export function attention(
  inputs: AttentionInputs,
  mask: Mask,
  past: PastKeysValues | undefined,
  layer: number,
  cfg: HookedTransformerConfig,
  scope: Scope,
): Tensor {
  const q = scope.point("hook_q", project(inputs.query, scope.weight("W_Q"), scope.weight("b_Q")));
  const newK = scope.point("hook_k", project(inputs.key, scope.weight("W_K"), scope.weight("b_K")));
  const newV = scope.point("hook_v", project(inputs.value, scope.weight("W_V"), scope.weight("b_V")));
  const k = past ? past.keys.concat(newK, -3) : newK;
  const v = past ? past.values.concat(newV, -3) : newV;

  const products = headsFirst(q, "query").matmul(headsFirst(k, "key").transpose(-1, -2));
  const divisor = (cfg.useAttnScale ? cfg.attnScale : 1) * (cfg.scaleAttnByInverseLayerIdx ? layer + 1 : 1);
  const scaled = divisor === 1 ? products : products.div(q.constant(divisor));
  const scores = scope.point("hook_attn_scores", mask ? scaled.where(mask, q.constant(-Infinity)) : scaled);
  const softmax = scores.softmax();
  // A query that may see no key has no softmax; as in TransformerLens it attends to nothing.
  const blind = (mask !== undefined && mask.shape.length > 2) || scope.hooked("hook_attn_scores");
  const pattern = scope.point("hook_pattern", blind ? softmax.where(softmax.equal(softmax), q.constant(0)) : softmax);

  const mixed = pattern.matmul(headsFirst(v, "key"));
  const z = scope.point("hook_z", mixed.rename({ query: "pos" }).transpose(-2, -3));
  const heads = () => headsFirst(z, "pos").matmul(scope.weight("W_O")).transpose(-2, -3);
  if (scope.hooked("hook_result")) return scope.point("hook_result", heads()).sum("head").add(scope.weight("b_O"));
  scope.aside("hook_result", heads);
  return z
    .mergeAxes("head", 2)
    .matmul(flat(scope.weight("W_O"), (w) => w.mergeAxes(0, 2)))
    .add(scope.weight("b_O"));
}

/** x W + b for all heads: [batch pos d_model] or [batch pos head d_model] to [batch pos head d_head]. */
function project(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  if (x.axes.at(-2) === "head") return headsFirst(x, "pos").matmul(weight).transpose(-2, -3).add(bias);
  const [head, , d_head] = weight.shape;
  const transposed = flat(weight, (w) => w.permute([0, 2, 1]).mergeAxes(0, 2));
  return x
    .linear(
      transposed,
      flat(bias, (b) => b.mergeAxes(0, 2)),
    )
    .splitAxis(-1, { head, d_head });
}

/** A weight's layout, the same value in every pass. */
function flat(weight: Tensor, make: (w: Tensor) => Tensor): Tensor {
  const known = flattened.get(weight) ?? make(weight);
  flattened.set(weight, known);
  return known;
}
const flattened = new WeakMap<Tensor, Tensor>();

/** [... pos head d] to [... head pos d], the positions under another name. */
function headsFirst(x: Tensor, pos: string): Tensor {
  return x.transpose(-2, -3).rename({ pos });
}
