/** Every op on random shapes, broadcasts and numbers: the compiler asks for a new op's. */
import fc from "fast-check";
import type { OpName } from "../../src/graph/ops/index.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { type NDArray, sizeOf } from "../../src/tensor/array.ts";
import { bools, type Case, ints, numbers } from "./cases.ts";

type Shape = readonly number[];
type Arbitrary = fc.Arbitrary<Case>;

const seed = fc.integer({ min: 1, max: 1_000_000 });
const size = fc.integer({ min: 1, max: 3 });
const shapes = (minLength: number, maxLength = 3): fc.Arbitrary<Shape> => fc.array(size, { minLength, maxLength });

const floats = (shape: Shape, positive = false): fc.Arbitrary<Tensor> => seed.map((s) => numbers(shape, s, positive));
const conditions = (shape: Shape): fc.Arbitrary<Tensor> => seed.map((s) => bools(shape, s));

/** Indices below `limit`, some of them counted from the end. */
const indices = (shape: Shape, limit: number, min = -limit): fc.Arbitrary<Tensor> =>
  fc
    .array(fc.integer({ min, max: limit - 1 }), { minLength: sizeOf(shape), maxLength: sizeOf(shape) })
    .map((values) => ints(shape, values));

/** Numbers no two of which are near each other, for ops that choose one: several values' worth of them. */
const distinct = (...all: readonly Shape[]): fc.Arbitrary<Tensor[]> => {
  const count = all.reduce((n, shape) => n + sizeOf(shape), 0);
  const every = Array.from({ length: count }, (_, i) => (4 * (i + 0.25)) / count - 2);
  return fc.shuffledSubarray(every, { minLength: count }).map((order) => {
    let at = 0;
    return all.map((shape) => {
      const data = Float32Array.from(order.slice(at, at + sizeOf(shape)));
      at += data.length;
      return Tensor.leaf({ dtype: "float32", shape, data } as NDArray);
    });
  });
};

/** A shape that broadcasts to the given one: axes in front left out, others of size 1. */
const under = (shape: Shape): fc.Arbitrary<Shape> =>
  fc
    .tuple(
      fc.integer({ min: 0, max: shape.length }),
      fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
    )
    .map(([dropped, one]) => shape.map((n, i) => (one[i] ? 1 : n)).slice(dropped));

const axisOf = (shape: Shape): fc.Arbitrary<number> => fc.integer({ min: 0, max: shape.length - 1 });

const of = (inputs: readonly Tensor[], make: Case["make"]): Case => ({
  what: inputs.map((x) => `${x.dtype} [${x.shape}]`).join(", "),
  inputs,
  make,
});

const applied =
  (op: OpName, attrs: object = {}): Case["make"] =>
  (...inputs) =>
    Tensor.apply(op, inputs, attrs);

const unary = (op: OpName, positive = false): Arbitrary =>
  shapes(0).chain((shape) => floats(shape, positive).map((x) => of([x], applied(op))));

/** Shapes of two values that broadcast against each other. */
const pairs: fc.Arbitrary<[Shape, Shape]> = shapes(0).chain((shape) => fc.tuple(under(shape), under(shape)));

const binary = (op: OpName, [firstPositive, secondPositive] = [false, false]): Arbitrary =>
  pairs.chain(([a, b]) =>
    fc.tuple(floats(a, firstPositive), floats(b, secondPositive)).map((inputs) => of(inputs, applied(op))),
  );
const choice = (op: OpName): Arbitrary =>
  pairs.chain(([a, b]) => distinct(a, b).map((inputs) => of(inputs, applied(op))));
const logic = (op: OpName): Arbitrary =>
  pairs.chain(([a, b]) => fc.tuple(conditions(a), conditions(b)).map((inputs) => of(inputs, applied(op))));

const reduction = (op: OpName): Arbitrary =>
  shapes(1).chain((shape) =>
    fc
      .tuple(
        distinct(shape),
        fc.subarray(
          shape.map((_, i) => i - shape.length),
          { minLength: 1 },
        ),
        fc.boolean(),
      )
      .map(([inputs, axes, keepdims]) => of(inputs, applied(op, { axes, keepdims }))),
  );

