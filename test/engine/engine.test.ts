import { afterAll, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { Layouts } from "../../src/engine/layouts.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { tensor } from "../../src/graph/from-numbers.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { type NDArray, ndarray } from "../../src/tensor/array.ts";

const engine = new Engine(nodeBackend({ threads: 1 }));
afterAll(() => engine.dispose());

const weight = (shape: readonly number[], from = 0) =>
  Tensor.leaf(
    {
      dtype: "float32",
      shape,
      data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => from + i),
    } as NDArray,
    [],
    "weight",
  );

test("graphs of one structure share one session, whatever their sizes and numbers", async () => {
  const before = engine.sessionsCreated;
  for (const size of [2, 5, 9]) {
    const x = tensor(Float32Array.from({ length: size }, (_, i) => i));
    const [y] = await engine.run([x.mul(size).add(1).sum()]);
    expect(y.item()).toBe(((size - 1) * size * size) / 2 + size);
  }
  expect(engine.sessionsCreated - before).toBe(1);
});

test("two ways to the same value are one step", () => {
  const x = tensor([1, 2, 3]);
  const { plan } = engine.explain([x.exp().add(1), x.exp().mul(2)]);
  expect(plan.steps.filter((s) => s.op === "exp")).toHaveLength(1);
});

test("a constant is part of the structure, a number is fed", () => {
  const x = tensor([1, 2, 3]);
  const key = (y: Tensor) => engine.explain([y]).plan.key;
  expect(key(x.mul(2))).toBe(key(x.mul(3)));
  expect(key(x.mul(x.constant(2)))).not.toBe(key(x.mul(x.constant(3))));
});

test("an output may be a leaf, a constant, or requested twice", async () => {
  const x = tensor([1, 2, 3]);
  const y = x.add(1);
  const [a, b, c, d] = await engine.run([x, x.constant(7), y, y]);
  expect([...a.data]).toEqual([1, 2, 3]);
  expect(b.item()).toBe(7);
  expect(c.data).toEqual(d.data);
});

test("a weight in another layout is made once, and without a copy if the order of its numbers stays", async () => {
  const w = weight([2, 3, 4]);
  const x = weight([1, 3]).mul(1);
  const product = () => x.matmul(w.permute([1, 0, 2]).mergeAxes(1, 2));
  const [first] = await engine.run([product()]);
  const sessions = engine.sessionsCreated;
  const [second] = await engine.run([product()]);
  expect(engine.sessionsCreated).toBe(sessions);
  expect(second.data).toEqual(first.data);
  const [flat] = await engine.run([w.mergeAxes(0, 2)]);
  expect((flat.data as Float32Array).buffer).toBe((w.data as Float32Array).buffer);
});

test("layouts of a weight are kept as far as a model needs them; parts in ever new places are not kept forever", () => {
  const layouts = new Layouts();
  const w = weight([1000, 1000]);
  const parts = Array.from({ length: 300 }, (_, i) => w.slice(0, 0, i + 1));
  const array = (t: Tensor) =>
    ({ dtype: "float32", shape: t.shape, data: new Float32Array(t.shape[0] * 1000) }) as const;
  for (const part of parts) layouts.keep(part, array(part));
  const kept = parts.filter((part) => layouts.get(part));
  const bytes = kept.reduce((sum, part) => sum + 4000 * part.shape[0], 0);
  expect(bytes).toBeLessThan(64e6 + 4 * 8e6);
  expect(kept.length).toBeGreaterThan(10);
  expect(layouts.get(parts[299])).toBeDefined();
  expect(layouts.get(parts[0])).toBeUndefined();
});

test("values and indices of the largest numbers are one step, and either can be used alone", async () => {
  const x = tensor([
    [3, 1, 2],
    [4, 6, 5],
  ]).mul(1);
  const { values, indices } = x.topK(2);
  const { plan } = engine.explain([values, indices, x.topK(2).values.neg()]);
  expect(plan.steps.map((step) => step.op)).toEqual(["mul", "topK", "neg"]);
  const [top, at, best] = await engine.run([values, indices, indices.slice(-1, 0, 1)]);
  expect(top.toArray()).toEqual([
    [3, 2],
    [6, 5],
  ]);
  expect(at.toArray()).toEqual([
    [0, 2],
    [1, 2],
  ]);
  expect(best.toArray()).toEqual([[0], [1]]);
  expect((await engine.run([indices]))[0].dtype).toBe("int32");
  expect((await engine.run([values]))[0].dtype).toBe("float32");
});

test("a program runs again and again on what it returned", async () => {
  const state = tensor([1, 2]);
  const step = await engine.program([state], [state.mul(2), state.sum()]);
  let array: NDArray = state.array!;
  for (let i = 0; i < 3; i++) {
    const [next, sum] = await step([array]);
    expect(sum.data[0]).toBe(3 * 2 ** i);
    array = next;
  }
  expect([...array.data]).toEqual([8, 16]);
});

