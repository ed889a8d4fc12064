/** The methods that PyTorch, einops and fancy_einsum have too: their numbers, by the engine and by the reference interpreter. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { interpret } from "../../src/engine/reference.ts";
import {
  arange,
  concat,
  einsum,
  eye,
  full,
  grad,
  ones,
  randn,
  stack,
  type Tensor,
  tensor,
  where,
  zeros,
} from "../../src/index.ts";
import { sizeOf } from "../../src/tensor/array.ts";

const golden = JSON.parse(readFileSync(new URL("../goldens/tensor_methods.json", import.meta.url), "utf8"));
const engine = new Engine(nodeBackend({ threads: 1 }));
afterAll(() => engine.dispose());

const x = tensor(golden.inputs.x, { axes: ["batch", "pos", "head"] });
const y = tensor(golden.inputs.y, { axes: ["batch", "pos", "head"] });
const w = tensor(golden.inputs.w, { axes: ["batch", "pos", "head"] });
const square = tensor(golden.inputs.square, { axes: ["head", "query", "key"] });
const withZeros = tensor(golden.inputs.withZeros, { axes: ["batch", "pos", "head"] });

const METHODS: Readonly<Record<string, () => Tensor>> = {
  var: () => x.var("head"),
  "var of all": () => x.var(),
  "var, uncorrected, kept": () => x.var("pos", true, 0),
  std: () => x.std(-1),
  "std of two axes": () => x.std(["batch", "head"]),
  norm: () => x.norm("head"),
  "norm of all": () => x.norm(),
  "norm of order 1": () => x.norm("pos", false, 1),
  "norm of order 3": () => x.norm("head", false, 3),
  "norm of order Infinity": () => x.norm("head", false, Infinity),
  cumsum: () => x.cumsum(),
  "cumsum of columns": () => x.cumsum("pos"),
  cosineSimilarity: () => x.cosineSimilarity(y),
  "cosineSimilarity of columns": () => x.cosineSimilarity(y, "pos"),
  argmin: () => x.argmin(),
  sort: () => x.sort().values,
  "sort of columns": () => x.sort("pos").values,
  argsort: () => x.argsort(),
  "argsort, descending": () => x.argsort("head", true),
  clip: () => x.clip(-1, 1.5),
  "clip below": () => x.clip(0.5),
  round: () => x.mul(2).round(),
  flatten: () => x.flatten(),
  "flatten of two axes": () => x.flatten("pos", "head"),
  reshape: () => x.reshape([4, -1]),
  diagonal: () => square.diagonal(),
  "diagonal 1": () => square.diagonal(1),
  "diagonal -2": () => square.diagonal(-2, "query", "key"),
  "diagonal of other axes": () => x.diagonal(0, "batch", "head"),
  tril: () => square.tril(),
  "tril -1": () => square.tril(-1),
  "triu 1": () => x.triu(1),
  oneHot: () =>
    tensor(
      [
        [0, 2],
        [1, 1],
      ],
      { dtype: "int32" },
    ).oneHot(3),
  einsum: () => x.einsum("batch pos head, batch key head -> batch pos key", w),
  stack: () => stack([x, y], 1),
  concat: () => concat([x, y], -1),
  range: () => x.at({ pos: { start: 1 }, head: { start: -3, end: -1 } }),
};

const GRADIENTS: Readonly<Record<string, (t: Tensor) => Tensor>> = {
  std: (t) => t.std("head"),
  norm: (t) => t.norm("head"),
  clip: (t) => t.clip(-1, 1.5),
  cumsum: (t) => t.cumsum(),
  cosineSimilarity: (t) => t.cosineSimilarity(y),
  sort: (t) => t.sort().values,
  diagonal: (t) => t.diagonal(1, "batch", "head"),
};

/** A value's numbers, the same by the engine and by the definition. */
async function numbersOf(value: Tensor): Promise<Tensor> {
  const [run] = await engine.run([value]);
  const [defined] = interpret([value]);
  near(run, defined);
  return run;
}

function near(a: Tensor, b: Tensor): void {
  expect(a.shape).toEqual(b.shape);
  a.data.forEach((v: number, i: number) => {
    expect(Math.abs(v - b.data[i]), `${v} and ${b.data[i]}`).toBeLessThan(1e-5 * Math.max(1, Math.abs(v)));
  });
}

describe("PyTorch's numbers", () => {
  test("are all asked for", () => {
    expect(Object.keys(METHODS)).toEqual(Object.keys(golden.results));
    expect(Object.keys(GRADIENTS)).toEqual(Object.keys(golden.gradients));
  });

  test.each(Object.entries(METHODS))("are those of %s", async (name, make) => {
    near(await numbersOf(make()), tensor(golden.results[name]));
  });

  test.each(Object.entries(GRADIENTS))("are those of the gradient of %s", async (name, make) => {
    const result = make(withZeros);
    const size = sizeOf(result.shape);
    const ramp = tensor(
      Float32Array.from({ length: size }, (_, i) => i + 1),
      { shape: result.shape },
    );
    const [gradient] = grad(result.mul(ramp).sum(), [withZeros]);
    near(await numbersOf(gradient), tensor(golden.gradients[name]));
  });
});

