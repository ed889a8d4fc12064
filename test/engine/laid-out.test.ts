/** Weights in new layouts: the numbers that the ops' definitions give, in steps that leave room for others. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { laidOut } from "../../src/engine/laid-out.ts";
import { interpret } from "../../src/engine/reference.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { ndarray, sizeOf } from "../../src/tensor/array.ts";

/** A weight of different numbers. */
const weight = (shape: readonly number[]) =>
  Tensor.leaf(
    ndarray(
      "float32",
      shape,
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => i),
    ),
    [],
    "weight",
  );

type Change = (x: Tensor) => Tensor;

/** An op on some axes of whatever it gets, by numbers of which it takes the rest. */
const change: fc.Arbitrary<Change> = fc
  .tuple(
    fc.constantFrom("permute", "slice", "concat", "self", "merge", "split", "unsqueeze", "squeeze", "repeat"),
    fc.nat(1000),
    fc.nat(1000),
  )
  .map(([op, a, b]): Change => {
    const at = (x: Tensor) => (x.shape.length === 0 ? 0 : a % x.shape.length);
    const changes: Record<typeof op, Change> = {
      permute: (x) => x.permute(x.shape.map((_, i) => (i + a) % x.shape.length)),
      slice: (x) => x.slice(at(x), b % x.shape[at(x)], x.shape[at(x)]),
      concat: (x) => x.concat(x.slice(at(x), 0, 1 + (b % x.shape[at(x)])), at(x)),
      self: (x) => x.transpose().concat(x.transpose(), -1),
      merge: (x) => x.mergeAxes(0, 1 + (a % x.shape.length)),
      split: (x) => x.splitAxis(at(x), x.shape[at(x)] % 2 === 0 ? { "": 2, rest: -1 } : { "": 1, rest: -1 }),
      unsqueeze: (x) => x.unsqueeze(at(x)),
      squeeze: (x) => (x.shape.length > 2 && x.shape[at(x)] === 1 ? x.squeeze(at(x)) : x),
      repeat: (x) => (x.shape[at(x)] === 1 ? x.repeat(at(x), 1 + (b % 3)) : x),
    };
    return changes[op];
  });

function whole(layout: Tensor) {
  const steps = laidOut(layout);
  for (let turns = 0; ; turns++) {
    const step = steps.next();
    if (step.done) return { ...step.value, turns };
  }
}

test("any row of layout ops gives the numbers of their definitions", () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 21 }), { minLength: 2, maxLength: 4 });
  let copied = 0;
  fc.assert(
    fc.property(shapes, fc.array(change, { minLength: 1, maxLength: 6 }), (shape, changes) => {
      fc.pre(sizeOf(shape) < 5000);
      const layout = changes.reduce(
        (x, one) => (sizeOf(x.shape) > 20_000 || x.shape.length < 2 ? x : one(x)),
        weight(shape),
      );
      if (layout.op === null) return;
      const found = whole(layout);
      const [right] = interpret([layout]);
      expect(found.shape).toEqual(right.shape);
      expect(found.dtype).toBe("float32");
      expect(Array.from(found.data)).toEqual(Array.from(right.data));
      copied++;
    }),
    { numRuns: 500 },
  );
  expect(copied).toBeGreaterThan(300);
});

test("a large matrix is transposed a part at a time, and its own numbers stay", () => {
  const w = weight([515, 20_003]);
  const { data, turns } = whole(w.transpose());
  expect(turns).toBeGreaterThan(2);
  for (const [row, column] of [
    [0, 0],
    [514, 20_002],
    [513, 19_999],
    [3, 16],
    [512, 12_345],
  ]) {
    expect(data[column * 515 + row]).toBe(w.data[row * 20_003 + column]);
  }
  const back = whole(Tensor.leaf(ndarray("float32", [20_003, 515], data as Float32Array), [], "weight").transpose());
  expect(Buffer.from(back.data.buffer).equals(Buffer.from(w.data.buffer))).toBe(true);
});

test("one that ends as the weight lies is not copied", () => {
  const w = weight([3, 4]);
  expect(whole(w.transpose().transpose()).data).toBe(w.data);
});
