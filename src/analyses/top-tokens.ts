/** The largest entries of a vocabulary's numbers: within a run, or of numbers that are here. */
import { Tensor } from "../graph/tensor.ts";
import { ndarray } from "../tensor/array.ts";

/** Entries along the last axis and their numbers, each [...] without it. */
export interface Extreme {
  readonly index: Tensor;
  readonly value: Tensor;
}

/** The k largest along the last axis, the first the largest; only they leave the engine, not the vocabulary. */
export function largest(x: Tensor, k: number): readonly Extreme[] {
  const size = x.shape.at(-1)!;
  const places = Tensor.leaf(
    ndarray(
      "int32",
      [size],
      Int32Array.from({ length: size }, (_, i) => i),
    ),
  );
  const found: Extreme[] = [];
  let rest = x.comparable();
  for (let i = 0; i < Math.min(k, size); i++) {
    const index = Tensor.apply("argmax", [rest], { axis: -1 });
    found.push({ index, value: x.pick(index) });
    rest = x.constant(-Infinity).where(places.equal(index.unsqueeze(-1)), rest);
  }
  return found;
}

/** The indices of the k largest numbers, the largest first; the earlier one where two are equal. */
export function largestIndices(numbers: ArrayLike<number>, k: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < numbers.length; i++) {
    if (best.length === k && numbers[i] <= numbers[best[k - 1]]) continue;
    let at = best.length;
    while (at > 0 && numbers[best[at - 1]] < numbers[i]) at--;
    best.splice(at, 0, i);
    if (best.length > k) best.pop();
  }
  return best;
}
