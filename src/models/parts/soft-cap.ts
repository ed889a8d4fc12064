/** A soft cap: what grows beyond it is held below it. */
import type { Tensor } from "../../graph/tensor.ts";

/** `cap · tanh(x / cap)`, or `x` without a cap. Source: Bello et al. 2016, arXiv 1611.09940; Gemma 2. */
export function softCap(x: Tensor, cap: number | null): Tensor {
  return cap === null ? x : x.div(x.constant(cap)).tanh().mul(x.constant(cap));
}
