/**
 * The reference interpreter: every op by its own definition, in float64. It says what is right; tests compare the engines
 * with it. It is never the product's engine.
 */
import { ops } from "../graph/ops/index.ts";
import { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import type { NDArray } from "../tensor/array.ts";

/**
 * Computes values in float64, as leaves of dtype float64 (int32 and bool stay). `given` stands in for values of the
 * graph, so that one can be changed by less than float32 resolves.
 */
export function interpret(outputs: readonly Tensor[], given: ReadonlyMap<Tensor, NDArray> = new Map()): Tensor[] {
  const values = new Map<Tensor, NDArray>(given);
  for (const t of topological(outputs, given)) {
    values.set(
      t,
      t.op === null
        ? widened(t.array!)
        : ops[t.op].reference(
            t.inputs.map((x) => values.get(x)!),
            t.attrs,
            t,
            t.output,
          ),
    );
  }
  return outputs.map((t) => Tensor.leaf({ ...values.get(t)!, shape: t.shape } as NDArray, t.axes, "feed", t.label));
}

function widened(array: NDArray): NDArray {
  if (array.dtype !== "float32") return array;
  return { dtype: "float64", shape: array.shape, data: Float64Array.from(array.data) };
}
