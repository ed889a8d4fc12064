/** The code that changes are written as, run as a user would run it: a file next to an installed package. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { settledIntervention } from "../../src/measures/interventions.ts";
import {
  analysisCalled,
  changedModel,
  type Finding,
  type GivenIntervention,
  HookedTransformer,
  interventionCode,
  interventionHooks,
} from "../../src/node.ts";
import { codeOf } from "../../src/options/written.ts";
import { type Installed, installed, tool } from "../repository/installed.ts";
import { CHANGES, NAME, PROMPT } from "./changes.ts";

const SEVERAL: readonly GivenIntervention[] = [
  { what: "head", layer: 1, head: 2, by: "mean" },
  { what: "head", layer: 1, head: 2, position: 3, by: "scale", factor: -2 },
  { what: "stream", layer: 0, by: "add", from: "a line\nand // \u2028 another `x`" },
];
const RUNS: Readonly<Record<string, readonly GivenIntervention[]>> = {
  ...Object.fromEntries(Object.entries(CHANGES).map(([name, change]) => [name, [change]])),
  "several at one place, and a text of several lines": SEVERAL,
  none: [],
};
const ANALYSED = ["logit-lens", "direct-logit-attribution", "look"];

let model: HookedTransformer;
let there: Installed;
/** What the programs found, by their names. */
let logits: Readonly<Record<string, readonly number[]>>;
let findings: Readonly<Record<string, Finding>>;

/** Runs programs in one process. @param exported what each of them ends with @returns what that is, as JSON, by name */
function run<T>(
  programs: readonly (readonly [name: string, code: string])[],
  exported: string,
  shown: string,
): Record<string, T> {
  const files = programs.map((_, i) => `${exported}-${i}.ts`);
  for (const [i, [, code]] of programs.entries())
    writeFileSync(join(there.project, files[i]), `${code}export { ${exported} };\n`);
  const options = "--noEmit --strict --target ES2023 --module NodeNext --moduleResolution NodeNext --skipLibCheck";
  const types = "--lib ES2023,ESNext.Disposable,DOM --types node";
  execFileSync(process.execPath, [tool("typescript/bin/tsc"), ...`${options} ${types}`.split(" "), ...files], {
    cwd: there.project,
    stdio: "pipe",
  });
  const driver = `const found = [];
    for (const file of ${JSON.stringify(files)}) {
      const { ${exported} } = await import("./" + file);
      found.push(${shown});
    }
    process.stdout.write(JSON.stringify(found));`;
  writeFileSync(join(there.project, "driver.mjs"), driver);
  const loader = new URL("../../node_modules/tsx/dist/loader.mjs", import.meta.url).href;
  const found: T[] = JSON.parse(
    execFileSync(process.execPath, ["--import", loader, "driver.mjs"], {
      cwd: there.project,
      encoding: "utf8",
      maxBuffer: 1e9,
    }),
  );
  return Object.fromEntries(programs.map(([name], i) => [name, found[i]]));
}

beforeAll(async () => {
  [model, there] = await Promise.all([HookedTransformer.fromPretrained(NAME), installed()]);
  logits = run(
    Object.entries(RUNS).map(([name, changes]) => [name, interventionCode(model, PROMPT, changes).typescript]),
    "logits",
    "Array.from(logits.data)",
  );
  const of = SEVERAL.map((change) => settledIntervention(model, change));
  findings = run(
    ANALYSED.map((analysis) => [
      analysis,
      codeOf({ analysis, model: NAME, options: { prompt: PROMPT }, changes: { prompt: PROMPT, of } }),
    ]),
    "finding",
    "finding",
  );
});
afterAll(() => there?.remove());

const numbers = (data: unknown) => {
  const all: number[] = [];
  JSON.stringify(data, (_, value) => {
    if (typeof value === "number") all.push(value);
    return value;
  });
  return all;
};
function expectNumbers(found: unknown, expected: unknown): void {
  const [some, others] = [numbers(found), numbers(expected)];
  expect(some.length).toBe(others.length);
  expect(some.length).toBeGreaterThan(10);
  for (const [i, number] of some.entries()) expect(number).toBeCloseTo(others[i], 4);
}

test.each(Object.keys(RUNS))("%s: the program has the hooks' logits", async (name) => {
  const fwdHooks = await interventionHooks(model, PROMPT, RUNS[name]);
  const expected = await model.runWithHooks(PROMPT, { fwdHooks, logitsPos: -1 });
  expectNumbers(logits[name], Array.from(expected.data));
});

test.each(ANALYSED)("the program of %s on a changed model has the numbers of its finding", async (name) => {
  const changed = await changedModel(model, PROMPT, SEVERAL);
  const expected = await analysisCalled(name).run(changed, { prompt: PROMPT });
  expectNumbers(findings[name].tables, expected.tables);
  expect(numbers(findings[name].tables)).not.toEqual(
    numbers((await analysisCalled(name).run(model, { prompt: PROMPT })).tables),
  );
});

test("a program opens the model by the name that it gets, and by its own without one", () => {
  const named = interventionCode(model, PROMPT, [], { name: "./mine" });
  for (const code of Object.values(named)) expect(code).toContain('retrained("./mine")');
  for (const code of Object.values(interventionCode(model, PROMPT, []))) expect(code).toContain(`retrained("${NAME}")`);
});

test("changes are written for TransformerLens, too", () => {
  const { python } = interventionCode(model, PROMPT, Object.values(RUNS).flat(), { name: "gpt2" });
  expect(`\n${python}`).toMatchSnapshot();
});