/** A value and an axis of it. */
const withAxis = (make: (x: Tensor, axis: number) => Tensor, minRank = 1): Arbitrary =>
  shapes(minRank).chain((shape) =>
    fc.tuple(floats(shape), axisOf(shape)).map(([x, axis]) => of([x], (t) => make(t, axis))),
  );

/** Rows of numbers, and an index for each row, which may lack axes in front. */
const rowsAndIndex = (make: Case["make"], values = false): Arbitrary =>
  shapes(1).chain((shape) =>
    fc.integer({ min: 0, max: shape.length - 1 }).chain((lacking) => {
      const rows = shape.slice(0, -1);
      const index = indices(rows.slice(Math.min(lacking, rows.length)), shape.at(-1)!);
      const inputs: fc.Arbitrary<Tensor>[] = [floats(shape), index, ...(values ? [floats(rows)] : [])];
      return fc.tuple(...inputs).map((found) => of(found, make));
    }),
  );

/** Rows of different numbers, and the places of the largest of each. */
const largestOf = (make: (x: Tensor, index: Tensor) => Tensor): Arbitrary =>
  shapes(1).chain((shape) =>
    fc
      .tuple(distinct(shape), fc.integer({ min: 1, max: shape[shape.length - 1] }))
      .map(([inputs, k]) => of(inputs, (x) => make(x, x.topK(k).indices))),
  );

