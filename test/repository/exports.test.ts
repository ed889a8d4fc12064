/** Every public name is documented: a doc comment precedes its declaration, which an editor shows. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./installed.ts";

/** An exported name, and the file that it comes from. */
interface Export {
  readonly name: string;
  readonly file: string;
}

/** What a file re-exports from others. */
function passedOn(file: string): Export[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/^export (?:type )?(\{[^}]*\}|\*) from "([^"]+)"/gm)].flatMap(([, names, from]) => {
    const source = join(dirname(file), from);
    if (names === "*") return passedOn(source);
    const list = names.slice(1, -1).split(",");
    return list.map((name) => ({ name: name.replace(/\btype\b/, "").trim(), file: source })).filter(({ name }) => name);
  });
}

/** Whether the declaration has a doc comment; `undefined` if there is no such declaration. */
function documented({ name, file }: Export): boolean | undefined {
  const lines = readFileSync(file, "utf8").split("\n");
  const declares = new RegExp(`^export (?:abstract |async )*(?:class|function|const|interface|type) ${name}\\b`);
  const at = lines.findIndex((line) => declares.test(line));
  if (at >= 0) {
    const before = lines.slice(0, at).filter((line) => !line.startsWith("// biome-ignore"));
    return before.at(-1)?.trim().endsWith("*/");
  }
  const next = passedOn(file).find((passed) => passed.name === name);
  return next && documented(next);
}

/** The text of the file that declares a name. */
function sourceOf(name: string, file: string): string {
  const text = readFileSync(file, "utf8");
  if (new RegExp(`^export (?:interface|type) ${name}\\b`, "m").test(text)) return text;
  const next = passedOn(file).find((passed) => passed.name === name);
  return next ? sourceOf(name, next.file) : "";
}

test.each(["index", "node", "web"])("every name that src/%s.ts exports from elsewhere has a doc comment", (entry) => {
  const exports = passedOn(join(root, `src/${entry}.ts`));
  expect(exports.length).toBeGreaterThan(30);
  expect(exports.filter((found) => documented(found) !== true).map(({ name }) => name)).toEqual([]);
});

test("every option of a public call may be passed on as undefined, by users with exactOptionalPropertyTypes too", () => {
  const exports = passedOn(join(root, "src/index.ts")).filter(({ name }) => /(Options|Controls)$/.test(name));
  expect(exports.length).toBeGreaterThan(20);
  const refusing = exports.flatMap(({ name, file }) => {
    const [, fields] =
      new RegExp(`(?:interface|type) ${name}\\b[^{]*\\{([\\s\\S]*?)\\n\\}`).exec(sourceOf(name, file)) ?? [];
    const optional = [...(fields ?? "").matchAll(/^ {2}readonly (\w+)\?:(.*);$/gm)];
    return optional.filter(([, , type]) => !/\bundefined$/.test(type)).map(([, field]) => `${name}.${field}`);
  });
  expect(refusing).toEqual([]);
});

test("src/index.ts reads as a table of contents: every export stands under a heading", () => {
  const sections = readFileSync(join(root, "src/index.ts"), "utf8").trim().split("\n\n").slice(1);
  expect(sections.length).toBeGreaterThan(10);
  expect(sections.filter((section) => !/^\/\/ \S.*\nexport /.test(section))).toEqual([]);
});
