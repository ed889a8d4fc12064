import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { computedOutputs, slotName, writeOnnx } from "../../src/engine/onnx.ts";
import { told } from "../../src/engine/ort-errors.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { webBackend } from "../../src/engine/ort-web.ts";
import { makePlan } from "../../src/engine/plan.ts";
import { tensor } from "../../src/graph/from-numbers.ts";
import { GlassformerError, MemoryError } from "../../src/tensor/errors.ts";

/** A product of a column and a row: few numbers in, their square out. */
function product(n: number) {
  const column = tensor(new Float32Array(n), { shape: [n, 1] });
  const plan = makePlan([column.matmul(column.transpose())]);
  const feeds = new Map(plan.inputs.map((input) => [slotName(input), input.source.array!]));
  return { plan, feeds };
}

test.each([
  ["Node", nodeBackend({ threads: 1 }), 1e7],
  ["a page", webBackend(), 1e5],
] as const)("too little memory gets an error that says so, and the session still runs: %s", async (_, backend, n) => {
  const { plan, feeds } = product(n);
  const session = await backend.createSession(writeOnnx(plan), computedOutputs(plan).map(slotName));
  await expect(session.run(feeds)).rejects.toThrow(MemoryError);
  await expect(session.run(feeds)).rejects.toThrow(/not enough memory/);
  const [small] = await session.run(product(3).feeds);
  expect(small.data).toHaveLength(9);
  await session.release();
});

test.each([
  ["Node", nodeBackend({ threads: 1 })],
  ["a page", webBackend()],
] as const)("any other error of onnxruntime is called a bug of ours, with its words: %s", async (_, backend) => {
  const compiled = backend.createSession(Uint8Array.of(1, 2, 3), ["v0"]);
  await expect(compiled).rejects.toThrow(GlassformerError);
  await expect(compiled).rejects.toThrow(/could not compile a graph: .*bug in glassformer/s);
  const { plan } = product(2);
  const session = await backend.createSession(writeOnnx(plan), computedOutputs(plan).map(slotName));
  const ran = session.run(new Map());
  await expect(ran).rejects.toThrow(GlassformerError);
  await expect(ran).rejects.toThrow(/could not run a graph: .*bug in glassformer/s);
});

test.each([
  new RangeError("Array buffer allocation failed"),
  new RangeError("Invalid typed array length: 99999999999"),
  new Error("std::bad_alloc"),
  new Error("Aborted(OOM)"),
])("%s is too little memory", (error) => {
  expect(told(error, "run a graph")).toBeInstanceOf(MemoryError);
  expect(told(error, "run a graph").cause).toBe(error);
});

test("a runtime that cannot start says why, and what to check", () => {
  const error = new Error("no available backend found. ERR: [wasm] TypeError: Failed to fetch");
  expect(told(error, "compile a graph").message).toMatch(
    /^onnxruntime could not start here: \[wasm\] TypeError: Failed to fetch\. .*Content-Security-Policy/,
  );
});

test.each([5, undefined, null, "x"])("anything that is thrown becomes a sentence: %s", (thrown) => {
  expect(told(thrown, "run a graph")).toBeInstanceOf(GlassformerError);
});

test("nothing from onnxruntime reaches stderr", async () => {
  const run = promisify(execFile);
  const child = fileURLToPath(new URL("./refused-child.ts", import.meta.url));
  const { stdout, stderr } = await run(process.execPath, ["--import", "tsx", child], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(stdout).toBe("MemoryError\n");
});

test("an engine says what a run needed, and still works", async () => {
  const engine = new Engine(nodeBackend({ threads: 1 }), { memoryBytes: Number.MAX_VALUE });
  const column = tensor(new Float32Array(1e7), { shape: [1e7, 1] });
  await expect(engine.run([column.matmul(column.transpose())])).rejects.toThrow(MemoryError);
  await expect(engine.run([column.matmul(column.transpose())])).rejects.toThrow(/needed about [\d.]+ TB of memory/);
  const small = tensor([[1], [2]]);
  const [product] = await engine.run([small.matmul(small.transpose())]);
  expect(product.toArray()).toEqual([
    [1, 2],
    [2, 4],
  ]);
  await engine.dispose();
});
