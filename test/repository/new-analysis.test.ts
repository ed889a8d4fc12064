/** The row "an analysis" of "Where do I add …" in docs/architecture.md, done in a copy: one page, one line in the index. */
import { execFile } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "glassformer-analysis-"));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** Top tokens of the mean residual direction between two sets of prompts. */
const PAGE = join(root, "test/repository/new-analysis/mean-direction.txt");

const DOCS = `
import { meanDirectionAnalysis } from "./src/analyses/mean-direction.ts";
import { HookedTransformer } from "./src/node.ts";
import { techniquePage } from "./scripts/technique-pages.ts";
const found = await meanDirectionAnalysis.run(await HookedTransformer.fromPretrained("bundled"));
console.log(techniquePage({ analysis: meanDirectionAnalysis, found, svg: "" }, "# Mean direction\\n\\n## How to read the picture\\n\\nBars are tokens."));
process.exit(0);
`;

const node = (...args: string[]) => run(process.execPath, ["--import", "tsx", ...args], { cwd: copy });
const command = (...args: string[]) => node("src/cli/main.ts", ...args);

beforeAll(() => {
  for (const folder of ["src", "scripts", "models", "test/analyses"]) {
    cpSync(join(root, folder), join(copy, folder), { recursive: true });
  }
  for (const file of ["package.json", "tsconfig.json"]) copyFileSync(join(root, file), join(copy, file));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  copyFileSync(PAGE, join(copy, "src/analyses/mean-direction.ts"));
  const index = join(copy, "src/analyses/index.ts");
  const line = 'import { meanDirectionAnalysis } from "./mean-direction.ts";\n';
  const text = readFileSync(index, "utf8").replace(
    "  neuronTokensAnalysis,\n",
    "  neuronTokensAnalysis,\n  meanDirectionAnalysis,\n",
  );
  expect(text).toContain("  meanDirectionAnalysis,\n");
  writeFileSync(index, line + text);
});

test("it is a page of at most 200 lines", () => {
  expect(readFileSync(PAGE, "utf8").split("\n").length).toBeLessThanOrEqual(200);
});

test("it is a command with help, that answers in the terminal", async () => {
  const { stdout: help } = await command("mean-direction", "--help");
  for (const words of [
    "Which tokens does the difference between two sets of prompts point at?",
    "--from",
    "--top",
    "--seed",
  ]) {
    expect(help).toContain(words);
  }
  const { stdout } = await command("mean-direction", "--top", "3");
  expect(stdout).toMatch(/most of all, by [\d.]+ logits/);
  expect(stdout.split("\n").length).toBeLessThanOrEqual(25);
  await expect(command("mean-direction", "--top", "0")).rejects.toThrow("whole number of at least 1");
});

test("it is a report with two views of its tables, and files of each", async () => {
  mkdirSync(join(copy, "figs"));
  await command("mean-direction", "--out", "figs/", "--quiet");
  const files = readdirSync(join(copy, "figs"));
  for (const file of ["report.html", "finding.json"]) expect(files).toContain(file);
  const { pictures, tables } = JSON.parse(readFileSync(join(copy, "figs/finding.json"), "utf8"));
  expect(pictures.map(({ name, table }: { name: string; table: string }) => [name, table])).toEqual([
    ["tokens", "tokens"],
    ["prompts", "prompts"],
  ]);
  expect(tables[0].columns.map(({ name }: { name: string }) => name)).toEqual(["layer", "token", "logits"]);
  expect(files.filter((file) => file.endsWith(".svg"))).toHaveLength(2);
});

test("it has a page in the documents, from its record", async () => {
  writeFileSync(join(copy, "docs.ts"), DOCS);
  const { stdout } = await node("docs.ts");
  for (const part of [
    "# Mean direction",
    "Bars are tokens.",
    "| `from` |",
    "Rimsky et al., 2024",
    "npx glassformer mean-direction",
  ]) {
    expect(stdout).toContain(part);
  }
});

test("it is tested as every analysis is, without a line of its own", async () => {
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const { stdout } = await run(
    process.execPath,
    [vitest, "run", "test/analyses/every.test.ts", "-t", "mean-direction", "--root", copy],
    {
      cwd: copy,
    },
  );
  expect(stdout).toMatch(/4 passed/);
});
