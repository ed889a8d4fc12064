/** One or more cases for every op: the compiler asks for a new op's. Each is run on every engine and differentiated. */
import type { OpName } from "../../src/graph/ops/index.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { sizeOf } from "../../src/tensor/array.ts";

/** Deterministic numbers in (-2, 2), away from the kinks at 0. */
export function numbers(shape: readonly number[], seed = 1, positive = false): Tensor {
  let state = seed * 2654435761;
  const data = Float32Array.from({ length: sizeOf(shape) }, () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9) | 0;
    const u = ((state >>> 8) & 0xffff) / 0x10000;
    const x = 0.1 + 1.8 * u;
    return positive || state & 1 ? x : -x;
  });
  return Tensor.leaf({ dtype: "float32", shape, data } as NDArray);
}

export function ints(shape: readonly number[], values: readonly number[]): Tensor {
  return Tensor.leaf({ dtype: "int32", shape, data: Int32Array.from(values) });
}

export function bools(shape: readonly number[], seed = 1): Tensor {
  const { data } = numbers(shape, seed);
  return Tensor.leaf({ dtype: "bool", shape, data: Uint8Array.from(data, (x) => +(x > 0)) });
}

export interface Case {
  readonly what: string;
  /** What the op is applied to, and what is differentiated where it is a float. */
  readonly inputs: readonly Tensor[];
  readonly make: (...inputs: Tensor[]) => Tensor;
}

const of = (what: string, inputs: readonly Tensor[], make: (...inputs: Tensor[]) => Tensor): Case => ({
  what,
  inputs,
  make,
});

const a = numbers([2, 3, 4], 1);
const each = ints([2, 3, 2], [0, 3, 1, 2, 2, 0, 3, 1, 0, 1, 2, 3]);
const b = numbers([2, 3, 4], 2);
const row = numbers([4], 3);
const column = numbers([3, 1], 4);
const positive = numbers([2, 3, 4], 5, true);

/** Every number a hundred times, in a row of 5000. */
const ties = Tensor.leaf({
  dtype: "float32",
  shape: [2, 5000],
  data: Float32Array.from({ length: 10_000 }, (_, i) => (i * 7) % 50),
});
const odd = Tensor.leaf({
  dtype: "float32",
  shape: [2, 5],
  data: Float32Array.of(1, NaN, Infinity, NaN, -Infinity, 0, -0, 2, Infinity, NaN),
});

const fourMatrices = [11, 12, 13, 14].map((seed) => numbers([4, 5], seed));
const twoMatrices = [15, 16].map((seed) => numbers([4, 3], seed));
const column4 = numbers([2, 3, 1, 4], 17);

const binary = (op: OpName): Case[] => [
  of("of equal shapes", [a, b], (x, y) => Tensor.apply(op, [x, y])),
  of("with a row broadcast", [a, row], (x, y) => Tensor.apply(op, [x, y])),
  of("with a column broadcast", [column, b], (x, y) => Tensor.apply(op, [x, y])),
  of("of a column and a row, both broadcast", [column, row], (x, y) => Tensor.apply(op, [x, y])),
];
const unary = (op: OpName, x = a): Case[] => [of("of numbers", [x], (t) => Tensor.apply(op, [t]))];
const logic = (op: OpName): Case[] => [
  of("of conditions", [bools([2, 3], 1), bools([3], 2)], (x, y) => Tensor.apply(op, [x, y])),
];
const reduction = (op: OpName): Case[] => [
  of("over the last axis", [a], (x) => Tensor.apply(op, [x], { axes: [-1], keepdims: false })),
  of("over the last axis, kept", [a], (x) => Tensor.apply(op, [x], { axes: [-1], keepdims: true })),
  of("over the first and the last axis", [a], (x) => Tensor.apply(op, [x], { axes: [-3, -1], keepdims: false })),
];

