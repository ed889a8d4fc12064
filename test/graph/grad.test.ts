/** Gradients: each op's rule, once and twice, against central differences in float64; and what cannot be differentiated. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { interpret } from "../../src/engine/reference.ts";
import { type OpName, ops } from "../../src/graph/ops/index.ts";
import { grad } from "../../src/graph/rewrite/grad.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { bools, type Case, cases, ints, numbers } from "./cases.ts";
import { floatInputs, gradientsOf, objective, slope } from "./gradients-of.ts";
import { randomCases } from "./random-cases.ts";

const H = 1e-5;

/** `(f(x + h) - f(x - h)) / 2h` for each number of x. */
function centralDifferences(f: Tensor, x: Tensor): NDArray {
  const nudged = (i: number, by: number): NDArray => {
    const data = Float64Array.from(x.data);
    data[i] += by;
    return { dtype: "float64", shape: x.shape, data };
  };
  const at = (i: number, by: number) => interpret([f], new Map([[x, nudged(i, by)]]))[0].item();
  const data = Float64Array.from(x.data, (_, i) => (at(i, H) - at(i, -H)) / (2 * H));
  return { dtype: "float64", shape: x.shape, data };
}

/** Differences of float64 are right to about 1e-7: relative to the largest number, or to 0.1 where all are smaller. */
function expectGradient(found: Tensor, expected: NDArray, tolerance: number): void {
  expect(found.shape).toEqual(expected.shape);
  const scale = [...expected.data].reduce((most, x) => Math.max(most, Math.abs(x)), 0.1);
  const error = [...found.data].reduce((most, x, i) => Math.max(most, Math.abs(x - expected.data[i])), 0);
  expect(error / scale).toBeLessThan(tolerance);
}

function expectGradients(example: Case): void {
  const sum = objective(example);
  if (!sum) return;
  const found = interpret(gradientsOf(example));
  for (const [i, x] of floatInputs(example).entries()) expectGradient(found[i], centralDifferences(sum, x), 1e-6);
}

function expectSecondGradients(example: Case): void {
  const once = slope(example);
  if (!once) return;
  const wrt = floatInputs(example);
  const found = interpret(grad(once, wrt, { unused: "zero" }));
  for (const [i, x] of wrt.entries()) expectGradient(found[i], centralDifferences(once, x), 1e-5);
}

/** What is there to have another gradient than its numbers have is tested below. */
const names = (Object.keys(ops) as OpName[]).filter((op) => op !== "detach");

describe("every op's gradient equals central differences in float64", () => {
  for (const op of names) {
    for (const example of cases[op]) test(`${op} ${example.what}`, () => expectGradients(example));
    test(`${op} of random shapes and broadcasts`, () => {
      fc.assert(fc.property(randomCases[op], expectGradients), { numRuns: 40 });
    });
  }
});

describe("every op's gradient can be differentiated again", () => {
  for (const op of names) {
    for (const example of cases[op]) test(`${op} ${example.what}`, () => expectSecondGradients(example));
    test(`${op} of random shapes and broadcasts`, () => {
      fc.assert(fc.property(randomCases[op], expectSecondGradients), { numRuns: 15 });
    });
  }
});

describe("where two rules are possible, PyTorch's holds", () => {
  const at = (f: (x: Tensor, y: Tensor) => Tensor) => {
    const [x, y] = [numbers([1]).mul(0), numbers([1]).mul(0)];
    return interpret(grad(f(x, y).sum(), [x, y], { unused: "zero" })).map((g) => g.item());
  };
  test.each([
    ["of two equal numbers each gets half, as the larger", (x: Tensor, y: Tensor) => x.maximum(y), [0.5, 0.5]],
    ["of two equal numbers each gets half, as the smaller", (x: Tensor, y: Tensor) => x.minimum(y), [0.5, 0.5]],
    ["all that are largest share", (x: Tensor, y: Tensor) => x.concat(y, 0).max(), [0.5, 0.5]],
    ["relu is flat at 0", (x: Tensor) => x.relu(), [0, 0]],
    ["abs is flat at 0", (x: Tensor) => x.abs(), [0, 0]],
    ["sign is flat", (x: Tensor) => x.sign(), [0, 0]],
    ["0 squared is flat", (x: Tensor) => x.pow(2), [0, 0]],
    ["0 to a power does not depend on it", (x: Tensor, y: Tensor) => x.pow(y.add(2)), [0, 0]],
  ] as const)("%s", (_what, f, expected) => {
    expect(at(f).map((g) => g + 0)).toEqual(expected);
  });
});