describe("names of axes", () => {
  const q = randn({ batch: 2, pos: 3, head: 2, d_head: 4 }, { seed: 1 });
  const k = randn({ batch: 2, pos: 5, head: 2, d_head: 4 }, { seed: 2 });

  test("in einsum are the result's, and give what letters give", async () => {
    const scores = q.einsum("batch query head d_head, batch key head d_head -> batch head query key", k);
    expect(scores.axes).toEqual(["batch", "head", "query", "key"]);
    near(await numbersOf(scores), await numbersOf(q.einsum("bqhe,bkhe->bhqk", k)));
    expect(einsum("b q h e, b k h e -> b h q k", q, k).axes).toEqual(["batch", "head", "pos", "pos"]);
  });

  test("in einsum may leave axes to dots, in front and elsewhere", async () => {
    const W = randn({ d_head: 4, d_model: 6 }, { seed: 3 });
    const infront = q.einsum("... d_head, d_head d_model -> ... d_model", W);
    expect(infront.axes).toEqual(["batch", "pos", "head", "d_model"]);
    near(await numbersOf(infront), await numbersOf(q.einsum("bphe,em->bphm", W)));
    const middle = q.einsum("batch ... d_head, d_head d_model -> d_model batch ...", W);
    expect(middle.axes).toEqual(["d_model", "batch", "pos", "head"]);
    near(await numbersOf(middle), await numbersOf(q.einsum("bphe,em->mbph", W)));
  });

  test("in rearrange split, order and merge axes, and add new ones", async () => {
    const z = randn({ batch: 2, pos: 3, d_model: 8 }, { seed: 4 });
    const split = z.rearrange("batch pos (head d_head) -> batch head pos d_head", { head: 2 });
    expect([split.axes, split.shape]).toEqual([
      ["batch", "head", "pos", "d_head"],
      [2, 2, 3, 4],
    ]);
    near(await numbersOf(split), await numbersOf(z.reshape([2, 3, 2, 4]).permute([0, 2, 1, 3])));
    near(await numbersOf(split.rearrange("batch head pos d_head -> batch pos (head d_head)")), z);
    const short = z.rearrange("b p d -> (b p) 1 d");
    expect([short.axes, short.shape]).toEqual([
      ["", "", "d_model"],
      [6, 1, 8],
    ]);
    const repeated = z.rearrange("... d_model -> copy ... d_model", { copy: 3 });
    expect(repeated.axes).toEqual(["copy", "batch", "pos", "d_model"]);
    near(await numbersOf(repeated), await numbersOf(stack([z, z, z])));
  });

  test("in reduce that the right side lacks are taken together", async () => {
    const mean = q.reduce("batch pos head d_head -> head pos", "mean");
    expect(mean.axes).toEqual(["head", "pos"]);
    near(await numbersOf(mean), await numbersOf(q.mean(["batch", "d_head"]).transpose()));
    near(
      await numbersOf(q.reduce("batch pos head (pair two) -> batch pos head pair", "max", { two: 2 })),
      await numbersOf(q.splitAxis("d_head", { pair: -1, two: 2 }).max("two")),
    );
    near(await numbersOf(q.reduce("... ->", "sum")), await numbersOf(q.sum()));
  });

  test("in at take one place, several, or a range", async () => {
    const part = q.at({ pos: { end: -1 }, head: 1, d_head: [0, 2] });
    expect([part.axes, part.shape]).toEqual([
      ["batch", "pos", "d_head"],
      [2, 2, 2],
    ]);
    expect((await numbersOf(part)).get(1, 1, 1)).toBe(q.get(1, 1, 1, 2));
    const zeroed = await numbersOf(q.set({ pos: { start: 1 } }, 0));
    expect(zeroed.get(1, 1, 1, 1)).toBe(0);
    expect(zeroed.get(1, 0, 1, 1)).toBe(q.get(1, 0, 1, 1));
  });
});

