/** No file of src imports itself by way of others, types included: each can be read, and replaced, after what it rests on. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./installed.ts";

const src = join(root, "src");

/** The files that each file imports, statically, dynamically or as types. */
function importsOf(texts: ReadonlyMap<string, string>): Map<string, string[]> {
  const specifiers = (text: string) => [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g)].map(([, s]) => s);
  return new Map(
    [...texts].map(([file, text]) => [
      file,
      specifiers(text)
        .map((specifier) => join(dirname(file), specifier))
        .filter((other) => texts.has(other)),
    ]),
  );
}

/** Files that reach each other, one list for each such group, and a shortest way round: "a.ts > b.ts > a.ts". */
function circles(imports: ReadonlyMap<string, readonly string[]>): { files: string[]; way: string }[] {
  const reached = new Map([...imports.keys()].map((file) => [file, waysFrom(file, imports)]));
  const groups = new Map<string, { files: string[]; way: string }>();
  for (const [file, ways] of reached) {
    const files = [...ways.keys()].filter((other) => reached.get(other)!.has(file)).sort();
    if (files.length > 0) groups.set(files.join(), groups.get(files.join()) ?? { files, way: ways.get(file)! });
  }
  return [...groups.values()];
}

/** All files that one reaches, each with a shortest way there. */
function waysFrom(file: string, imports: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  const ways = new Map<string, string>();
  for (const queue = [{ at: file, way: file }]; queue.length > 0; ) {
    const { at, way } = queue.shift()!;
    for (const next of imports.get(at)!) {
      if (ways.has(next)) continue;
      ways.set(next, `${way} > ${next}`);
      queue.push({ at: next, way: `${way} > ${next}` });
    }
  }
  return ways;
}

test("no file of src imports itself by way of others, type-only imports included", () => {
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((path) => /\.tsx?$/.test(path));
  const texts = new Map(files.map((file) => [file, readFileSync(join(src, file), "utf8")]));
  expect(circles(importsOf(texts)).map(({ way }) => way)).toEqual([]);
});

test("circles are found in files and through several, once each", () => {
  const texts = new Map([
    ["a.ts", 'import { b } from "./b/b.ts";'],
    ["b/b.ts", 'import type { C } from "../c.ts";'],
    ["c.ts", 'export * from "./a.ts";\nimport { d } from "./d.ts";'],
    ["d.ts", 'const d = await import("./d.ts");'],
    ["e.ts", 'import { a } from "./a.ts";'],
  ]);
  expect(circles(importsOf(texts)).map(({ way }) => way)).toEqual(["a.ts > b/b.ts > c.ts > a.ts", "d.ts > d.ts"]);
});
