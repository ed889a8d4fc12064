/** GGUF: every kind of number bit for bit as the `gguf` package reads it, settings, and files that lie. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { memorySource, openGguf, readGguf, readSafetensors } from "../../src/load/index.ts";
import { fileSource } from "../../src/load/node.ts";
import { FileFormatError } from "../../src/tensor/errors.ts";
import { ggufFile } from "./gguf-file.ts";

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const blocks = () => new Uint8Array(readFileSync(fixture("blocks.gguf")));
const open = (bytes: Uint8Array) => openGguf(memorySource("m.gguf", bytes));

describe("a file that the gguf package wrote", () => {
  test("every kind of number is what it reads, to the last bit", async () => {
    const expected = await readSafetensors(await fileSource(fixture("blocks.safetensors")));
    const found = await readGguf(await fileSource(fixture("blocks.gguf")));
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, { shape, data }] of expected) {
      const array = found.get(name)!;
      expect(array.shape, name).toEqual(shape);
      const bits = (numbers: unknown) => [...new Int32Array((numbers as Float32Array).buffer)];
      expect(bits(array.data), name).toEqual(bits(data));
    }
  });

  test("one tensor is read without the others", async () => {
    const bytes = blocks();
    const reads: [number, number][] = [];
    const source = memorySource("m.gguf", bytes);
    const file = await openGguf({
      ...source,
      read(start, end) {
        reads.push([start, end]);
        return source.read(start, end);
      },
    });
    reads.length = 0;
    expect([file.shapes.get("Q4_K"), file.kinds.get("Q4_K")]).toEqual([[3, 512], "Q4_K"]);
    await file.read("Q4_K");
    expect(reads).toHaveLength(1);
    expect(reads[0][1] - reads[0][0]).toBe(6 * 144);
  });

  test("a tensor's rows are the same, some at a time", async () => {
    const file = await open(blocks());
    for (const name of file.shapes.keys()) {
      const whole = await file.read(name);
      const rows: number[] = [];
      await file.readRows!(name, (some, first) => {
        expect(first * whole.shape[1]).toBe(rows.length);
        rows.push(...some);
      });
      expect(rows, name).toEqual([...whole.data]);
    }
  });

  test("settings of every type", async () => {
    const { metadata } = await open(blocks());
    const plain = (value: unknown) => (ArrayBuffer.isView(value) ? [...(value as Float32Array)] : value);
    const found = Object.fromEntries([...metadata].map(([key, value]) => [key, plain(value)]));
    expect(found).toMatchObject({
      "general.architecture": "none",
      "a.uint8": 255,
      "a.int8": -128,
      "a.uint16": 65535,
      "a.int16": -32768,
      "a.uint32": 7,
      "a.int32": -7,
      "a.float32": Math.fround(0.1),
      "a.float64": 0.1,
      "a.bool": true,
      "a.string": "Gänse",
      "a.strings": ["one", "two", ""],
      "a.floats": [0.5, -1.5],
      "a.ints": [1, -2, 3],
      "a.bools": [true, false],
      "a.uint64": 2 ** 40,
      "a.uint64_large": 2n ** 63n + 1n,
      "a.int64": -(2 ** 40),
    });
  });
});

const one = { name: "w", shape: [4], type: 0, offset: 0 };

test.each<[string, Uint8Array, RegExp]>([
  ["an empty file", new Uint8Array(0), /is not a GGUF file: it is empty/],
  ["another magic", new TextEncoder().encode("GGML and more than that"), /not a GGUF file: it is text/],
  [
    "nothing after the magic",
    new TextEncoder().encode("GGUF\u0003\0\0\0"),
    /8 bytes, but its first fields alone take 24/,
  ],
  ["version 1", ggufFile({ version: 1 }), /of version 1, but versions 2 and 3 are read/],
  ["version 4", ggufFile({ version: 4 }), /of version 4/],
  ["big-endian numbers", ggufFile({ version: 3 << 24 }), /big-endian numbers; convert it/],
  ["more tensors than bytes", ggufFile({ tensorCount: 2n ** 40n }), /announces 1099511627776 tensors/],
  ["a count beyond 53 bits", ggufFile({ tensorCount: 2n ** 63n }), /its count of tensors is 9223372036854775808/],
  ["more settings than bytes", ggufFile({ keyCount: 5000n }), /announces 5000 settings/],
  [
    "a text longer than the file",
    ggufFile({ keys: [["a", 8, [8, 2n ** 40n]]] }),
    /announces 1099511627776 bytes of a text/,
  ],
  ["a list longer than the file", ggufFile({ keys: [["a", 9, [4, 0], [8, 2n ** 33n]]] }), /entries of "a"/],
  [
    "lists without end",
    ggufFile({
      keys: [
        [
          "a",
          9,
          ...Array.from(
            { length: 9 },
            () =>
              [
                [4, 9],
                [8, 1n],
              ] as const,
          ).flat(),
        ],
      ],
    }),
    /nests more than 4/,
  ],
  ["a type that does not exist", ggufFile({ keys: [["a", 13]] }), /"a" has a value of type 13/],
  ["a flag of 2", ggufFile({ keys: [["a", 7, [1, 2]]] }), /"a" is 2, neither true/],
  [
    "a setting twice",
    ggufFile({
      keys: [
        ["a", 4, [4, 0]],
        ["a", 4, [4, 0]],
      ],
    }),
    /the setting "a" twice/,
  ],
  ["a key that is not UTF-8", ggufFile({ keys: [["\xff", 4, [4, 0]]] }), /a name that is not UTF-8/],
  ["an alignment of 24", ggufFile({ keys: [["general.alignment", 4, [4, 24]]] }), /general.alignment is 24/],
  ["a tensor twice", ggufFile({ tensors: [one, { ...one, offset: 32 }], data: 64 }), /two tensors with the name "w"/],
  [
    "tensors that overlap",
    ggufFile({
      tensors: [
        { ...one, shape: [12] },
        { ...one, name: "v", offset: 32 },
      ],
      data: 64,
    }),
    /"v" starts at byte \d+, inside "w"/,
  ],
  [
    "a tensor that is not aligned",
    ggufFile({ tensors: [{ ...one, offset: 4 }], data: 32 }),
    /starts at byte 4, not a multiple of 32/,
  ],
  [
    "a tensor past the end",
    ggufFile({ tensors: [{ ...one, shape: [9] }], data: 32 }),
    /"w" of shape \[9\] ends at byte \d+, but the file has \d+: download/,
  ],
  [
    "a shape whose size overflows",
    ggufFile({ tensors: [{ ...one, shape: [2 ** 50, 2 ** 50] }], data: 32 }),
    /"w" of shape/,
  ],
  ["too many axes", ggufFile({ tensors: [{ ...one, shape: new Array(9).fill(1) }], data: 32 }), /"w" has 9 axes/],
  [
    "rows of half a block",
    ggufFile({ tensors: [{ ...one, shape: [16], type: 8 }], data: 32 }),
    /rows of 16 numbers, but Q8_0 stores 32/,
  ],
  [
    "IQ4_XS",
    ggufFile({ tensors: [{ ...one, shape: [256], type: 23 }], data: 160 }),
    /is quantised as IQ4_XS.*those that are: F32,.*Q6_K/,
  ],
  ["Q8_K", ggufFile({ tensors: [{ ...one, shape: [256], type: 15 }], data: 320 }), /is quantised as Q8_K/],
  ["a kind that nobody knows", ggufFile({ tensors: [{ ...one, type: 99 }], data: 32 }), /is quantised as number 99/],
])("%s is refused in a sentence", async (_, bytes, message) => {
  const error = await open(bytes).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(FileFormatError);
  expect((error as Error).message).toMatch(message);
});

test("no part of a file reads as the whole", async () => {
  const whole = blocks();
  expect((await open(whole)).shapes.size).toBe(14);
  // The last tensor ends at most 31 bytes before the file does.
  for (let end = 0; end < whole.length - 32; end += 37) {
    await expect(open(whole.subarray(0, end))).rejects.toBeInstanceOf(FileFormatError);
  }
});

test("a header of several megabytes is read in larger and larger pieces", async () => {
  const token = "x".repeat(200);
  const list = Array.from({ length: 20_000 }, (): readonly [number, string] => [8, token]);
  const { metadata } = await open(ggufFile({ keys: [["a", 9, [4, 8], [8, 20_000n], ...list]] }));
  expect(metadata.get("a")).toHaveLength(20_000);
});