describe("identities", () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
  const cases = fc
    .tuple(shapes, fc.integer({ min: 1, max: 9999 }), fc.nat())
    .map(([shape, seed, n]) => ({ t: randn(shape, { seed }), axis: n % shape.length, seed }));
  const holds = (check: (of: { t: Tensor; axis: number; seed: number }) => void) =>
    fc.assert(fc.property(cases, check), { numRuns: 60 });
  const same = (a: Tensor, b: Tensor) => near(interpret([a])[0], interpret([b])[0]);

  test("sort is what argsort gathers, and backwards it is the descending one", () => {
    holds(({ t, axis }) => {
      const { values, indices } = t.sort(axis);
      const last = t.shape.length - 1;
      const rows = (v: Tensor) => interpret([v.transpose(axis, last)])[0].reshape([-1, v.shape[axis]]);
      const [sorted, order, own] = [values, indices, t].map((v) => interpret([rows(v)])[0].toArray() as number[][]);
      const expected = own.map((row) => [...row].sort((a, b) => a - b));
      sorted.forEach((row, i) => {
        near(tensor(row), tensor(expected[i]));
        expect(order[i].map((at) => own[i][at])).toEqual(row);
      });
      same(t.sort(axis, true).values, t.neg().sort(axis).values.neg());
    });
  });

  test("the last running sum is the sum, and both directions meet", () => {
    holds(({ t, axis }) => {
      same(t.cumsum(axis).slice(axis, -1).squeeze(axis), t.sum(axis));
      same(t.cumsum(axis).add(t.cumsum(axis, true)).sub(t), t.sum(axis, true).expandLike(t));
    });
  });

  test("a pattern and its inverse give the value back", () => {
    holds(({ t }) => {
      const names = t.shape.map((_, i) => `axis_${i}`);
      const sizes = Object.fromEntries(names.map((name, i) => [name, t.shape[i]]));
      const backwards = `(${[...names].reverse().join(" ")})`;
      const there = t.rearrange(`${names.join(" ")} -> ${backwards}`);
      same(there.rearrange(`${backwards} -> ${names.join(" ")}`, sizes), t);
      same(t.reduce(`${names.join(" ")} -> ${names[0]}`, "sum"), t.sum(names.slice(1).map((_, i) => i + 1)));
    });
  });

  test("a value is as similar to itself as can be, and its norm is that of einsum with itself", () => {
    holds(({ t }) => {
      same(
        t.cosineSimilarity(t),
        t
          .norm()
          .mul(0)
          .add(ones(t.shape.slice(0, -1))),
      );
      same(t.norm(), t.flatten().einsum("i,i->", t.flatten()).pow(0.5));
    });
  });

  test("both triangles and the diagonal make the matrix", () => {
    holds(({ seed }) => {
      const m = randn([1 + (seed % 4), 1 + (seed % 3)], { seed });
      same(m.tril(-1).add(m.triu()), m);
      same(
        m.diagonal(),
        m
          .mul(eye(...(m.shape as [number, number])))
          .sum(m.shape[0] <= m.shape[1] ? 1 : 0)
          .slice(0, 0, Math.min(...m.shape)),
      );
    });
  });
});

describe("sorting and extremes of special numbers", () => {
  const odd = tensor([NaN, 2, -Infinity, 2, Infinity, -1]);

  test("put NaN with the infinite, at the end of ascending numbers", async () => {
    const { values, indices } = odd.sort();
    expect((await numbersOfOdd(values)).toArray()).toEqual([-Infinity, -1, 2, 2, NaN, Infinity]);
    expect((await numbersOfOdd(indices)).toArray()).toEqual([2, 5, 1, 3, 0, 4]);
    expect((await numbersOfOdd(odd.argmin())).item()).toBe(0);
    expect((await numbersOfOdd(odd.clip(-1, 1))).toArray()).toEqual([NaN, 1, -1, 1, 1, -1]);
    expect((await numbersOfOdd(odd.cumsum())).toArray().slice(1)).toEqual(new Array(5).fill(NaN));
    expect((await numbersOfOdd(tensor([1, Infinity, 2]).cumsum())).toArray()).toEqual([1, Infinity, Infinity]);
  });

  test("find the smallest int32", async () => {
    const least = tensor([3, -(2 ** 31), 2 ** 31 - 1], { dtype: "int32" });
    expect((await numbersOfOdd(least.argmin())).item()).toBe(1);
    expect((await numbersOfOdd(least.sort().values)).toArray()).toEqual([-(2 ** 31), 3, 2 ** 31 - 1]);
  });

  async function numbersOfOdd(value: Tensor): Promise<Tensor> {
    const [run] = await engine.run([value]);
    expect([...interpret([value])[0].data]).toEqual([...run.data]);
    return run;
  }
});