describe("detach", () => {
  const [x, y] = [numbers([2, 3], 1), numbers([2, 3], 2)];
  const gradients = (value: Tensor) => interpret(grad(value.sum(), [x, y], { unused: "zero" })).map((g) => [...g.data]);

  test("lets no gradient through, and leaves the numbers as they are", () => {
    const [ofX, ofY] = gradients(x.mul(y).detach().mul(x).mul(y.mul(0).add(1)));
    expect(ofX).toEqual([...interpret([x.mul(y)])[0].data]);
    expect(ofY.every((g) => g === 0)).toBe(true);
    expect([...interpret([x.detach()])[0].data]).toEqual([...interpret([x])[0].data]);
  });

  test("gives the gradient to another value in its place, as a straight-through estimator does", () => {
    const step = x.greaterThan(0).cast("float32");
    const [ofX, ofY] = gradients(step.detach(x.mul(y)).mul(3));
    expect(ofX).toEqual([...y.data].map((v) => 3 * v));
    expect(ofY).toEqual([...x.data].map((v) => 3 * v));
    expect(() => x.detach(x.sum())).toThrow(/value of the same shape/);
    expect(() => x.detach(3 as never)).toThrow(/takes a tensor/);
  });
});

describe("what cannot be differentiated is refused:", () => {
  const x = numbers([3]);

  test("a value of several numbers, or without floats", () => {
    expect(() => grad(x.mul(2), [x])).toThrow(/single number, but this value is float32 \[3\]/);
    expect(() => grad(x.argmax(0), [x])).toThrow(/single number, but this value is int32 \[\]/);
  });

  test("anything but a list of values, and a change of a gradient's shape", () => {
    expect(() => grad(x.sum(), x as never)).toThrow(/grad needs a value and a list/);
    expect(() => grad(x.sum(), [5 as never])).toThrow(/grad needs a value and a list/);
    expect(() => grad(x.mul(x).sum(), [x], { change: (_x, g) => g.sum() })).toThrow(/changed to \[\]/);
  });

  test("with respect to anything but floats, and the error says what to ask for", () => {
    const tokens = ints([2], [0, 1]);
    expect(() => grad(x.gather(0, tokens).sum(), [tokens])).toThrow(
      /floats, but the given value is int32 \[2\].*embed/,
    );
  });

  test("a value that the output does not depend on, unless zeros are asked for", () => {
    const other = numbers([2, 2], 3).point("blocks.0.hook_resid_pre");
    expect(() => grad(x.sum(), [x, other])).toThrow(
      /does not depend on "blocks.0.hook_resid_pre" \[2, 2\].*unused: "zero"/,
    );
    const [of, zeros] = interpret(grad(x.sum(), [x, other], { unused: "zero" }));
    expect([...of.data]).toEqual([1, 1, 1]);
    expect(zeros.shape).toEqual([2, 2]);
    expect([...zeros.data]).toEqual([0, 0, 0, 0]);
  });

  test("a value of which the output uses only the shape counts as one that it does not depend on", () => {
    expect(() => grad(numbers([1]).expandLike(x).sum(), [x])).toThrow(/does not depend on/);
    expect([...interpret(grad(numbers([1]).expandLike(x).sum(), [x], { unused: "zero" }))[0].data]).toEqual([0, 0, 0]);
  });

  test("a path through an op without a rule, naming the op, unless zeros are asked for", () => {
    const chosen = x.argmax(0).cast("float32").mul(3);
    expect(() => grad(chosen, [x])).toThrow(
      /depends on the given value \[3\] only through argmax, which cannot be differentiated/,
    );
    expect([...interpret(grad(chosen, [x], { unused: "zero" }))[0].data]).toEqual([0, 0, 0]);
    expect(() => grad(x.cast("int32").cast("float32").sum(), [x])).toThrow(/only through a cast to int32/);
    const where = numbers([3], 2).where(x.lessThan(0).or(bools([3])), 1);
    expect(() => grad(where.sum(), [x])).toThrow(/only through lessThan/);
  });

  test("such a path next to others contributes nothing, as in PyTorch", () => {
    const top = x.gather(0, x.argmax(0)).add(x.argmax(0).cast("float32"));
    const [found] = interpret(grad(top, [x]));
    const data = [...x.data];
    expect([...found.data]).toEqual(data.map((v) => Number(v === Math.max(...data))));
  });
});

test("every op record has all its parts", () => {
  for (const op of Object.values(ops)) {
    for (const part of ["infer", "reference", "onnx", "vjp", "along"] as const) expect(op[part]).toBeTypeOf("function");
  }
});
