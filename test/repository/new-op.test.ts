/** The row "an op" of "Where do I add …" in docs/architecture.md, done in a copy: what it takes, and who asks for the rest. */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "glassformer-op-"));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const SOFTPLUS = `/** log(1 + exp(x)). */
import { float } from "../kernels.ts";
import { no, type NoAttrs, type Op } from "../op.ts";
import { sameOnRows } from "./rows.ts";

export const softplus: Op<NoAttrs> = {
  outputs: 1,
  infer: ([x]) => x,
  reference: ([x], _attrs, out) => float(out.shape, Float64Array.from(x.data, (v: number) => Math.log1p(Math.exp(v)))),
  onnx: (emit, [x]) => emit.node("Softplus", [x.name]),
  vjp: (g, _out, [x]) => [g.mul(x.sigmoid())],
  along: (axis) => [axis],
  rows: sameOnRows,
  selection: no,
  view: no,
  layout: null,
  scratch: false,
  names: {},
  phrase: no,
};
`;

/** Runs the new op as the tests run every op. */
const CHECK = `
import { Engine } from "./src/engine/engine.ts";
import { nodeBackend } from "./src/engine/ort-node.ts";
import { interpret } from "./src/engine/reference.ts";
import { Tensor } from "./src/graph/tensor.ts";
import { cases, ints } from "./test/graph/cases.ts";
import { gradientsOf } from "./test/graph/gradients-of.ts";

const engine = new Engine(nodeBackend({ threads: 1 }));
const [example] = cases.softplus;
const value = example.make(...example.inputs);
const values = [value, ...gradientsOf(example)];
const [found, expected] = [await engine.run(values), interpret(values)];
const errors = found.map((t, i) => Math.max(...[...t.data].map((x, k) => Math.abs(x - expected[i].data[k]))));
const rows = Tensor.apply("softplus", [example.inputs[0].exp()]).gatherRows(ints([1, 2], [0, 1]));
const { plan } = engine.explain([rows]);
console.log(JSON.stringify({ count: errors.length, error: Math.max(...errors), steps: plan.steps.map((s) => s.op) }));
process.exit(0);
`;

const write = (file: string, text: string) => writeFileSync(join(copy, file), text);

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(join(copy, file), "utf8");
  expect(text).toContain(from);
  write(file, text.replace(from, to));
}

/** What the compiler says of the graph, the engine and the cases of ops. */
async function compile(): Promise<string> {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const result = await run(process.execPath, [tsc, "-p", copy], { cwd: copy }).catch((error) => error);
  return result.stdout;
}

beforeAll(() => {
  cpSync(join(root, "src"), join(copy, "src"), { recursive: true });
  cpSync(join(root, "test/graph"), join(copy, "test/graph"), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  const { compilerOptions } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8"));
  const include = ["check.ts", "test/graph/random-cases.ts", "src/graph/ops/*.ts"];
  write("tsconfig.json", JSON.stringify({ compilerOptions, include }));
  write("package.json", JSON.stringify({ type: "module" }));
  write("check.ts", CHECK);
});

test("an op is a file and a name in a list; the compiler asks for its cases, and then it runs, has a gradient and lets rows through", async () => {
  write("src/graph/ops/softplus.ts", SOFTPLUS);
  edit(
    "src/graph/ops/records.ts",
    'export { softmax } from "./softmax.ts";',
    'export { softmax } from "./softmax.ts";\nexport { softplus } from "./softplus.ts";',
  );
  const asked = await compile();
  const lines = asked.split("\n").filter((line) => line.includes("error"));
  expect(
    lines.filter((line) => /^test\/graph\/(random-)?cases\.ts.*Property 'softplus' is missing/.test(line)),
  ).toHaveLength(2);
  expect(lines.filter((line) => !/^(test\/graph\/(random-)?cases|check)\.ts/.test(line))).toEqual([]);

  for (const cases of ["test/graph/cases.ts", "test/graph/random-cases.ts"]) {
    edit(cases, '  sin: unary("sin"),', '  sin: unary("sin"),\n  softplus: unary("softplus"),');
  }
  expect(await compile()).toBe("");
  const { stdout } = await run(process.execPath, ["--import", "tsx", "check.ts"], { cwd: copy });
  const { count, error, steps } = JSON.parse(stdout);
  expect(count).toBe(2);
  expect(error).toBeLessThan(1e-6);
  expect(steps).toEqual(["gatherRows", "exp", "softplus"]);
});

test("a record without one of its parts does not compile, whichever it is", async () => {
  const parts = [...SOFTPLUS.matchAll(/^ {2}(\w+): .*\n/gm)];
  expect(parts.length).toBeGreaterThan(10);
  for (const [line, part] of parts) write(`src/graph/ops/without-${part}.ts`, SOFTPLUS.replace(line, ""));
  const errors = await compile();
  for (const [, part] of parts) {
    expect(errors).toMatch(new RegExp(`without-${part}\\.ts.*Property '${part}' is missing`));
  }
});
