/** Wrong arguments in plain JavaScript: each public function of graphs and engines refuses them in a sentence, or takes them. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { interpret } from "../../src/engine/reference.ts";
import { tensor } from "../../src/graph/from-numbers.ts";
import { print } from "../../src/graph/print.ts";
import { grad } from "../../src/graph/rewrite/grad.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { ArgumentError, GlassformerError, ShapeError } from "../../src/tensor/errors.ts";

const x = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
const deep = () => {
  let list: unknown[] = [];
  for (let i = 0; i < 20_000; i++) list = [list];
  return list;
};
const cyclic: unknown[] = [];
cyclic.push(cyclic);
const unruly = { toString: 1, valueOf: null };

const junk = fc.oneof(
  fc.constantFrom<unknown>(
    ...[undefined, null, true, "", "x", "pos", 0, 1, -1, 0.5, NaN, Infinity, -(2 ** 53), 2 ** 32 + 5, 10n],
    ...[Symbol("s"), () => 1, {}, [], [[]], [1, [2]], { a: 1 }, { 0: 1 }, { length: 3 }, unruly, deep(), cyclic],
    ...[new Map(), new Date(NaN), new Float32Array(2), new BigInt64Array(2), new DataView(new ArrayBuffer(8))],
    ...[
      { dtype: "float32", shape: [2], data: new Float32Array(3) },
      { dtype: "int8", shape: [], data: new Int8Array(1) },
    ],
    ...[x, [x], [x, 5], tensor([1, 2], { dtype: "int32" }), tensor([true, false]), tensor(3), tensor([[7]])],
    ...[{ signal: 5 }, { axes: "x" }, { shape: [-1, -6] }, { dtype: "half" }, { ax: 1 }],
  ),
  fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true, maxDepth: 2 }),
);

/** What is public, as functions of any arguments. */
const engine = new Engine(nodeBackend({ threads: 1 }));
const prototypes: object[] = [];
for (let at: object = Tensor.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at)) prototypes.push(at);
const NOT_PUBLIC = ["constructor", "operand", "fromEnd", "reduced", "index", "applied", "leaf", "unless", "listed"];
NOT_PUBLIC.push("backwards", "triangle", "laidOut", "takenApart", "without", "withNew", "putTogether");
const methods = prototypes.flatMap((prototype) =>
  Object.getOwnPropertyNames(prototype).filter(
    (name) =>
      typeof Object.getOwnPropertyDescriptor(prototype, name)!.value === "function" && !NOT_PUBLIC.includes(name),
  ),
);
const doors: [string, (...given: unknown[]) => unknown][] = [
  ...methods.map(
    (name) => [name, (...given: unknown[]) => (x as never)[name as never] && call(x, name, given)] as never,
  ),
  ["Tensor.apply", (...given) => call(Tensor, "apply", given)],
  ["Tensor.leaf", (...given) => call(Tensor, "leaf", given)],
  ["tensor", tensor as never],
  ["tensor with options", (options) => tensor([1, 2, 3, 4, 5, 6], options as never)],
  ["grad", grad as never],
  ["grad with options", (options) => grad(x.sum(), [x], options as never)],
  ["grad with a change", (changed) => grad(x.sum(), [x], { change: () => changed as never })],
  ["print", print as never],
  ["new Engine", (...given) => new Engine(...(given as [never]))],
  ["new Engine with options", (options) => new Engine(nodeBackend(), options as never)],
  ["Engine.run", (...given) => call(engine, "run", given)],
  ["Engine.run with options", (options) => engine.run([x.add(1)], options as never)],
  ["Engine.program", (...given) => call(engine, "program", given)],
  ["a program", async (arrays) => (await engine.program([x], [x.add(1)]))(arrays as never)],
  ["Engine.explain", (...given) => call(engine, "explain", given)],
  ["Engine.forget", (...given) => call(engine, "forget", given)],
  ["Engine.plannedBytes", (...given) => call(engine, "plannedBytes", given)],
  ["nodeBackend", nodeBackend as never],
];

