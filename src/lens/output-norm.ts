/**
 * What stands between what attention or an MLP computes and its addition to the residual stream: a norm, in models such as
 * Gemma 2 and OLMo 2. With the scale that it had in the run it is linear, so each part of its input (a head's, a neuron's, a
 * bias') has its own part of what is added, and these sum to the whole.
 */
import type { Tensor } from "../graph/tensor.ts";
import type { Weights } from "../models/weights/weights.ts";
import type { Cached } from "./cached.ts";
import { frozenNorm } from "./stack-norm.ts";
import type { StackPart } from "./stack-parts.ts";

/** A norm of what is written. */
export interface OutputNorm {
  /** `blocks.0.ln1_post` */
  readonly where: string;
  readonly subtractsMean: boolean;
  /** Names of its weights. */
  readonly w: string | undefined;
  readonly b: string | undefined;
}

/** A part [... d_model] of what the norm reads, as it is added but for the division by the norm's scale. */
export function unscaled(x: Tensor, norm: OutputNorm | undefined, weights: Weights): Tensor {
  if (!norm) return x;
  const centred = norm.subtractsMean ? x.sub(x.mean(-1, true)) : x;
  return norm.w === undefined ? centred : centred.mul(weights.get(norm.w));
}

/** A part [... d_model] of what the norm reads, as it is added: `at` gives the norm's `hook_scale` [... 1] of a run. */
export function asAdded(
  x: Tensor,
  norm: OutputNorm | undefined,
  weights: Weights,
  at: (point: string) => Tensor,
): Tensor {
  return norm ? unscaled(x, norm, weights).div(at(`${norm.where}.hook_scale`)) : x;
}

/** The same of components. @throws ArgumentError if the norm's scale was not captured */
export function addedParts(part: StackPart, norm: OutputNorm | undefined, from: Cached, what: string): StackPart {
  if (!norm) return part;
  const { where, subtractsMean, w } = norm;
  const frozen = frozenNorm(where, { subtractsMean, weights: w !== undefined });
  from.need(what, [`${where}.hook_scale`]);
  return {
    labels: part.labels,
    vectors: () => frozen.apply(part.vectors(), from),
    sum: () => frozen.apply(part.sum(), from),
    dot: (direction) => frozen.dot([part], direction, from),
  };
}
