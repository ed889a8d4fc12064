/** What a record claims, checked against what the op computes: rows, axes, views, layouts. And what the compiler asks of it. */
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { interpret } from "../../src/engine/reference.ts";
import { hostView } from "../../src/graph/host-view.ts";
import type { Along, Held, NoAttrs, Op } from "../../src/graph/op.ts";
import { type AttrsOf, type OpName, ops } from "../../src/graph/ops/index.ts";
import { attrsOf, Tensor } from "../../src/graph/tensor.ts";
import { topological } from "../../src/graph/walk.ts";
import { type NDArray, sizeOf } from "../../src/tensor/array.ts";
import { type Case, cases, ints, numbers } from "./cases.ts";
import { randomCases } from "./random-cases.ts";

const names = Object.keys(ops) as OpName[];

/** The values of a case that the op itself makes. */
function madeBy(op: OpName, { inputs, make }: Case): Tensor[] {
  return topological([make(...inputs)]).filter((t) => t.op === op);
}

/** Holds each value that an op makes in its cases, and in random ones, to something. */
function holds(op: OpName, claim: (t: Tensor) => void): void {
  const check = (example: Case) => madeBy(op, example).forEach(claim);
  cases[op].forEach(check);
  fc.assert(fc.property(randomCases[op], check), { numRuns: 25 });
}

function expectSame(found: Tensor, expected: Tensor): void {
  expect(found.shape).toEqual(expected.shape);
  const [a, b] = interpret([found, expected]).map((t) => [...t.data]);
  for (const [i, x] of a.entries()) expect(x).toBeCloseTo(b[i], 9);
}

/** Elements of an axis, the last one first. */
const backwards = (size: number) =>
  ints(
    [size],
    Array.from({ length: size }, (_, i) => size - 1 - i),
  );

/** Three rows of the first axes of a shape, no two alike where there are that many. */
function threeRows(shape: readonly number[]): Tensor {
  const rows = Array.from({ length: 3 }, (_, r) => shape.map((n, axis) => (5 * r + axis + 1) % n));
  return ints([3, shape.length], rows.flat());
}

/** What an op on rows of its first `k` axes is, by its record; `null` where it has none. */
function onRows(t: Tensor, k: number): { readonly found: Tensor; readonly expected: Tensor } | null {
  const { along, rows } = ops[t.op!];
  const lead = Array.from({ length: k }, (_, axis) => along(axis, t.inputs, t.attrs, t));
  if (lead.includes(undefined)) return null;
  const rule = rows(lead as Along[], t.inputs, t.attrs, t);
  if (!rule) return null;
  const index = threeRows(t.shape.slice(0, k));
  const inputs = t.inputs.map((x, i) => (rule.from[i] === "rows" ? x.gatherRows(index) : x));
  return { found: t.on(inputs, rule.attrs), expected: t.gatherRows(index) };
}

describe("rows of a result are the op on rows:", () => {
  /** Ops that make no rows of rows: those that select, scatter or sum over rows themselves. */
  const never: ReadonlySet<OpName> = new Set([
    "slice",
    "gatherRows",
    "scatterAddLike",
    "scatterRowsLike",
    "outerChosen",
  ]);

  for (const op of names) {
    test(`${op}${never.has(op) ? " does not let them through" : ""}`, () => {
      let through = false;
      const check = (t: Tensor) => {
        for (let k = 1; k <= t.shape.length; k++) {
          const pair = onRows(t, k);
          if (!pair) continue;
          through = true;
          expectSame(pair.found, pair.expected);
        }
      };
      // By chance none of the cases may have axes in front that rows can be made of: then more of them.
      for (let tries = 0; tries < 6 && (tries === 0 || (!through && !never.has(op))); tries++) holds(op, check);
      expect(through, `${op} lets rows through`).toBe(!never.has(op));
    });
  }
});

describe("elements of an axis that an op works along are the op on those elements:", () => {
  for (const op of names) {
    test(op, () => {
      holds(op, (t) => {
        for (const [axis, size] of t.shape.entries()) {
          const along = ops[op].along(axis, t.inputs, t.attrs, t);
          if (!along?.some((input) => input !== null)) continue;
          const index = backwards(size);
          const inputs = t.inputs.map((x, i) => (along[i] === null ? x : x.gather(along[i], index)));
          expectSame(t.on(inputs), t.gather(axis, index));
        }
      });
    });
  }
});