function call(of: unknown, name: string, given: unknown[]): unknown {
  return (of as Record<string, (...given: unknown[]) => unknown>)[name](...given);
}

test.each(doors)("%s refuses what it cannot take, and says why", async (_, door) => {
  await fc.assert(
    fc.asyncProperty(fc.array(junk, { maxLength: 4 }), async (given) => {
      try {
        const result = await door(...given);
        // What is taken is a value that can be worked with.
        if (result instanceof Tensor && result.shape.length < 9) print([result]);
      } catch (error) {
        if (!(error instanceof GlassformerError)) throw error;
        expect(error.message).toMatch(/^\S.{8,}[.!?:)]/s);
      }
    }),
    { numRuns: 150 },
  );
});

test.each([
  ["a misspelt option", () => nodeBackend({ thread: 2 } as never), ArgumentError, /no option "thread".*"threads"/],
  ["negative threads", () => nodeBackend({ threads: -1 }), ArgumentError, /whole number from 1 to/],
  ["no backend", () => new Engine(null as never), ArgumentError, /not null/],
  ["no number", () => tensor("x" as never), ArgumentError, /not from "x"/],
  [
    "an id that wraps",
    () => tensor([2 ** 32 + 5], { dtype: "int32" }),
    ArgumentError,
    /4294967301 is not a number of dtype int32/,
  ],
  ["a broken index", () => x.get(0.5, 0), ShapeError, /outside/],
  ["more axes than there are", () => tensor([1], { axes: ["a", "b"] }), ShapeError, /no 2 axes/],
  ["an axis named twice", () => x.sum([0, -2]), ShapeError, /twice/],
  ["axes to merge that are not there", () => x.mergeAxes(1, 5), ShapeError, /no 5 axes/],
  ["a role that no leaf has", () => Tensor.leaf(x.array!, [], "leaf" as never), ArgumentError, /"weight"/],
  ["a result that an op does not make", () => x.topK(1).values.result(2), ArgumentError, /0 or 1/],
  ["an op on anything but a tensor", () => x.topK(1).values.on([5 as never]), ArgumentError, /needs tensors, not 5/],
  ["a shape of negative sizes", () => tensor([1], { shape: [-1, -1] }), ArgumentError, /from 0 up/],
])("%s is refused", (_, make, type, words) => {
  expect(make).toThrow(type);
  expect(make).toThrow(words);
});

test("an index of the graph that is outside its axis gets an error that says so", async () => {
  const index = tensor([1, 9], { dtype: "int32" });
  await expect(engine.run([x.gather(0, index)])).rejects.toThrow(ShapeError);
  await expect(engine.run([x.gather(0, index)])).rejects.toThrow(/Index 9 is outside/);
});

test("a leaf with fewer numbers than its shape says does not run", async () => {
  const short = Tensor.leaf({ dtype: "float32", shape: [2, 3], data: new Float32Array(5) });
  await expect(engine.run([short.add(1)])).rejects.toThrow(/shape \[2,3\] holds 6 numbers, but 5 were given/);
});

test("rows of typed arrays are as good as lists", () => {
  expect(interpret([tensor([Float32Array.of(1, 2), Float32Array.of(3, 4)] as never)])[0].toArray()).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test.each([
  ["float32", new Int32Array(2)],
  ["int32", new Float32Array(2)],
  ["bool", new Uint8ClampedArray(2)],
  ["float32", new DataView(new ArrayBuffer(8))],
] as const)("a leaf of dtype %s is not made of %o", (dtype, data) => {
  expect(() => Tensor.leaf({ dtype, shape: [2], data } as never)).toThrow(ArgumentError);
  expect(() => Tensor.leaf({ dtype, shape: [2], data } as never)).toThrow(/must be in a \w+Array, not in a/);
});
