import { describe, expect, test } from "vitest";
import { interpret } from "../../src/engine/reference.ts";
import { grad } from "../../src/graph/grad.ts";
import { ops } from "../../src/graph/ops/index.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { expectClose } from "../close.ts";
import { cases, numbers } from "./cases.ts";

/** A weighted sum of the value, so that every output element matters differently. */
function objective(value: Tensor): Tensor {
  return value.mul(numbers(value.shape, 77)).sum();
}

function nudged(x: Tensor, i: number, by: number): NDArray {
  const data = Float64Array.from(x.data);
  data[i] += by;
  return { dtype: "float64", shape: x.shape, data };
}

/** Inputs of which only the shape matters. */
const shapeOnly: Readonly<Record<string, (inputs: readonly Tensor[]) => Tensor>> = {
  expandLike: (inputs) => inputs[1],
  reshapeLike: (inputs) => inputs[1],
  scatterAddLike: (inputs) => inputs[0],
  scatterRowsLike: (inputs) => inputs[0],
  placeLike: (inputs) => inputs[0],
};

describe("every op's gradient is that of central differences in float64", () => {
  for (const [op, list] of Object.entries(cases)) {
    for (const { what, inputs, make } of list) {
      const wrt = inputs.filter((x) => x.dtype === "float32");
      const value = make(...inputs);
      if (wrt.length === 0 || value.dtype !== "float32" || op === "sign") continue;
      test(`${op} ${what}`, () => {
        const output = objective(value);
        const differentiable = wrt.filter((x) => !(shapeOnly[op]?.(inputs) === x));
        const found = interpret(grad(output, differentiable));
        differentiable.forEach((x, k) => {
          const h = 1e-5;
          const at = (i: number, by: number) => {
            return interpret([output], new Map([[x, nudged(x, i, by)]]))[0].item();
          };
          const data = Float64Array.from(x.data, (_, i) => (at(i, h) - at(i, -h)) / (2 * h));
          expectClose(found[k], { shape: x.shape, data }, 1e-6);
        });
      });
    }
  }
});

test("an op without a gradient contributes none, and says so when it is the only way", () => {
  const x = numbers([3]);
  expect(() => grad(x.argmax(0).cast("float32").sum(), [x])).toThrow(/does not depend on/);
});

test("a gradient is of a single number", () => {
  const x = numbers([3]);
  expect(() => grad(x.mul(2), [x])).toThrow(/single number/);
});

test("a gradient can be differentiated again", () => {
  const x = numbers([3]);
  const [first] = grad(x.mul(x).mul(x).sum(), [x]);
  const [second] = interpret(grad(first.sum(), [x]));
  expectClose(second, { shape: [3], data: Float64Array.from(x.data, (v) => 6 * v) }, 1e-6);
});

test("every op record has all its parts", () => {
  for (const op of Object.values(ops)) {
    for (const part of ["infer", "reference", "onnx", "vjp", "along"] as const) expect(op[part]).toBeTypeOf("function");
  }
});
