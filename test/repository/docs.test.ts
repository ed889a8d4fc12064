/** The documents say what the code does: their links, their tree, their names and their code are checked. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ANALYSES } from "../../src/node.ts";
import { type Installed, installed, root } from "./installed.ts";

const read = (path: string) => readFileSync(join(root, path), "utf8");
/** The repository's own folders; the rest is installed or built. */
const folders = readdirSync(root, { withFileTypes: true }).filter(
  (e) => e.isDirectory() && !/^(\.git|node_modules|dist|coverage|api)$/.test(e.name),
);
const pages = [
  ...readdirSync(root),
  ...folders.flatMap(({ name }) =>
    readdirSync(join(root, name), { recursive: true, encoding: "utf8" }).map((path) => `${name}/${path}`),
  ),
].filter((path) => path.endsWith(".md"));

/** The pages about one analysis each. */
const techniques = readdirSync(join(root, "docs/techniques"))
  .map((file) => file.replace(/\.md$/, ""))
  .sort();

test.each(pages)("every link of %s to a file leads to one", (page) => {
  const text = read(page).replace(/```.*?```/gs, "");
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]);
  const local = targets.filter((target) => !/^(https?:|mailto:|#)/.test(target));
  const missing = local.filter((target) => !existsSync(join(root, dirname(page), target.replace(/#.*/, ""))));
  expect(missing).toEqual([]);
});

describe("docs/architecture.md", () => {
  const page = read("docs/architecture.md");
  /** The paths of the tree of src, each line of which is `indent name  what it is`. */
  const drawn: string[] = [];
  const block = /```text\n(src\/\n.*?)```/s.exec(page)?.[1] ?? "";
  const above: string[] = [];
  for (const line of block.split("\n").slice(1)) {
    const [, indent, names] = /^( *)((?:\S+?\.ts ?)+|\S+\/)/.exec(line) ?? [];
    if (names === undefined) continue;
    above.length = indent.length / 2 - 1;
    for (const name of names.trim().split(" ")) drawn.push([...above, name.replace(/\/$/, "")].join("/"));
    above.push(names.replace(/\/$/, ""));
  }

  test("shows the folders of src, two levels deep", () => {
    const entries = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true });
    const folders = entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(root, "src/").length));
    const files = readdirSync(join(root, "src")).filter((name) => name.endsWith(".ts"));
    expect(drawn.sort()).toEqual([...folders, ...files].sort());
  });

  test("names files that exist", () => {
    const named = [...page.matchAll(/`((?:src|test|docs|scripts|bench|examples)\/[\w./-]+)`/g)].map(
      (match) => match[1],
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe("the code in the documents", () => {
  let there: Installed;
  beforeAll(async () => {
    there = await installed();
  });
  afterAll(() => there?.remove());

  const loader = new URL("../../node_modules/tsx/dist/loader.mjs", import.meta.url).href;
  const run = (file: string, code: string): string => {
    const path = join(there.project, file);
    writeFileSync(path, code);
    return execFileSync(process.execPath, ["--import", loader, path], { cwd: there.project, encoding: "utf8" });
  };
  const blocks = (page: string) => [...read(page).matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]);
  const told = [
    "README.md",
    "docs/training.md",
    "docs/splicing.md",
    "docs/dictionaries.md",
    "docs/encoders.md",
  ].flatMap((page) => blocks(page).map((code, i) => [page, i + 1, code] as const));

  test("is in README.md", () => expect(told[0]?.[0]).toBe("README.md"));

  test.each(told)("runs on the installed package: %s, block %i", (page, i, code) => {
    const printed = run(`${page.replaceAll("/", "-")}-${i}.ts`, code);
    // What the comments promise is what is printed: `// prints: …`
    for (const [, promised] of code.matchAll(/\/\/ prints: (.*)/g)) expect(printed).toContain(promised);
  });

  test("runs on the installed package, for every technique", () => {
    const codes = techniques.map((name) => [name, blocks(`docs/techniques/${name}.md`)] as const);
    expect(codes.filter(([, code]) => code.length !== 1).map(([name]) => name)).toEqual([]);
    for (const [name, [code]] of codes) writeFileSync(join(there.project, `${name}.ts`), code);
    // One program runs them one after the other, with a separator line between.
    const all = techniques.map((name) => `console.log("## ${name}");\nawait import("./${name}.ts");`);
    const printed = run("techniques.ts", all.join("\n"));
    const said = Object.fromEntries(
      printed.split(/^## /m).map((part) => [part.split("\n")[0], part.slice(part.indexOf("\n")).trim()]),
    );
    // Each prints what its finding says.
    expect(techniques.filter((name) => !/[.:]$/m.test(said[name] ?? ""))).toEqual([]);
  });
});

test("docs/techniques has a page for each analysis", () => {
  expect(techniques).toEqual(ANALYSES.map(({ name }) => name).sort());
});
