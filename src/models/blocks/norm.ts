/** LayerNorm and RMSNorm, with and without weights of their own. eps is inside the root. */
import type { Tensor } from "../../graph/tensor.ts";
import type { NormalizationType } from "../config.ts";
import type { Scope } from "./scope.ts";

/**
 * LayerNorm (`LN`, `LNPre`): `x -= mean(x); scale = sqrt(mean(x²) + eps); x / scale`, and for `LN` then `· w + b`.
 * RMSNorm (`RMS`, `RMSPre`): the same without the mean and without `b`.
 *
 * Hook points `hook_scale` [..., 1] and `hook_normalized`; the division uses the scale as hooked, so that replacing it
 * freezes the norm. `hook_normalized` stands after `· w + b` for `LN` and before `· w` for `RMS`, as in TransformerLens 2.
 */
export function norm(x: Tensor, type: NormalizationType, eps: number, scope: Scope): Tensor {
  const layerNorm = type === "LN" || type === "LNPre";
  const centred = layerNorm ? x.sub(x.mean(-1, true)) : x;
  const variance = centred.mul(centred).mean(-1, true);
  const scale = scope.point("hook_scale", variance.add(x.constant(eps)).sqrt());
  const normalized = centred.div(scale);
  if (type === "LN") {
    return scope.point("hook_normalized", normalized.mul(scope.weight("w")).add(scope.weight("b")));
  }
  const out = scope.point("hook_normalized", normalized);
  return type === "RMS" ? out.mul(scope.weight("w")) : out;
}
