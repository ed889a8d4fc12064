/** llama2.c's files, as its own tools wrote them: test/goldens/llama2c/make.py. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { memorySource } from "../../src/load/index.ts";
import { isLlama2c, openLlama2c } from "../../src/load/llama2c.ts";
import { HookedTransformer, loadTokenizer } from "../../src/node.ts";
import { ArgumentError, FileFormatError } from "../../src/tensor/errors.ts";
import { expectClose } from "../close.ts";

const goldens = fileURLToPath(new URL("../goldens/llama2c/", import.meta.url));
const bytesOf = (name: string) => new Uint8Array(readFileSync(join(goldens, name)));
const expected = JSON.parse(readFileSync(join(goldens, "expected.json"), "utf8"));

test.each(["first", "first-untied", "second", "groups"])(
  "%s.bin opens by its path, with llama2.c's logits",
  async (name) => {
    const model = await HookedTransformer.fromPretrainedNoProcessing(join(goldens, `${name}.bin`));
    expectClose(await model.forward(expected.tokens), { shape: [1, 8, 320], data: expected[name].flat(2) }, 1e-5);
    expect(model.notes.join(" ")).not.toContain("window");
    expect(model.cfg).toMatchObject({ nLayers: 2, nKeyValueHeads: 2, nCtx: 24 });
  },
);

test("tokenizer.bin beside it gives SentencePiece's ids", async () => {
  const tokenizer = await loadTokenizer(join(goldens, "first.bin"));
  for (const [text, ids] of Object.entries<number[]>(expected.ids)) {
    expect(tokenizer.encode(text), text).toEqual(ids);
    expect(tokenizer.decode(ids, { skipSpecialTokens: true }), text).toBe(text);
  }
});

describe("in a folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "glassformer-llama2c-"));
    cpSync(join(goldens, "first.bin"), join(folder, "model.bin"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("a single model opens, without a tokenizer too", async () => {
    const model = await HookedTransformer.fromPretrained(folder);
    expect(model.notes.join(" ")).toContain("The model has no tokenizer");
    cpSync(join(goldens, "tokenizer.bin"), join(folder, "tokenizer.bin"));
    expect((await HookedTransformer.fromPretrained(folder)).notes.join(" ")).not.toContain(
      "The model has no tokenizer",
    );
  });

  test("another .bin file is not one", async () => {
    writeFileSync(join(folder, "model.bin"), bytesOf("first.bin").subarray(0, -4));
    await expect(HookedTransformer.fromPretrained(join(folder, "model.bin"))).rejects.toBeInstanceOf(ArgumentError);
    await expect(HookedTransformer.fromPretrained(folder)).rejects.toThrow(/has no config\.json/);
  });
});

test.each<[string, Uint8Array, RegExp]>([
  [
    "half a file",
    bytesOf("second.bin").subarray(0, 9000),
    /by its first numbers it would have \d+ bytes, but it has 9000/,
  ],
  ["an empty file", new Uint8Array(0), /it has 0 bytes/],
  ["another version", bytesOf("second.bin").with(4, 9), /it says version 9, but 1 and 2 are read/],
  ["no layers", bytesOf("second.bin").with(16, 0), /its first numbers, 32, \d+, 0, 4, 2, 320, 24, are not the sizes/],
  ["groups that do not fit", bytesOf("groups.bin").with(37, 33), /groups of 33 numbers do not fit rows of 32/],
])("%s is refused in a sentence", async (_, bytes, message) => {
  const error = await openLlama2c(memorySource("m.bin", bytes), undefined).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(FileFormatError);
  expect((error as Error).message).toMatch(message);
});

test.each<[string, Uint8Array, RegExp]>([
  ["too short", bytesOf("tokenizer.bin").subarray(0, 3000), /ends after \d+ tokens|goes beyond its end|has 3000 bytes/],
  ["too long", Uint8Array.of(...bytesOf("tokenizer.bin"), 0), /it has 1 bytes more/],
])("a tokenizer that is %s is refused", async (_, bytes, message) => {
  const source = memorySource("m.bin", bytesOf("first.bin"));
  const error = await openLlama2c(source, memorySource("tokenizer.bin", bytes)).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(FileFormatError);
  expect((error as Error).message).toMatch(message);
});

test("a file is recognised by its numbers and its size", async () => {
  for (const name of ["first", "first-untied", "second", "groups"]) {
    expect(await isLlama2c(memorySource(name, bytesOf(`${name}.bin`)))).toBe(true);
  }
  expect(await isLlama2c(memorySource("t", bytesOf("tokenizer.bin")))).toBe(false);
  expect(await isLlama2c(memorySource("t", bytesOf("first.bin").subarray(4)))).toBe(false);
});
