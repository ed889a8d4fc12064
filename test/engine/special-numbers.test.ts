/** NaN, infinities, -0 and axes of size 0: engines give what PyTorch gives, or the graph is refused. */
import { afterAll, describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { webBackend } from "../../src/engine/ort-web.ts";
import { interpret } from "../../src/engine/reference.ts";
import { tensor } from "../../src/graph/from-numbers.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { ShapeError } from "../../src/tensor/errors.ts";

const long = (at: number) => Array.from({ length: 67 }, (_, i) => (i === at ? NaN : i));
const empty = (...shape: readonly number[]) => tensor(new Float32Array(0), { shape });

/** What PyTorch 2.13 gives. */
const reductions: readonly (readonly [string, readonly number[], (x: Tensor) => Tensor, number])[] = [
  ...[[1, NaN, 2], [NaN, 1, 2], [1, 2, NaN], long(0), long(40), long(66)].flatMap((numbers) => [
    ["max", numbers, (x: Tensor) => x.max(), NaN] as const,
    ["min", numbers, (x: Tensor) => x.min(), NaN] as const,
    ["argmax", numbers, (x: Tensor) => x.argmax(), numbers.findIndex(Number.isNaN)] as const,
    ["logSumExp", numbers, (x: Tensor) => x.logSumExp(), NaN] as const,
  ]),
  ["max", [Infinity, -Infinity, 1], (x) => x.max(), Infinity],
  ["min", [Infinity, -Infinity, 1], (x) => x.min(), -Infinity],
  ["logSumExp", [-Infinity, -Infinity], (x) => x.logSumExp(), -Infinity],
  ["logSumExp", [Infinity, 1], (x) => x.logSumExp(), Infinity],
  ["logSumExp", [Infinity, -Infinity], (x) => x.logSumExp(), Infinity],
];

describe.each([nodeBackend({ threads: 1 }), webBackend()].map((b) => [b.name, b] as const))("on %s", (_, backend) => {
  const engine = new Engine(backend);
  afterAll(() => engine.dispose());

  test.each(reductions)("%s of %j", async (_what, numbers, reduce, expected) => {
    for (const shape of [[numbers.length], [1, numbers.length]]) {
      const value = reduce(tensor(Float32Array.from(numbers), { shape }));
      expect((await engine.run([value]))[0].item()).toBe(expected);
      expect(interpret([value])[0].item()).toBe(expected);
    }
  });

  test("NaN in one row does not affect the others", async () => {
    const x = tensor(Float32Array.of(1, NaN, 2, 3, 5, 4), { shape: [2, 3] });
    const [most, kept] = await engine.run([x.max(-1), x.min(0, true)]);
    expect([...most.data]).toEqual([NaN, 5]);
    expect(kept.shape).toEqual([1, 3]);
    expect([...kept.data]).toEqual([1, NaN, 2]);
  });

  test("topK takes NaN and infinity first, in order, and returns them unchanged; -0 and 0 are equal", async () => {
    const x = tensor(Float32Array.of(1, NaN, Infinity, NaN, -Infinity, 0, -0, 2, Infinity, NaN, -0, 0), {
      shape: [2, 6],
    });
    const { values, indices } = x.topK(5);
    for (const [top, at] of [await engine.run([values, indices]), interpret([values, indices])]) {
      expect(top.toArray()).toEqual([
        [NaN, Infinity, NaN, 1, 0],
        [Infinity, NaN, 2, -0, -0],
      ]);
      expect(at.toArray()).toEqual([
        [1, 2, 3, 0, 5],
        [2, 3, 1, 0, 4],
      ]);
    }
  });

  test("rows with NaN among others, of numbers whose sum is none or is infinite, have their largest where it is", async () => {
    const rows = [
      [3, 1, 2, 5, 4],
      [3, NaN, 9, 5, 4],
      [Infinity, -Infinity, Infinity, 0, 1],
      [-Infinity, -Infinity, 2, -Infinity, -Infinity],
      [3e38, 3e38, -3e38, -3e38, 3.1e38],
      [1, Infinity, NaN, NaN, 7],
    ];
    for (const shape of [
      [6, 5],
      [2, 3, 5],
      [1, 6, 1, 5],
    ]) {
      const x = tensor(Float32Array.from(rows.flat()), { shape });
      const values = [
        x.argmax(),
        x.topK(2).indices,
        x.argmin(),
        x.isTopK(1),
        x.transpose().argmax(-2),
        x.max(-1),
        x.min(-1, true),
      ];
      const found = await engine.run(values);
      const right = interpret(values);
      for (const [i, one] of found.entries()) expect(one.toArray()).toEqual(right[i].toArray());
      expect([...found[0].data]).toEqual([3, 1, 0, 2, 4, 1]);
      expect([...found[1].data]).toEqual([3, 4, 1, 2, 0, 2, 2, 0, 4, 0, 1, 2]);
      expect([...found[5].data]).toEqual([5, NaN, Infinity, 2, Math.fround(3.1e38), NaN]);
    }
    for (const shape of [
      [0, 5],
      [2, 0, 3],
    ]) {
      const [at] = await engine.run([tensor(new Float32Array(0), { shape }).argmax()]);
      expect(at.shape).toEqual(shape.slice(0, -1));
      expect(() => tensor(new Float32Array(0), { shape }).topK(1)).toThrow(/topK needs a row .* has none/);
    }
  });

  test("what a mask hides of a large value is hidden whatever it is, and what it shows stays as it is", async () => {
    const [texts, heads, pos] = [2, 4, 384];
    const causal = Uint8Array.from({ length: pos * pos }, (_, i) => Number(i % pos <= Math.floor(i / pos)));
    const padded = Uint8Array.from({ length: texts * pos }, (_, i) => Number(i % pos > 5));
    const masks = [
      tensor(causal, { shape: [pos, pos], dtype: "bool" }),
      tensor(padded, { shape: [texts, 1, 1, pos], dtype: "bool" }),
    ];
    const data = Float32Array.from({ length: texts * heads * pos * pos }, (_, i) => ((i * 7919) % 1000) - 500);
    for (const odd of [1, NaN, Infinity, -Infinity]) {
      data[1] = odd;
      data[7 * pos + 6] = odd;
      const x = tensor(data, { shape: [texts, heads, pos, pos] });
      for (const mask of masks) {
        const [found] = await engine.run([x.where(mask, x.constant(-Infinity))]);
        const right = interpret([x.where(mask, x.constant(-Infinity))])[0].data;
        expect(found.data.findIndex((n, i) => n !== right[i] && !(Number.isNaN(n) && Number.isNaN(right[i])))).toBe(-1);
      }
    }
  });

  test("topK is the largest, then the largest of the rest, and so on, for rows full of ties", async () => {
    const data = Float32Array.from({ length: 3 * 700 }, (_, i) => (i * i) % 23);
    const x = tensor(data, { shape: [3, 700] });
    const places = tensor(Int32Array.from({ length: 700 }, (_, i) => i));
    let rest = x;
    const one: Tensor[] = [];
    for (let i = 0; i < 40; i++) {
      const index = rest.argmax();
      one.push(index);
      rest = x.constant(-Infinity).where(places.equal(index.unsqueeze(-1)), rest);
    }
    const [indices, ...expected] = await engine.run([x.topK(40).indices, ...one]);
    expect(indices.toArray()).toEqual([0, 1, 2].map((row) => expected.map((index) => index.data[row])));
  });

  test("the constants 0 and -0 are different", async () => {
    const x = tensor([1, -1]);
    const [a, b] = await engine.run([x.div(x.constant(0)), x.div(x.constant(-0))]);
    expect([...a.data]).toEqual([Infinity, -Infinity]);
    expect([...b.data]).toEqual([-Infinity, Infinity]);
  });

  test("values without numbers have as many numbers as their shapes say", async () => {
    const values = [
      empty(0, 3).logSumExp(1),
      empty(2, 0, 3).logSumExp(2),
      empty(0, 3).max(1),
      empty(2, 0).matmul(empty(0, 3)),
      empty(2, 0, 3).mergeAxes(0, 2),
    ];
    const expected = interpret(values);
    const found = await engine.run(values);
    for (const [i, { shape, data }] of found.entries()) {
      expect(shape).toEqual(values[i].shape);
      expect([...data]).toEqual([...expected[i].data]);
    }
  });
});

test("topK takes at most as many numbers as there are, and at least one", () => {
  for (const k of [0, 4, 1.5, -1]) expect(() => tensor([1, 2, 3]).topK(k)).toThrow(/between 1 and 3 of the numbers/);
  expect(() => empty(2, 0).topK(1)).toThrow(ShapeError);
  expect(() => tensor(1).topK(1)).toThrow(ShapeError);
});

test.each(["sum", "mean", "max", "min", "argmax", "logSumExp"] as const)("the %s of no numbers is refused", (op) => {
  for (const [x, axis] of [
    [empty(0), 0],
    [empty(3, 0), 1],
    [empty(2, 0, 3), 1],
  ] as const) {
    expect(() => x[op](axis)).toThrow(ShapeError);
    expect(() => x[op](axis)).toThrow(/axis of size 0/);
  }
});