export const randomCases: { readonly [K in OpName]: Arbitrary } = {
  add: binary("add"),
  sub: binary("sub"),
  mul: binary("mul"),
  div: binary("div"),
  pow: binary("pow", [true, false]),
  maximum: choice("maximum"),
  minimum: choice("minimum"),
  equal: pairs.chain(([a, b]) => fc.tuple(indices(a, 2), indices(b, 2)).map((inputs) => of(inputs, applied("equal")))),
  lessThan: choice("lessThan"),
  and: logic("and"),
  or: logic("or"),
  not: shapes(0).chain((shape) => conditions(shape).map((x) => of([x], applied("not")))),
  where: pairs.chain(([a, b]) =>
    fc
      .tuple(
        under(a).chain((shape) => conditions(shape)),
        floats(a),
        floats(b),
      )
      .map((inputs) => of(inputs, applied("where"))),
  ),
  neg: unary("neg"),
  abs: unary("abs"),
  sign: unary("sign"),
  round: unary("round"),
  exp: unary("exp"),
  log: unary("log", true),
  sqrt: unary("sqrt", true),
  tanh: unary("tanh"),
  sigmoid: unary("sigmoid"),
  relu: unary("relu"),
  sin: unary("sin"),
  cos: unary("cos"),
  erf: unary("erf"),
  gelu: shapes(0).chain((shape) =>
    fc
      .tuple(floats(shape), fc.constantFrom("none" as const, "tanh" as const))
      .map(([x, approximate]) => of([x], (t) => t.gelu(approximate))),
  ),
  sum: reduction("sum"),
  mean: reduction("mean"),
  max: reduction("max"),
  min: reduction("min"),
  logSumExp: reduction("logSumExp"),
  cumsum: shapes(1).chain((shape) =>
    fc
      .tuple(floats(shape), axisOf(shape), fc.boolean())
      .map(([x, axis, reverse]) => of([x], (t) => t.cumsum(axis, reverse))),
  ),
  argmax: shapes(1).chain((shape) =>
    fc.tuple(distinct(shape), axisOf(shape)).map(([inputs, axis]) => of(inputs, (x) => x.argmax(axis))),
  ),
  topK: shapes(1).chain((shape) =>
    axisOf(shape).chain((axis) =>
      fc
        .tuple(distinct(shape), fc.integer({ min: 1, max: shape[axis] }), fc.boolean())
        .map(([inputs, k, where]) => of(inputs, (x) => (where ? x.topK(k, axis).indices : x.topK(k, axis).values))),
    ),
  ),
  isTopK: shapes(1).chain((shape) =>
    axisOf(shape).chain((axis) =>
      fc
        .tuple(distinct(shape), fc.integer({ min: 1, max: shape[axis] }))
        .map(([inputs, k]) => of(inputs, (x) => x.isTopK(k, axis))),
    ),
  ),
  pickEach: largestOf((x, index) => x.pickEach(index)),
  placeEachLike: largestOf((x, index) => x.placeEachLike(index, x.pickEach(index))),
  softmax: withAxis((x, axis) => x.softmax(axis)),
  crossEntropy: rowsAndIndex((x, i) => x.crossEntropy(i)),
  outerChosen: fc.tuple(shapes(1), size, size, size).chain(([lead, i, j, count]) =>
    fc
      .tuple(under(lead), under(lead))
      .filter(([a]) => a.length > 0)
      .chain(([a, b]) =>
        fc
          .tuple(floats([...a, i]), indices(b, count, 0), floats([...lead, j]))
          .map((inputs) => of(inputs, applied("outerChosen", { count }))),
      ),
  ),
  matmulChosen: fc.tuple(shapes(1), size, size, size).chain(([lead, i, j, count]) =>
    fc
      .tuple(under(lead), under(lead))
      .filter(([a]) => a.length > 0)
      .chain(([a, b]) =>
        fc
          .tuple(floats([...a, i]), indices(b, count, 0), ...Array.from({ length: count }, () => floats([i, j])))
          .map((inputs) => of(inputs, applied("matmulChosen"))),
      ),
  ),
  matmul: fc
    .tuple(shapes(0, 2), size, size, size)
    .chain(([lead, i, k, j]) =>
      fc
        .tuple(under(lead), under(lead))
        .chain(([a, b]) =>
          fc.tuple(floats([...a, i, k]), floats([...b, k, j])).map((inputs) => of(inputs, applied("matmul"))),
        ),
    ),
  einsum: fc.tuple(shapes(0, 1), fc.array(size, { minLength: 5, maxLength: 5 })).chain(([lead, sizes]) =>
    fc
      .tuple(
        under(lead),
        under(lead),
        fc.shuffledSubarray([..."abcde"], { minLength: 1, maxLength: 3 }),
        fc.shuffledSubarray([..."abcde"], { minLength: 1, maxLength: 3 }),
      )
      .chain(([a, b, first, second]) => {
        const shapeOf = (letters: readonly string[]) => letters.map((letter) => sizes["abcde".indexOf(letter)]);
        const every = [...new Set([...first, ...second])];
        return fc
          .tuple(
            floats([...a, ...shapeOf(first)]),
            floats([...b, ...shapeOf(second)]),
            fc.shuffledSubarray(every, { minLength: 1 }),
          )
          .map(([x, y, result]) => {
            const equation = `${first.join("")},${second.join("")}->${result.join("")}`;
            return of([x, y], (s, t) => s.einsum(equation, t));
          });
      }),
  ),
  detach: unary("detach"),
  point: unary("point"),
  permute: shapes(1).chain((shape) =>
    fc
      .tuple(
        floats(shape),
        fc.shuffledSubarray(
          shape.map((_, i) => i),
          { minLength: shape.length },
        ),
      )
      .map(([x, order]) => of([x], (t) => t.permute(order))),
  ),
  splitAxis: fc
    .tuple(shapes(0, 1), size, size, shapes(0, 1))
    .chain(([before, m, n, after]) =>
      fc
        .tuple(floats([...before, m * n, ...after]), fc.boolean())
        .map(([x, told]) => of([x], (t) => t.splitAxis(before.length, { m, n: told ? n : -1 }))),
    ),
  mergeAxes: shapes(2).chain((shape) =>
    fc
      .tuple(floats(shape), fc.integer({ min: 0, max: shape.length - 2 }))
      .chain(([x, at]) =>
        fc.integer({ min: 2, max: shape.length - at }).map((count) => of([x], (t) => t.mergeAxes(at, count))),
      ),
  ),
  reshapeLike: shapes(2).chain((shape) =>
    fc
      .tuple(floats(shape), floats(shape), fc.integer({ min: 2, max: shape.length }))
      .map(([x, like, count]) =>
        of([x, like], (t, u) => t.mergeAxes(shape.length - count, count).reshapeLike(u, -count, count)),
      ),
  ),
  unsqueeze: shapes(0).chain((shape) =>
    fc
      .tuple(floats(shape), fc.integer({ min: 0, max: shape.length }))
      .map(([x, axis]) => of([x], (t) => t.unsqueeze(axis))),
  ),
  squeeze: shapes(0).chain((shape) =>
    fc
      .integer({ min: 0, max: shape.length })
      .chain((axis) => floats(shape.toSpliced(axis, 0, 1)).map((x) => of([x], (t) => t.squeeze(axis)))),
  ),
  expandLike: shapes(0).chain((shape) =>
    fc
      .tuple(
        under(shape).chain((small) => floats(small)),
        floats(shape),
      )
      .map((inputs) => of(inputs, applied("expandLike"))),
  ),
  repeat: shapes(1).chain((shape) =>
    axisOf(shape).chain((axis) =>
      fc.tuple(floats(shape.with(axis, 1)), size).map(([x, n]) => of([x], (t) => t.repeat(axis, n))),
    ),
  ),
  concat: shapes(1).chain((shape) =>
    fc
      .tuple(axisOf(shape), size)
      .chain(([axis, n]) =>
        fc.tuple(floats(shape), floats(shape.with(axis, n))).map((inputs) => of(inputs, (x, y) => x.concat(y, axis))),
      ),
  ),
  slice: shapes(1).chain((shape) =>
    axisOf(shape).chain((axis) =>
      fc
        .tuple(
          floats(shape),
          fc.integer({ min: 0, max: shape[axis] - 1 }),
          fc.integer({ min: 1, max: shape[axis] }),
          fc.boolean(),
        )
        .map(([x, a, b, toEnd]) => {
          const start = Math.min(a, b - 1);
          return of([x], (t) => t.slice(axis, start, toEnd ? null : b));
        }),
    ),
  ),
  gather: shapes(1).chain((shape) =>
    fc
      .tuple(axisOf(shape), shapes(0, 2))
      .chain(([axis, of_]) =>
        fc.tuple(floats(shape), indices(of_, shape[axis])).map((inputs) => of(inputs, (x, i) => x.gather(axis, i))),
      ),
  ),
  scatterAddLike: fc
    .tuple(shapes(1), shapes(0, 2))
    .chain(([shape, at]) =>
      fc
        .tuple(floats(shape), indices(at, shape[0]), floats([...at, ...shape.slice(1)]))
        .map((inputs) => of(inputs, applied("scatterAddLike"))),
    ),
  gatherRows: rowsByIndex((x, i) => x.gatherRows(i)),
  scatterRowsLike: rowsByIndex((x, i, u) => x.scatterRowsLike(i, u), true),
  pick: rowsAndIndex((x, i) => x.pick(i)),
  placeLike: rowsAndIndex((x, i, v) => x.placeLike(i, v), true),
  addAt: rowsAndIndex((x, i, v) => x.addAt(i, v), true),
  cast: shapes(0).chain((shape) =>
    fc
      .tuple(floats(shape), fc.constantFrom("int32" as const, "bool" as const))
      .map(([x, to]) => of([x], (t) => t.cast(to))),
  ),
};

/** Rows by their first k axes. */
function rowsByIndex(make: Case["make"], updates = false): Arbitrary {
  return shapes(1).chain((shape) =>
    fc.tuple(fc.integer({ min: 1, max: shape.length }), size).chain(([k, rows]) => {
      const column = (axis: number) => indices([rows], shape[axis]);
      const index = fc.tuple(...Array.from({ length: k }, (_, axis) => column(axis))).map((columns) =>
        ints(
          [rows, k],
          Array.from({ length: rows * k }, (_, i) => columns[i % k].data[Math.floor(i / k)]),
        ),
      );
      const inputs: fc.Arbitrary<Tensor>[] = [
        floats(shape),
        index,
        ...(updates ? [floats([rows, ...shape.slice(k)])] : []),
      ];
      return fc.tuple(...inputs).map((found) => of(found, make));
    }),
  );
}
