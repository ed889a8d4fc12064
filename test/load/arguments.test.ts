/** What untyped callers may pass: each gives a sentence, never a raw error. */
import { describe, expect, test } from "vitest";
import {
  type ByteSource,
  memoryFiles,
  memorySource,
  readPth,
  readSafetensors,
  writeSafetensors,
} from "../../src/load/index.ts";
import { fileSource } from "../../src/load/node-file.ts";
import { type NDArray, ndarray } from "../../src/tensor/array.ts";
import { ArgumentError, FileFormatError, GlassformerError } from "../../src/tensor/errors.ts";

const wrong: unknown[] = [undefined, null, 0, Number.NaN, "m.pth", [], {}, new Uint8Array(4), () => {}, Symbol("x")];
const source = memorySource("m", writeSafetensors(new Map()));

describe.each(["readPth", "readSafetensors"] as const)("%s", (name) => {
  const read = { readPth, readSafetensors }[name] as (source: unknown, options?: unknown) => Promise<unknown>;

  test("takes a source of bytes, and nothing else", async () => {
    for (const value of [...wrong, { name: "m", size: -1, read() {} }, { name: "m", size: 1 }]) {
      const error = await read(value).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(ArgumentError);
      expect((error as Error).message).toMatch(new RegExp(`^${name} takes a source of bytes, such as memorySource`));
    }
  });

  test("knows its options, and their kinds", async () => {
    await expect(read(source, { signl: 1 })).rejects.toThrow(/no option "signl"\. Did you mean "signal"\?/);
    await expect(read(source, { signal: 5 })).rejects.toThrow(ArgumentError);
    await expect(read(source, 5)).rejects.toThrow(ArgumentError);
    await expect(read(source, null)).rejects.toThrow(ArgumentError);
  });

  test("refuses a source that returns the wrong number of bytes", async () => {
    const short: ByteSource = { name: "m", size: 1000, read: async () => new Uint8Array(3) };
    await expect(read(short)).rejects.toThrow(FileFormatError);
    await expect(read(short)).rejects.toThrow(/returned 3 bytes instead of \d+/);
  });
});

test("memorySource takes a name and bytes", () => {
  const call = memorySource as (...args: unknown[]) => unknown;
  for (const value of wrong.filter((v) => !(v instanceof Uint8Array))) {
    expect(() => call("m", value)).toThrow(ArgumentError);
  }
  for (const value of wrong.filter((v) => typeof v !== "string")) {
    expect(() => call(value, new Uint8Array(1))).toThrow(ArgumentError);
  }
});

test("memoryFiles takes a name and contents by path", () => {
  const call = memoryFiles as (...args: unknown[]) => unknown;
  for (const value of [undefined, null, 5, "x"]) expect(() => call("m", value)).toThrow(ArgumentError);
  expect(() => call(5, {})).toThrow(ArgumentError);
  expect(() => call("m", { "a.json": { model: 1 } })).toThrow(/content of "a\.json" must be a Uint8Array or a string/);
});

test("fileSource takes a path", async () => {
  for (const value of wrong.filter((v) => typeof v !== "string")) {
    await expect(fileSource(value as string)).rejects.toBeInstanceOf(GlassformerError);
  }
  await expect(fileSource("a\0b")).rejects.toBeInstanceOf(GlassformerError);
});

describe("writeSafetensors", () => {
  const write = writeSafetensors as (...args: unknown[]) => unknown;
  const good = ndarray("float32", [2], Float32Array.of(1, 2));

  test("takes a Map of arrays", () => {
    for (const value of wrong) expect(() => write(value)).toThrow(/takes a Map from names to arrays/);
    for (const value of wrong) expect(() => write(new Map([["a", value]]))).toThrow(ArgumentError);
  });

  test.each<[string, unknown, RegExp]>([
    ["fewer numbers than its shape", { ...good, shape: [5] }, /shape \[5\], 5 numbers, whose data has 2 \("a"\)/],
    ["more numbers than its shape", { ...good, shape: [] }, /shape \[\], 1 numbers, whose data has 2/],
    ["an invalid size", { ...good, shape: [-2] }, /shape \[-2\]/],
    ["a size that is a text", { ...good, shape: ["2"] }, /shape \["2"\]/],
    ["no shape", { ...good, shape: 2 }, /a shape must be a list of whole numbers/],
    [
      "a dtype that does not exist",
      { ...good, dtype: "F32" },
      /dtype "F32" \("a"\): it supports float32, float64, int32, bool/,
    ],
    ["a dtype by inheritance", { ...good, dtype: "toString" }, /dtype "toString"/],
    ["data of another dtype", { ...good, dtype: "int32" }, /of int32 whose data is .* not a Int32Array/],
    ["data in a list", { ...good, data: [1, 2] }, /of float32 whose data is \[1, 2\]/],
  ])("refuses an array with %s", (_, array, message) => {
    expect(() => write(new Map([["a", array]]))).toThrow(ArgumentError);
    expect(() => write(new Map([["a", array]]))).toThrow(message);
  });

  test("refuses invalid names, which a reader would not find again", () => {
    expect(() => write(new Map([[5, good]]))).toThrow(/names must be strings/);
    expect(() => write(new Map([["\ud800", good]]))).toThrow(/half a character/);
  });

  test("refuses metadata that are not strings, and options that do not exist", () => {
    expect(() => write(new Map(), { format: 1 })).toThrow(/an object of strings/);
    expect(() => write(new Map(), null)).toThrow(ArgumentError);
    expect(() => write(new Map(), {}, { dtpe: "F16" })).toThrow(/Did you mean "dtype"/);
    expect(() => write(new Map(), {}, { dtype: "F8" })).toThrow(ArgumentError);
  });

  test("may give tensors and metadata the names of object properties", async () => {
    const names = ["__proto__", "constructor", "hasOwnProperty", ""];
    const bytes = writeSafetensors(
      new Map(names.map((name): [string, NDArray] => [name, good])),
      JSON.parse('{"__proto__": "x"}'),
    );
    expect([...(await readSafetensors(memorySource("m", bytes))).keys()].sort()).toEqual([...names].sort());
  });
});