test("tensors are made of shapes, with names or without", () => {
  expect(zeros({ batch: 1, pos: 2 })).toMatchObject({ axes: ["batch", "pos"], shape: [1, 2], dtype: "float32" });
  expect(ones([2], { dtype: "int32" }).toArray()).toEqual([1, 1]);
  expect(full([2], 0.5).toArray()).toEqual([0.5, 0.5]);
  expect(arange(3).toArray()).toEqual([0, 1, 2]);
  expect(arange(5, 0, -2).toArray()).toEqual([5, 3, 1]);
  expect(eye(2, 3).toArray()).toEqual([
    [1, 0, 0],
    [0, 1, 0],
  ]);
  const many = [...randn([10_000], { seed: 3 }).data];
  const mean = many.reduce((a, b) => a + b) / many.length;
  expect(Math.abs(mean)).toBeLessThan(0.05);
  expect(many.reduce((a, b) => a + (b - mean) ** 2, 0) / many.length).toBeCloseTo(1, 1);
  expect([...randn([10_000], { seed: 3 }).data]).toEqual(many);
  expect([...randn([10_000], { seed: 4 }).data]).not.toEqual(many);
});

test("where chooses between numbers and tensors", () => {
  const condition = tensor([true, false]);
  const of = (t: Tensor) => interpret([t])[0].toArray();
  expect(of(where(condition, 1, tensor([5, 6])))).toEqual([1, 6]);
  expect(of(where(condition, tensor([5, 6]), 1))).toEqual([5, 1]);
});

test.each<[string, () => unknown, RegExp]>([
  ["a text in arithmetic", () => x.add("3" as never), /needs a tensor or a number, not "3"/],
  ["shapes that differ", () => x.add(tensor([1, 2])), /\[batch 2, pos 3, head 4\] with \[2\]/],
  ["names in another order", () => x.rearrange("pos batch head -> head"), /has pos in the place of axis batch/],
  [
    "too few names",
    () => x.rearrange("batch pos -> pos batch"),
    /has 2 axes, but the value is \[batch 2, pos 3, head 4\]/,
  ],
  ["an axis that is lost", () => x.rearrange("b p h -> b p"), /has h on the left side alone: reduce/],
  ["a new axis without a size", () => x.rearrange("b p h -> b p h new"), /needs the size of the new axis new/],
  ["two sizes left open", () => x.rearrange("b p (one two) -> b p one two"), /sizes of one and two/],
  ["a size that does not fit", () => x.rearrange("b p (one two) -> b p one two", { one: 3 }), /cannot be split/],
  [
    "a size of no axis",
    () => x.rearrange("b p h -> b p h", { heads: 3 }),
    /no axis of the pattern of rearrange "heads"/,
  ],
  ["a name twice", () => x.rearrange("b p p -> b p"), /has p twice/],
  ["a pattern without an arrow", () => x.rearrange("b p h"), /needs one "->"/],
  ["an open bracket", () => x.rearrange("b p (h -> b p h"), /cannot be read at "\("/],
  ["another reduction", () => x.reduce("b p h -> b", "median" as never), /"sum", "mean", "max" or "min", not "median"/],
  [
    "sizes that differ in einsum",
    () => x.einsum("batch pos head, batch head pos ->", w),
    /has head in the place of axis pos/,
  ],
  ["a name behind the arrow alone", () => x.einsum("batch pos head -> batch key_pos"), /no value has that axis/],
  ["more names than values", () => x.einsum("batch pos head, batch key head ->"), /is of 2 values, but there are 1/],
  [
    "stacking different shapes",
    () => stack([x, square]),
    /one shape, not \[batch 2, pos 3, head 4\] and \[head 2, query 4, key 4\]/,
  ],
  ["joining nothing", () => concat([]), /at least one tensor/],
  ["another size", () => x.reshape([5, -1]), /24 numbers, which cannot be shaped as \[5,-1\]/],
  ["a diagonal outside", () => square.diagonal(4), /nothing on diagonal 4/],
  ["a range of nothing", () => x.at({ pos: { start: 2, end: 1 } }), /selects nothing from axis pos/],
  ["an axis that is not there", () => x.at({ position: 1 }), /no axis .* "position"/],
  ["floats as places", () => x.oneHot(3), /needs int32/],
  ["half a number in int32", () => full([2], 0.5, { dtype: "int32" }), /0.5 is not a number of dtype int32/],
  ["a negative size", () => zeros([-1]), /from 0 up/],
])("%s: an error that says so", (_, make, words) => {
  expect(make).toThrow(words);
});

test("a vector is one row of a product, or one column, as in PyTorch", async () => {
  const vector = tensor([1, 2, 3], { axes: ["d_model"] });
  const matrix = tensor(
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    { axes: ["d_model", "d_vocab"] },
  );
  const products = [vector.matmul(matrix), matrix.transpose(0, 1).matmul(vector), vector.matmul(vector)];
  expect(products.map(({ axes }) => axes)).toEqual([["d_vocab"], ["d_vocab"], []]);
  for (const run of [await engine.run(products), interpret(products)]) {
    expect(run.map(({ data }) => [...data])).toEqual([[22, 28], [22, 28], [14]]);
  }
});