export const cases: { readonly [K in OpName]: readonly Case[] } = {
  add: [
    ...binary("add"),
    of("of integers", [ints([3], [1, 2, 3]), ints([], [4])], (x, y) => x.add(y)),
    of("of a value with itself", [a], (x) => x.add(x)),
  ],
  sub: binary("sub"),
  mul: [...binary("mul"), of("of a value with itself", [a], (x) => x.mul(x))],
  div: binary("div"),
  pow: [of("of positive numbers", [positive, row], (x, y) => x.pow(y))],
  maximum: binary("maximum"),
  minimum: binary("minimum"),
  equal: [of("of integers", [ints([3], [1, 2, 3]), ints([], [2])], (x, y) => x.equal(y)), ...binary("equal")],
  lessThan: binary("lessThan"),
  and: logic("and"),
  or: logic("or"),
  not: [of("of a condition", [bools([5])], (x) => x.not())],
  where: [
    of("with a broadcast condition", [bools([3, 1]), a, b], (c, x, y) => x.where(c, y)),
    of("with a number", [bools([2, 3, 4]), a], (c, x) => x.where(c, 0.5)),
    of("of integers", [bools([2]), ints([2], [1, 2])], (c, x) => x.where(c, 7)),
  ],
  neg: unary("neg"),
  abs: unary("abs"),
  sign: unary("sign"),
  round: [
    of("of numbers", [a], (x) => x.round()),
    of("of halves, to the even one", [ints([8], [-5, -3, -1, 1, 3, 5, 2, 4])], (x) =>
      x.cast("float32").mul(0.5).round(),
    ),
  ],
  exp: unary("exp"),
  log: unary("log", positive),
  sqrt: unary("sqrt", positive),
  tanh: unary("tanh"),
  sigmoid: unary("sigmoid"),
  relu: unary("relu"),
  sin: unary("sin"),
  cos: unary("cos"),
  erf: [...unary("erf"), of("of large numbers", [numbers([6])], (x) => x.mul(2.7).erf())],
  gelu: [of("by erf", [a], (x) => x.gelu()), of("by tanh", [a], (x) => x.gelu("tanh"))],
  sum: reduction("sum"),
  mean: reduction("mean"),
  max: reduction("max"),
  min: reduction("min"),
  cumsum: [
    of("of rows", [a], (x) => x.cumsum()),
    of("of columns", [a], (x) => x.cumsum(1)),
    of("from the end", [a], (x) => x.cumsum(0, true)),
  ],
  logSumExp: [...reduction("logSumExp"), of("of numbers far from 0", [a], (x) => x.mul(100).logSumExp())],
  argmax: [of("of rows", [a], (x) => x.argmax(-1)), of("of columns", [a], (x) => x.argmax(1))],
  topK: [
    of("of rows", [a], (x) => x.topK(2).values),
    of("of rows, where they are", [a], (x) => x.topK(3).indices),
    of("of columns", [a], (x) => x.topK(2, 1).values),
    of("of equal numbers, the earlier first", [ints([2, 5], [3, 7, 7, 3, 7, 1, 1, 1, 1, 1])], (x) => x.topK(4).indices),
    of("of equal floats among very many", [ties], (x) => x.topK(20).indices),
    of("of NaN and infinity, the earlier first", [odd], (x) => x.topK(4).indices),
  ],
  pickEach: [
    of("of rows", [a, each], (x, at) => x.pickEach(at)),
    of("of the largest", [a], (x) => x.pickEach(x.topK(2).indices)),
  ],
  placeEachLike: [
    of("in rows", [a, each, numbers([2, 3, 2], 4)], (x, at, values) => x.placeEachLike(at, values)),
    of("the largest, where they were", [a], (x) => x.placeEachLike(x.topK(2).indices, x.topK(2).values)),
  ],
  isTopK: [
    of("of rows", [a], (x) => x.isTopK(2)),
    of("of columns", [a], (x) => x.isTopK(2, 1)),
    of("of equal numbers, the earlier", [ints([2, 5], [3, 7, 7, 3, 7, 1, 1, 1, 1, 1])], (x) => x.isTopK(2)),
    of("of equal floats among very many", [ties], (x) => x.isTopK(20)),
    of("of NaN and infinity, the earlier", [odd], (x) => x.isTopK(4)),
    of("and the largest kept", [a], (x) => x.mul(x.isTopK(2).cast("float32"))),
  ],
  softmax: [...unary("softmax"), of("along another axis", [a], (x) => x.softmax(0))],
  crossEntropy: [
    of("of each row", [a, ints([2, 3], [0, 3, 1, 1, 2, 0])], (x, i) => x.crossEntropy(i)),
    of("of rows with an axis in front", [a, ints([3], [0, 3, 1])], (x, i) => x.crossEntropy(i)),
  ],
  outerChosen: [
    of("of rows, one number without any", [a, ints([2, 3], [3, 0, 0, 1, 3, 3]), numbers([2, 3, 2], 18)], (x, i, y) =>
      x.outerChosen(i, y, 4),
    ),
    of("of rows that broadcast", [column4, ints([3, 2], [0, 1, 1, 0, 1, 1]), numbers([2, 3, 2, 3], 19)], (x, i, y) =>
      x.outerChosen(i, y, 2),
    ),
  ],
  matmulChosen: [
    of("of rows, some matrices unused", [a, ints([2, 3], [3, 0, 0, 1, 3, 3]), ...fourMatrices], (x, i, ...w) =>
      x.matmulChosen(i, w),
    ),
    of(
      "of rows with several choices each",
      [column4, ints([2, 3, 2], [0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 1, 1]), ...twoMatrices],
      (x, i, ...w) => x.matmulChosen(i, w),
    ),
    of("of rows with an axis in front", [a, ints([3], [1, 0, 1]), ...twoMatrices], (x, i, ...w) =>
      x.matmulChosen(i, w),
    ),
    of(
      "of one row chosen for many",
      [numbers([1, 4], 6), ints([2, 3], [1, 0, 1, 1, 0, 0]), ...twoMatrices],
      (x, i, ...w) => x.matmulChosen(i, w),
    ),
    of("of a single matrix", [a, ints([2, 3], [0, 0, 0, 0, 0, 0]), numbers([4, 5], 7)], (x, i, ...w) =>
      x.matmulChosen(i, w),
    ),
  ],
  matmul: [
    of("with a weight", [a, numbers([4, 5], 7)], (x, y) => x.matmul(y)),
    of("of stacks", [a, numbers([2, 4, 3], 8)], (x, y) => x.matmul(y)),
    of("of stacks that broadcast", [numbers([1, 3, 4], 9), numbers([2, 4, 2], 10)], (x, y) => x.matmul(y)),
    of("of a matrix with a stack", [numbers([3, 4], 9), numbers([2, 4, 2], 10)], (x, y) => x.matmul(y)),
  ],
  einsum: [
    of("of attention scores", [numbers([2, 3, 2, 4], 1), numbers([2, 5, 2, 4], 2)], (q, k) =>
      q.einsum("bqhe,bkhe->bhqk", k),
    ),
    of("with a weight", [a, numbers([2, 4, 5], 3)], (x, w) => x.einsum("bpm,hmv->bphv", w)),
    of("with a weight for all axes in front", [a, numbers([2, 4, 5], 3)], (x, w) => x.einsum("m,hmv->hv", w)),
    of("of each head with its own weight", [numbers([2, 3, 2, 4], 1), numbers([2, 4, 5], 3)], (x, w) =>
      x.einsum("he,hem->hm", w),
    ),
    of("with axes in front of the lettered ones", [a, numbers([3, 4], 6)], (x, y) => x.einsum("m,pm->p", y)),
    of("that sums one input alone", [a, row], (x, y) => x.einsum("bpm,m->b", y)),
  ],
  detach: [
    of("of numbers", [a], (x) => x.detach()),
    of("with another value's gradient", [a, b], (x, y) => x.detach(x.mul(y))),
  ],
  point: [of("under a name", [a], (x) => x.point("here")), of("with other axes", [a], (x) => x.rename(["batch"]))],
  permute: [of("of three axes", [a], (x) => x.permute([2, 0, 1]))],
  splitAxis: [
    of("of the last axis", [a], (x) => x.splitAxis(-1, { head: 2, d_head: 2 })),
    of("of a middle axis", [numbers([2, 6, 3])], (x) => x.splitAxis(1, { head: 2, d_head: -1 })),
  ],
  mergeAxes: [
    of("of the last two", [a], (x) => x.mergeAxes(1, 2)),
    of("of the first two", [a], (x) => x.mergeAxes(0, 2)),
    of("of the middle", [numbers([2, 3, 2, 2])], (x) => x.mergeAxes(1, 2)),
  ],
  reshapeLike: [of("of a merged value", [a, b], (x, like) => x.mergeAxes(0, 2).reshapeLike(like, -3, 2))],
  unsqueeze: [of("in front", [a], (x) => x.unsqueeze(0)), of("at the end", [a], (x) => x.unsqueeze(-1))],
  squeeze: [of("of the last axis", [column], (x) => x.squeeze(1))],
  expandLike: [
    of("of a row", [row, a], (x, like) => x.expandLike(like)),
    of("of a column", [column, a], (x, like) => x.expandLike(like)),
  ],
  repeat: [of("of an axis of size 1", [column], (x) => x.repeat(1, 5))],
  concat: [
    of("along the first axis", [a, b], (x, y) => x.concat(y, 0)),
    of("along the last axis", [a, numbers([2, 3, 1])], (x, y) => x.concat(y, -1)),
  ],
  slice: [
    of("from the start", [a], (x) => x.slice(-1, 0, 2)),
    of("to one before the end", [a], (x) => x.slice(1, 0, -1)),
    of("from the middle to the end", [a], (x) => x.slice(-1, 2)),
    of("of the middle", [a], (x) => x.slice(-1, 1, 3)),
  ],
  gather: [
    of("of embedding rows", [numbers([5, 3]), ints([2, 4], [0, 4, 4, 1, 2, 0, 0, 3])], (x, i) => x.gather(0, i)),
    of("along a middle axis", [a, ints([2], [2, 0])], (x, i) => x.gather(1, i)),
    of("along the last axis with repeats", [a, ints([2, 2], [3, 3, 0, 1])], (x, i) => x.gather(-1, i)),
    of("of a negative index", [a, ints([1], [-1])], (x, i) => x.gather(1, i)),
  ],
  scatterAddLike: [
    of("with repeats", [numbers([5, 3]), ints([4], [0, 4, 4, 1]), numbers([4, 3], 3)], (x, i, u) =>
      x.scatterAddLike(i, u),
    ),
  ],
  gatherRows: [
    of("of batch and position", [a, ints([4, 2], [0, 1, 1, 2, 0, 0, 0, 1])], (x, i) => x.gatherRows(i)),
    of("of one axis of three", [a, ints([3, 1], [1, 0, 1])], (x, i) => x.gatherRows(i)),
    of("of single numbers", [a, ints([2, 3], [0, 1, 1, 1, 2, 0])], (x, i) => x.gatherRows(i)),
  ],
  scatterRowsLike: [
    of("with repeats", [a, ints([3, 2], [0, 1, 1, 2, 0, 1]), numbers([3, 4], 3)], (x, i, u) => x.scatterRowsLike(i, u)),
  ],
  pick: [
    of("with an index that lacks an axis in front", [a, ints([3], [0, 3, 1])], (x, i) => x.pick(i)),
    of("of one element a row", [a, ints([2, 3], [0, 3, 1, 1, 2, 0])], (x, i) => x.pick(i)),
  ],
  placeLike: [
    of("of one element a row", [a, ints([2, 3], [0, 3, 1, 1, 2, 0]), numbers([2, 3], 3)], (x, i, v) =>
      x.placeLike(i, v),
    ),
  ],
  addAt: [
    of("of one number a row", [a, ints([2, 3], [0, 3, 1, 1, 2, 0]), numbers([2, 3], 3)], (x, i, v) => x.addAt(i, v)),
    of("with an index that lacks an axis in front", [a, ints([3], [0, 3, 1]), numbers([2, 3], 3)], (x, i, v) =>
      x.addAt(i, v),
    ),
  ],
  cast: [
    of("of integers to floats", [ints([3], [1, 0, 3])], (x) => x.cast("float32")),
    of("of floats to integers", [a], (x) => x.cast("int32")),
    of("of conditions to floats", [bools([4])], (x) => x.cast("float32")),
  ],
};
