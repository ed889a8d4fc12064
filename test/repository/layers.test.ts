/** Which folder may import which. The table is that of docs/architecture.md. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/** From the ground up. A file imports from its own folder and from lower lines, never from other folders on its own line. */
const layers = [
  ["platform.ts"],
  ["tensor"],
  ["graph", "text", "finding"],
  ["models", "load"],
  ["dictionaries"],
  ["engine", "options"],
  ["lens"],
  ["measures"],
  ["analyses"],
  ["training", "report"],
  ["scan"],
  ["index.ts", "node.ts", "web.ts", "worker.ts", "elements.ts", "page-platform.ts"],
  ["cli", "script", "web-app"],
];

const src = fileURLToPath(new URL("../../src/", import.meta.url));
const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((path) => /\.tsx?$/.test(path));
const text = (file: string) => readFileSync(join(src, file), "utf8");
/** The folder of a file, or the file itself where it is an entry. */
const place = (file: string) => file.split("/")[0];
const height = (file: string) => layers.findIndex((layer) => layer.includes(place(file)));

/** What a file imports, statically, dynamically or as types. */
function imports(file: string): string[] {
  return [...text(file).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1]);
}

/** Files that run in Node alone. */
const forNode = /^(node\.ts|report\/resvg\.ts|cli\/.*|.*\/node[^/]*\.ts|.*-node\.ts)$/;

/** Files with an import that the test forbids, as "file imports x". */
function offences(forbidden: (file: string, specifier: string) => boolean): string[] {
  return files.flatMap((file) =>
    imports(file)
      .filter((specifier) => forbidden(file, specifier))
      .map((specifier) => `${file} imports ${specifier}`),
  );
}

describe("the layers", () => {
  test("every folder of src has its place", () => {
    expect(files.filter((file) => height(file) < 0 && !file.endsWith(".d.ts"))).toEqual([]);
  });

  test("a file imports from its own folder and from lower layers only", () => {
    const upward = (file: string, specifier: string) => {
      if (!specifier.startsWith(".") || file === "platform.ts") return false;
      const target = relative(src, join(src, dirname(file), specifier));
      const entry = (path: string) => /^(index|node|web|page-platform)\.ts$/.test(path);
      if (place(file) === place(target) || (entry(file) && entry(target))) return false;
      return height(target) < 0 || height(target) >= height(file);
    };
    expect(offences(upward)).toEqual([]);
  });

  test("platform.ts, which all may ask, imports types and no code", () => {
    const code = text("platform.ts").match(/^import (?!type\b).*$/gm);
    expect(code).toBeNull();
  });

  test("only the engine's files for it import onnxruntime", () => {
    const allowed = /^engine\/ort[^/]*\.ts$/;
    expect(offences((file, specifier) => specifier.startsWith("onnxruntime") && !allowed.test(file))).toEqual([]);
  });

  test("only files for Node import Node's modules", () => {
    expect(offences((file, specifier) => specifier.startsWith("node:") && !forNode.test(file))).toEqual([]);
  });

  test("files that run anywhere do not import files for Node", () => {
    const reaches = (file: string, specifier: string) =>
      specifier.startsWith(".") &&
      !forNode.test(file) &&
      forNode.test(relative(src, join(src, dirname(file), specifier)));
    expect(offences(reaches)).toEqual([]);
  });

  test("what looks at models asks their parts, not the flags of their configuration", () => {
    const flags = /\b(attnOnly|parallelAttnMlp|positionalEmbeddingType|gatedMlp|nKeyValueHeads)\b/;
    const looks = (file: string) => ["lens", "measures", "analyses", "report", "training"].includes(place(file));
    expect(files.filter((file) => looks(file) && flags.test(text(file)))).toEqual([]);
  });

  test("the library writes nothing to the console", () => {
    const writes = (file: string) => /(?<![\w.*`])console\.\w+\(/.test(text(file));
    expect(files.filter((file) => place(file) !== "cli" && writes(file))).toEqual([]);
  });
});