describe("what a view reads in place is the op's result:", () => {
  const viewed = names.filter((op) =>
    cases[op].some((c) =>
      madeBy(op, c).some((t) =>
        hostView(
          t,
          t.shape.map(() => 0),
        ),
      ),
    ),
  );

  test("for these ops", () => {
    expect(viewed.toSorted()).toEqual([
      "concat",
      "detach",
      "gather",
      "permute",
      "point",
      "repeat",
      "slice",
      "squeeze",
      "unsqueeze",
    ]);
  });

  for (const op of viewed) {
    test(op, () => {
      holds(op, (t) => {
        const { data } = interpret([t])[0];
        const indices = t.shape.map((n) => n - 1);
        const helds: Held[] = [
          t.shape.map(() => null),
          indices,
          ...t.shape.map((n, axis) => t.shape.map((_, i) => (i === axis ? n - 1 : null))),
        ];
        for (const held of helds) {
          const view = hostView(t, held);
          if (!view) continue;
          for (let i = 0; i < sizeOf(t.shape); i++) {
            const place = placeOf(i, t.shape);
            if (place.some((at, axis) => held[axis] !== null && held[axis] !== at)) continue;
            const at = place.reduce((sum, index, axis) => sum + (view.offsets[axis]?.[index] ?? 0), view.start);
            expect(view.data[at]).toBe(data[i]);
          }
        }
      });
    });
  }
});

function placeOf(i: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
    place.unshift(rest % shape[axis]);
    rest = Math.floor(rest / shape[axis]);
  }
  return place;
}

describe("an op that only changes the layout", () => {
  for (const op of names.filter((name) => ops[name].layout)) {
    test(`${op} changes no number`, () => {
      holds(op, (t) => {
        const [out, ...inputs] = interpret([t, ...t.inputs]);
        if (ops[op].layout === "order") {
          const known = new Set(inputs.flatMap((x) => [...x.data]));
          expect([...out.data].every((x) => known.has(x))).toBe(true);
        } else {
          expect([...out.data]).toEqual([...inputs[0].data]);
        }
        if (ops[op].layout === "name") expect(out.shape).toEqual(inputs[0].shape);
      });
    });
  }
});

test("the compiler checks attributes against their op", () => {
  const x = numbers([2, 3]);
  const refused = [
    // @ts-expect-error: the attribute is misspelt
    () => Tensor.apply("sum", [x], { axis: [-1], keepdims: false }),
    // @ts-expect-error: one is missing
    () => Tensor.apply("sum", [x], { axes: [-1] }),
    // @ts-expect-error: all are missing
    () => Tensor.apply("slice", [x]),
    // @ts-expect-error: a text where a number is needed
    () => Tensor.apply("argmax", [x], { axis: "pos" }),
    // @ts-expect-error: an op without attributes
    () => Tensor.apply("add", [x, x], { axis: 1 }),
    // @ts-expect-error: no such op
    () => Tensor.apply("twist", [x]),
  ];
  expect(refused).toHaveLength(6);
  expectTypeOf<AttrsOf<"argmax">>().toEqualTypeOf<{ readonly axis: number }>();
  const sliced = attrsOf(x.slice(0, 1), "slice");
  expectTypeOf(sliced?.start).toEqualTypeOf<number | undefined>();
  expect(sliced?.start).toBe(1);
  expect(attrsOf(x.slice(0, 1), "sum")).toBeUndefined();
});

test("the compiler asks for every part of a record", () => {
  type Optional<T> = { [K in keyof T]-?: Record<string, never> extends Pick<T, K> ? K : never }[keyof T];
  expectTypeOf<Optional<Op<NoAttrs>>>().toEqualTypeOf<never>();
});

test("an op on other inputs keeps its attributes, and a leaf is itself", () => {
  const x = numbers([2, 3]);
  const y = numbers([3, 3], 2);
  expectSame(x.slice(0, 1).on([y]), y.slice(0, 1));
  expect(x.on([])).toBe(x);
  expect((x.array as NDArray).shape).toEqual([2, 3]);
});
