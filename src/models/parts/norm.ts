/** LayerNorm and RMSNorm, with and without weights of their own. eps is inside the root. */
import type { Tensor } from "../../graph/tensor.ts";
import type { Scope } from "../scope.ts";

/** A norm's names. */
export interface NormNames {
  readonly weight: "w" | "b";
  readonly point: "hook_scale" | "hook_normalized";
}

/**
 * TransformerLens' names of norms, and what each becomes once its weights are in what reads it: LN has weight and bias, RMS
 * a weight, and the `Pre` forms, which were folded, have neither.
 */
export const NORMS = {
  LN: { subtractsMean: true, weights: true, folded: "LNPre" },
  LNPre: { subtractsMean: true, weights: false, folded: "LNPre" },
  RMS: { subtractsMean: false, weights: true, folded: "RMSPre" },
  RMSPre: { subtractsMean: false, weights: false, folded: "RMSPre" },
} as const;

/** The name of a norm. */
export type NormalizationType = keyof typeof NORMS;

/** A kind of norm. */
export interface NormKind {
  /** LayerNorm subtracts the mean; RMSNorm does not. */
  readonly subtractsMean: boolean;
  /** Whether it has its own weights; those of a folded norm are in what reads it. */
  readonly weights: boolean;
  readonly eps: number;
  /** How many of the last axes are normed together. Default: 1. */
  readonly over?: number;
  /** How many of the last axes `w` has. Default: 1. */
  readonly weightAxes?: number;
  /** Whether it has a `b`. Default: with weights, if it subtracts the mean. */
  readonly bias?: boolean;
}

/**
 * LayerNorm: `x -= mean(x); scale = sqrt(mean(x²) + eps); x / scale`, and with weights then `· w + b`.
 * RMSNorm: the same without the mean and without `b`. Without a kind there is no norm: the result is `x`. Means are over the
 * last axis, or the last few.
 *
 * Hook points `hook_scale` [..., 1] and `hook_normalized`; the division uses the scale as hooked, so that replacing it
 * freezes the norm. `hook_normalized` stands after `· w + b` of a LayerNorm and before `· w` of an RMSNorm, as in
 * TransformerLens 2. Source: Ba et al. 2016; Zhang and Sennrich 2019.
 */
export function norm(x: Tensor, kind: NormKind | null, scope: Scope<NormNames>): Tensor {
  if (!kind) return x;
  const { subtractsMean, weights, eps, over = 1, weightAxes = 1, bias = weights && subtractsMean } = kind;
  const axes = over === 1 ? -1 : Array.from({ length: over }, (_, i) => i - over);
  const centred = subtractsMean ? x.sub(x.mean(axes, true)) : x;
  const variance = centred.mul(centred).mean(axes, true);
  const scale = scope.point("hook_scale", variance.add(x.constant(eps)).sqrt());
  const normalized = centred.div(scale);
  const sizes = Object.fromEntries(x.axes.map((axis, i) => [axis, x.shape[i]]).slice(-weightAxes));
  const w = weights ? scope.weight("w", sizes, "ones") : undefined;
  const b = w && bias ? scope.weight("b", sizes, "zeros") : undefined;
  const weighed = w ? normalized.mul(w) : normalized;
  const whole = b ? weighed.add(b) : weighed;
  const point = scope.point("hook_normalized", subtractsMean ? whole : normalized);
  const result = w && !subtractsMean ? point.mul(w) : point;
  scope.says(({ norms }) => norms.push({ where: scope.prefix.slice(0, -1), input: x, result, subtractsMean, w, b }));
  return result;
}
