/** The documents say what the code does: their links, their tree, their names and their code are checked. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hookNamesPage, pagePath } from "../../scripts/hook-names.ts";
import { type Installed, installed, root } from "./installed.ts";

const read = (path: string) => readFileSync(join(root, path), "utf8");
/** The repository's own folders; the rest is installed or built. */
const folders = readdirSync(root, { withFileTypes: true }).filter(
  (e) => e.isDirectory() && !/^(\.git|node_modules|dist|coverage)$/.test(e.name),
);
const pages = [
  ...readdirSync(root),
  ...folders.flatMap(({ name }) =>
    readdirSync(join(root, name), { recursive: true, encoding: "utf8" }).map((path) => `${name}/${path}`),
  ),
].filter((path) => path.endsWith(".md"));

test("docs/hook-names.md is what the models' graphs say (if not: npm run docs)", () => {
  expect(readFileSync(pagePath, "utf8")).toBe(hookNamesPage());
});

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

  test("draws the folders that src has, two deep", () => {
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

describe("the code in README.md", () => {
  let there: Installed;
  beforeAll(async () => {
    there = await installed();
  });
  afterAll(() => there?.remove());

  const blocks = [...read("README.md").matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]);

  test("is there", () => expect(blocks.length).toBeGreaterThan(0));

  test.each(blocks.map((code, i) => [i + 1, code] as const))(
    "runs on the package as it is installed, block %i",
    (i, code) => {
      const file = join(there.project, `readme-${i}.ts`);
      writeFileSync(file, code);
      const loader = new URL("../../node_modules/tsx/dist/loader.mjs", import.meta.url).href;
      const printed = execFileSync(process.execPath, ["--import", loader, file], {
        cwd: there.project,
        encoding: "utf8",
      });
      // What the comments promise is what is printed: `// prints: …`
      for (const [, promised] of code.matchAll(/\/\/ prints: (.*)/g)) expect(printed).toContain(promised);
    },
  );
});