test("the result of compute() holds its numbers, and an uncomputed value says how to get them", async () => {
  const x = tensor([1, 2, 3]);
  const [y] = await engine.run([x.mul(2)]);
  expect(y.get(-1)).toBe(6);
  expect(() => x.mul(2).data).toThrow(/await x\.compute\(\)/);
});

test("the same op on the same value with other attributes is another value", async () => {
  const x = tensor([1, 2, 3, 4]).splitAxis(0, { row: 2, column: 2 });
  const [rows, columns] = await engine.run([x.sum("column"), x.sum("row")]);
  expect([...rows.data]).toEqual([3, 7]);
  expect([...columns.data]).toEqual([4, 6]);
});

test("a selection along an axis that an op mixes is made after it", async () => {
  const x = tensor([0, 1, 2, 3]).mul(1);
  const [whole, probabilities, logs] = await engine.run([
    x.softmax(),
    x.softmax().slice(0, 1, 3),
    x.logSoftmax().slice(0, 1, 3),
  ]);
  const sum = [0, 1, 2, 3].reduce((total, v) => total + Math.exp(v), 0);
  const expected = [1, 2].map((v) => Math.exp(v) / sum);
  expect(whole.data.length).toBe(4);
  expected.forEach((p, i) => {
    expect(probabilities.data[i]).toBeCloseTo(p, 6);
    expect(logs.data[i]).toBeCloseTo(Math.log(p), 5);
  });
  const [alone] = await engine.run([x.softmax().slice(0, 1, 3)]);
  expect([...alone.data]).toEqual([...probabilities.data]);
});

test("two columns of a product are computed without the others, and more than half of them with them", async () => {
  const rows = tensor([1, 2, 3, 4, 5, 6]).splitAxis(0, { pos: 2, n: 3 });
  const numbers = Float32Array.from({ length: 24 }, (_, i) => Math.cos(i));
  const weight = Tensor.leaf(ndarray("float32", [3, 8], numbers), ["n", "word"], "weight");
  const product = rows.matmul(weight).add(1);
  const all = (await engine.run([product]))[0].data;
  const columns = (indices: readonly number[]) => indices.map((word) => product.at({ pos: -1 }).at({ word }));
  const isWhole = (asked: readonly Tensor[]) => {
    const { steps, sizes } = engine.explain(asked).plan;
    return steps.some(({ outputs }) => sizes[outputs[0].id] === 8);
  };
  expect(isWhole(columns([1, 6]))).toBe(false);
  expect(isWhole(columns([0, 1, 2, 3, 4, 5, 6]))).toBe(true);
  for (const asked of [[1], [1, 6], [0, 1, 2, 3, 4, 5, 6]]) {
    const found = await engine.run(columns(asked));
    found.forEach((value, i) => void expect(value.item()).toBeCloseTo(all[8 + asked[i]], 5));
  }
  const [whole, one] = await engine.run([product, product.at({ pos: 0 }).at({ word: 3 })]);
  expect(one.item()).toBe(whole.get(0, 3));
});

test("one column of a product has the same digits for any number of rows", async () => {
  const n = 512;
  const wave = (by: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(by * (i + 1)));
  const row = wave(3);
  const weight = Tensor.leaf(
    ndarray("float32", [n, 4], Float32Array.from([0, 1, 2, 3].flatMap((by) => [...wave(by)]))),
    ["n", "word"],
    "weight",
  );
  const found = new Set<number>();
  for (const count of [1, 2, 3, 7, 16, 40]) {
    const rows = Float32Array.from({ length: count * n }, (_, i) => row[i % n]);
    const x = Tensor.leaf(ndarray("float32", [count, n], rows), ["pos", "n"]);
    const [column] = await engine.run([x.matmul(weight).at({ word: 2 })]);
    expect(column.shape).toEqual([count]);
    for (const number of column.data) found.add(number);
  }
  expect(found.size).toBe(1);
});

test("a run that was planned to see what memory it takes is not planned again", async () => {
  const x = tensor([1, 2, 3]).mul(2);
  const { plan } = engine.explain([x]);
  expect(engine.explain([x]).plan).toBe(plan);
  expect(engine.explain([x, x.add(1)]).plan).not.toBe(plan);
  expect([...(await engine.run([x]))[0].data]).toEqual([2, 4, 6]);
});

test("a backend that returns too few arrays, or something else, is named", async () => {
  const gives = (result: unknown) =>
    new Engine({
      name: "odd",
      createSession: async () => ({ run: async () => result as NDArray[], release: async () => {} }),
    });
  const x = tensor([1, 2]).mul(2);
  for (const result of [[], undefined, [5], [{ dtype: "int32", shape: [2], data: new Int32Array(2) }]]) {
    await expect(gives(result).run([x])).rejects.toThrow(/The backend "odd" returned .* for value 1 of 1/);
  }
});

test("a backend that does not make a session is named", async () => {
  for (const made of [undefined, 5, {}]) {
    const one = new Engine({ name: "odd", createSession: async () => made as never });
    await expect(one.run([tensor([1, 2]).mul(2)])).rejects.toThrow(/The backend "odd" returned .* as a session/);
  }
});
