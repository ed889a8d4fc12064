/** How a norm transforms the components of its input: what "applyLn" does to a residual stack. */
import type { Tensor } from "../graph/tensor.ts";
import { type NormKind, norm } from "../models/parts/norm.ts";
import { Scope } from "../models/scope.ts";
import type { Cached, StackNorm } from "./cached.ts";
import { joined, slab } from "./stack-parts.ts";

const centred = (x: Tensor) => x.sub(x.mean(-1, true));

/**
 * The norm with the scale that it had in the run: `(x - mean(x)) / scale · w`, without the mean for an RMSNorm. The norm's
 * own bias belongs to no component: the components' sum is the norm's result without it. A direction goes backwards
 * through the norm, `d -> w · d - mean(w · d)`, so that products with it need no normalized components.
 */
export function frozenNorm(where: string, kind: Pick<NormKind, "subtractsMean" | "weights">): StackNorm {
  const scale = (cache: Cached) => cache.need("applyLn", [`${where}.hook_scale`])[0];
  const weight = (cache: Cached) => (kind.weights ? cache.model.weights.get(`${where}.w`) : undefined);
  return {
    where,
    linear: true,
    apply(x, cache) {
      const scaled = (kind.subtractsMean ? centred(x) : x).div(scale(cache));
      const w = weight(cache);
      return w ? scaled.mul(w) : scaled;
    },
    dot(parts, direction, cache) {
      const w = weight(cache);
      const weighted = w ? direction.mul(w) : direction;
      const before = kind.subtractsMean ? centred(weighted) : weighted;
      return joined(parts.map((part) => part.dot(before))).div(scale(cache).squeeze(-1));
    },
  };
}

/** The norm applied to each component as if it were the whole stream, with its own scale: the logit lens. */
export function ownNorm(where: string, kind: NormKind): StackNorm {
  const apply = (x: Tensor, { model }: Cached) => {
    const quiet = { reads: () => false, hooks: () => false };
    const trace = { weights: model.weights, wanted: quiet, points: new Map(), asides: new Set<string>() };
    return norm(x, kind, new Scope(trace, `${where}.`));
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
