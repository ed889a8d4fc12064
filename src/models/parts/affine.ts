/** A weight matrix applied to a value. */
import type { Tensor } from "../../graph/tensor.ts";
import type { Scope } from "../scope.ts";

/** `x W + b`, [... in] to [... out]; without `b` if there is none. */
export function affine(x: Tensor, weight: Tensor, bias: Tensor | undefined, scope: Scope): Tensor {
  const product = x.matmul(weight);
  const result = bias ? product.add(bias) : product;
  scope.says(({ products }) => products.push({ input: x, weight, bias, result }));
  return result;
}

/** `W[ids]`: a row of the weight for each id, [... d_model] for ids [...]. */
export function lookup(weight: Tensor, ids: Tensor, scope: Scope): Tensor {
  const result = weight.gather(-2, ids);
  scope.says(({ lookups }) => lookups.push({ weight, result }));
  return result;
}

/** `stream + value`: a part writes to the residual stream. */
export function write(stream: Tensor, value: Tensor, scope: Scope): Tensor {
  const result = stream.add(value);
  scope.says(({ additions }) => additions.push({ stream, value, result }));
  return result;
}
