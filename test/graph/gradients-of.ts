/** The gradients of a case: the same graph wherever it is compared. */
import { grad } from "../../src/graph/rewrite/grad.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { type Case, numbers } from "./cases.ts";

/** What a case is differentiated with respect to. */
export const floatInputs = ({ inputs }: Case): Tensor[] => inputs.filter((x) => x.dtype === "float32");

/** A weighted sum of a case's value, so that each number of it matters differently; none for a value of no floats. */
export function objective({ inputs, make }: Case): Tensor | undefined {
  const value = make(...inputs);
  if (value.dtype !== "float32" || !inputs.some((x) => x.dtype === "float32")) return undefined;
  return value.mul(numbers(value.shape, 77)).sum();
}

/** Of the objective with respect to each float input. */
export function gradientsOf(example: Case): Tensor[] {
  const sum = objective(example);
  return sum ? grad(sum, floatInputs(example), { unused: "zero" }) : [];
}

/** A weighted sum of the objective's gradients, to be differentiated again; none if there are none. */
export function slope(example: Case): Tensor | undefined {
  const found = gradientsOf(example);
  if (found.length === 0) return undefined;
  return found.map((g, i) => g.mul(numbers(g.shape, 5 + i)).sum()).reduce((a, b) => a.add(b));
}
