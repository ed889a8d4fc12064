/** docs/parity.md, and the table of docs/dictionaries.md: every row has an answer, and every test and every name in it exists. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ActivationCache } from "../../src/lens/activation-cache.ts";
import { ResidualStack } from "../../src/lens/residual-stack.ts";
import { Weights } from "../../src/models/weights/weights.ts";
import * as glassformer from "../../src/node.ts";
import { root } from "./installed.ts";

const ANSWERS = ["yes", "better", "not yet", "never"] as const;
interface Row {
  readonly section: string;
  readonly theirs: string;
  readonly answer: string;
  readonly here: string;
  readonly shown: string;
}

const page = readFileSync(join(root, "docs/parity.md"), "utf8");
/** The tables under headings that begin like this; what stands before the first of them is left out. */
const rowsUnder = (text: string, heading: RegExp): Row[] =>
  text.split(heading).flatMap((part, i) => {
    if (i === 0) return [];
    const section = part.split("\n")[0];
    const lines = part
      .split("\n")
      .filter((line) => line.startsWith("| ") && !/^\| (?:TransformerLens|SAELens|---)/.test(line));
    return lines.map((line) => {
      const [, theirs, answer, here, shown, ...rest] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
      if (rest.length !== 1) throw new Error(`A row of docs/parity.md has not four cells: ${line}`);
      return { section, theirs, answer, here, shown };
    });
  });

const rows = rowsUnder(page, /^## (?=4\.)/m);
/** Every row that names something: those of other libraries' tables too. */
const everyRow = [...rows, ...rowsUnder(readFileSync(join(root, "docs/dictionaries.md"), "utf8"), /^## (?=Compared)/m)];

/** Everything public that is a value: exports, and classes that only appear in results. */
const values: Readonly<Record<string, unknown>> = { ...glassformer, ResidualStack, ActivationCache, Weights };
const src = join(root, "src");
const sources = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => readFileSync(join(src, path), "utf8"));
const declares = (pattern: RegExp) => sources.some((text) => pattern.test(text));
const index = readFileSync(join(src, "index.ts"), "utf8");

/** Whether what stands in backticks is there: an export, `Class.member`, `namespace.function`, `{ option }`, a command. */
function exists(name: string): boolean {
  const command = /^glassformer ([\w-]+)$/.exec(name)?.[1];
  if (command) return glassformer.ANALYSES.some((analysis) => analysis.name === command);
  const option = /^\{ (\w+) \}$/.exec(name)?.[1];
  if (option) return declares(new RegExp(`\\breadonly ${option}\\??: `));
  const [owner, member] = name.split(".");
  if (member === undefined) return owner in values || new RegExp(`\\b${owner}\\b`).test(index);
  const value = values[owner];
  if (typeof value === "function" && (member in value.prototype || member in value)) return true;
  if (typeof value === "object" && value !== null) return member in value;
  return declaresField(owner, member);
}

/** Whether a class or an interface has a field, of its own or of one that it extends: it is there for the compiler alone. */
function declaresField(owner: string, member: string): boolean {
  const declaration = new RegExp(`(?:class|interface) ${owner}\\b(?:\\s+extends ([^{]*))?[^{]*{(?:}|[^]*?\n})`, "g");
  const bodies = sources.flatMap((text) => [...text.matchAll(declaration)]);
  return bodies.some(([body, parents]) => {
    if (new RegExp(`^ {2}(?:readonly )?${member}\\b`, "m").test(body)) return true;
    return (parents ?? "")
      .split(",")
      .some((parent) => parent.trim() && declaresField(parent.trim().split("<")[0], member));
  });
}

describe("docs/parity.md", () => {
  test("has a row for every part of TransformerLens' public surface", () => {
    const sections = new Set(rows.map(({ section }) => section.split(" ")[0]));
    expect([...sections]).toEqual(Array.from({ length: 11 }, (_, i) => `4.${i + 1}`));
    const twice = rows.map((row) => row.section + row.theirs).filter((key, i, all) => all.indexOf(key) !== i);
    expect(twice).toEqual([]);
    expect(rows.length).toBeGreaterThan(250);
  });

  test("answers every row in one of four ways, and says why if the answer is never", () => {
    expect(everyRow.filter(({ answer }) => !(ANSWERS as readonly string[]).includes(answer))).toEqual([]);
    expect(everyRow.filter(({ theirs, here }) => !theirs || !here)).toEqual([]);
  });

  test("counts its rows at the top", () => {
    const counts = ANSWERS.map((answer) => rows.filter((row) => row.answer === answer).length);
    const told = ANSWERS.map((answer) => Number(new RegExp(`^\\| ${answer} \\| (\\d+) \\|`, "m").exec(page)?.[1]));
    expect(told).toEqual(counts);
  });

  test("supports each yes and better with existing tests, under their current names", () => {
    const missing = everyRow.flatMap(({ theirs, answer, shown }) => {
      const found = /^`([^`]+)`: (.+)$/.exec(shown);
      if (!found) return answer === "yes" || answer === "better" ? [`${theirs}: no test`] : [];
      const [, file, name] = found;
      const text = readFileSync(join(root, file), "utf8");
      return text.includes(name.replaceAll("\\|", "|")) ? [] : [`${theirs}: "${name}" is not in ${file}`];
    });
    expect(missing).toEqual([]);
  });

  test("only names what exists", () => {
    const named = everyRow.flatMap(({ here }) => [...here.matchAll(/`([^`]+)`/g)].map((match) => match[1]));
    expect(named.length).toBeGreaterThan(200);
    expect([...new Set(named)].filter((name) => !exists(name))).toEqual([]);
  });
});

test.each(["HookedTransformer.nonsense", "{ nonsense }", "nonsense", "patching.nonsense", "glassformer nonsense"])(
  "the check of names finds that %s does not exist",
  (name) => expect(exists(name)).toBe(false),
);
