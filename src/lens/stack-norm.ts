/** How a norm passes on the components of its input: what "applyLn" does to a residual stack. */
import type { Tensor } from "../graph/tensor.ts";
import { norm } from "../models/blocks/norm.ts";
import { Scope } from "../models/blocks/scope.ts";
import type { NormalizationType } from "../models/config.ts";
import type { Cached, StackNorm } from "./cached.ts";
import { joined, slab } from "./stack-parts.ts";

const centred = (x: Tensor) => x.sub(x.mean(-1, true));
const subtractsMean = (type: NormalizationType) => type === "LN" || type === "LNPre";

const hasWeight = (type: NormalizationType) => type === "LN" || type === "RMS";

/**
 * The norm with its scale as it was in the run: `(x - mean(x)) / scale · w`, without the mean for an RMSNorm. The norm's
 * own bias belongs to no component: the components' sum is the norm's result without it. A direction goes through the
 * norm from behind, `d -> w · d - mean(w · d)`, so that products with it need no normalized components.
 */
export function frozenNorm(where: string, type: NormalizationType): StackNorm {
  const scale = (cache: Cached) => cache.need("applyLn", [`${where}.hook_scale`])[0];
  const weight = (cache: Cached) => (hasWeight(type) ? cache.model.weights.get(`${where}.w`) : undefined);
  return {
    where,
    linear: true,
    apply(x, cache) {
      const scaled = (subtractsMean(type) ? centred(x) : x).div(scale(cache));
      const w = weight(cache);
      return w ? scaled.mul(w) : scaled;
    },
    dot(parts, direction, cache) {
      const w = weight(cache);
      const weighted = w ? direction.mul(w) : direction;
      const before = subtractsMean(type) ? centred(weighted) : weighted;
      return joined(parts.map((part) => part.dot(before))).div(scale(cache).squeeze(-1));
    },
  };
}

/** The norm applied to each component as if it were the whole stream, with a scale of its own: the logit lens. */
export function ownNorm(where: string, type: NormalizationType): StackNorm {
  const apply = (x: Tensor, { model }: Cached) => {
    const quiet = { reads: () => false, hooks: () => false };
    return norm(x, type, model.cfg.eps, new Scope(model.weights, quiet, `${where}.`));
  };
  return {
    where,
    linear: false,
    apply,
    dot(parts, direction, cache) {
      const whole = apply(joined(parts.map((part) => part.vectors())), cache);
      return slab([], whole).dot(direction);
    },
  };
}
