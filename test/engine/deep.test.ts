/** Graphs of many ops in a row, and of ops that share their inputs: nothing goes over a graph by calling itself. */
import { expect, test } from "vitest";
import { laidOut } from "../../src/engine/laid-out.ts";
import { keeper, layoutKey, uncopied } from "../../src/engine/layout.ts";
import { peakBytes } from "../../src/engine/memory.ts";
import { writeOnnx } from "../../src/engine/onnx.ts";
import { makePlan } from "../../src/engine/plan.ts";
import { interpret } from "../../src/engine/reference.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import { tensor } from "../../src/graph/from-numbers.ts";
import { largestValue } from "../../src/graph/largest-value.ts";
import { print } from "../../src/graph/print.ts";
import { grad } from "../../src/graph/rewrite/grad.ts";
import { Rewrite } from "../../src/graph/rewrite/rewrite.ts";
import { selectEarly } from "../../src/graph/rewrite/select.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import type { NDArray } from "../../src/tensor/array.ts";

const DEEP = 20_000;

function chained(x: Tensor, op: (x: Tensor, i: number) => Tensor, times = DEEP): Tensor {
  let y = x;
  for (let i = 0; i < times; i++) y = op(y, i);
  return y;
}

const weight = () =>
  Tensor.leaf({ dtype: "float32", shape: [2, 3], data: new Float32Array(6) } satisfies NDArray, [], "weight");

test("a graph of 20,000 ops in a row is planned, written, printed, differentiated, rewritten and interpreted", () => {
  const x = tensor([1, 2, 3]);
  const y = chained(x, (v, i) => (i % 2 ? v.neg() : v.add(0)));
  const plan = makePlan([y]);
  expect(plan.steps).toHaveLength(DEEP);
  expect(writeOnnx(plan).length).toBeGreaterThan(DEEP);
  expect(print([y]).split("\n")).toHaveLength(DEEP + 1);
  expect(peakBytes([y])).toBeGreaterThan(0);
  expect(largestValue([y])).toContain("[3]");
  expect(interpret(grad(y.sum(), [x]))[0].toArray()).toEqual([1, 1, 1]);
  const rewrite = new Rewrite();
  rewrite.replace(x, tensor([5, 6, 7]));
  expect(interpret([rewrite.get(y)])[0].toArray()).toEqual([5, 6, 7]);
});

test("a selection moves up through 20,000 ops", () => {
  const y = chained(tensor([1, 2, 3]), (v) => v.neg());
  const [selected] = selectEarly([y.slice(0, 1, 2)]);
  expect(selected.op).toBe("neg");
  expect(selected.shape).toEqual([1]);
});

test("20,000 layouts of a weight in a row have a short key, and one without a copy is found", () => {
  const w = weight();
  const turned = () => chained(w, (v) => v.transpose());
  expect(layoutKey(turned())).toBe(layoutKey(turned()));
  expect(layoutKey(turned()).length).toBeLessThan(30);
  expect(layoutKey(turned())).not.toBe(layoutKey(turned().transpose()));
  expect(keeper(turned())).toBe(w.data);
  expect(uncopied(turned())).toBeUndefined();
  const reshaped = chained(w, (v, i) => (i % 2 ? v.squeeze(0) : v.unsqueeze(0)));
  expect(uncopied(reshaped)).toBe(w);
  expect(makePlan([reshaped]).outputs[0]).toMatchObject({ rank: 2 });
  expect(laidOut(turned()).next().value).toMatchObject({ shape: [2, 3] });
});

test("layouts that use the one before twice are visited once each", () => {
  const doubled = (w: Tensor) => chained(w, (v) => v.concat(v, 0).slice(0, 0, 2), 60);
  const w = weight();
  expect(layoutKey(doubled(w))).toBe(layoutKey(doubled(w)));
  expect(laidOut(doubled(w)).next().value).toMatchObject({ shape: [2, 3] });
});

test("a value of 150,000 inputs is planned, and searched for where it is computed", () => {
  const y = Tensor.apply("concat", new Array<Tensor>(150_000).fill(tensor([1])), { axis: -1 });
  expect(makePlan([y]).steps).toHaveLength(1);
  expect(() => evaluate([y], {})).toThrow(/There is no engine/);
});
