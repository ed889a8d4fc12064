import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ByteSource } from "../../src/load/bytes.ts";
import type { ModelFiles } from "../../src/load/index.ts";
import {
  memoryFiles,
  memorySource,
  readSafetensors,
  readShardedSafetensors,
  writeSafetensors,
} from "../../src/load/index.ts";
import { openSafetensors } from "../../src/load/safetensors.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { ndarray, sizeOf } from "../../src/tensor/array.ts";
import { ArgumentError, FileFormatError } from "../../src/tensor/errors.ts";

/** A file from a header as given and its numbers' bytes, with nothing checked. */
function file(header: unknown, data: ArrayLike<number> = []): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

const read = (bytes: Uint8Array) => readSafetensors(memorySource("m.safetensors", bytes));
const bytesOf = (data: ArrayBufferView) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

const arrays: fc.Arbitrary<NDArray> = fc
  .tuple(fc.constantFrom("float32", "int32", "bool"), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }))
  .chain(([dtype, shape]) => {
    const length = { minLength: sizeOf(shape), maxLength: sizeOf(shape) };
    if (dtype === "float32") return fc.float32Array(length).map((data): NDArray => ndarray("float32", shape, data));
    if (dtype === "int32") return fc.int32Array(length).map((data): NDArray => ndarray("int32", shape, data));
    return fc.uint8Array({ ...length, max: 1 }).map((data): NDArray => ndarray("bool", shape, data));
  });
const tensors = fc.dictionary(fc.string(), arrays, { maxKeys: 6 }).map((record) => new Map(Object.entries(record)));

describe("reading and writing", () => {
  test("what was written reads back the same, name for name and bit for bit", async () => {
    await fc.assert(
      fc.asyncProperty(tensors, async (map) => {
        const back = await read(writeSafetensors(map, { format: "pt" }));
        expect(new Set(back.keys())).toEqual(new Set(map.keys()));
        for (const [name, array] of map) {
          expect(back.get(name)!.dtype).toBe(array.dtype);
          expect(back.get(name)!.shape).toEqual(array.shape);
          expect(bytesOf(back.get(name)!.data)).toEqual(bytesOf(array.data));
        }
      }),
    );
  });

  test("each dtype of the format becomes float32, int32 or bool with its values", async () => {
    const cases: [string, ArrayBufferView, string, number[]][] = [
      ["F64", Float64Array.of(0.5, -3), "float32", [0.5, -3]],
      ["F32", Float32Array.of(0.5, -3), "float32", [0.5, -3]],
      ["F16", Uint16Array.of(0x3800, 0xc200), "float32", [0.5, -3]],
      ["BF16", Uint16Array.of(0x3f00, 0xc040), "float32", [0.5, -3]],
      ["I64", BigInt64Array.of(-(2n ** 31n), 2n ** 31n - 1n), "int32", [-(2 ** 31), 2 ** 31 - 1]],
      ["I32", Int32Array.of(-(2 ** 31), 7), "int32", [-(2 ** 31), 7]],
      ["I16", Int16Array.of(-32768, 7), "int32", [-32768, 7]],
      ["I8", Int8Array.of(-128, 7), "int32", [-128, 7]],
      ["U8", Uint8Array.of(0, 255), "int32", [0, 255]],
      ["BOOL", Uint8Array.of(0, 1), "bool", [0, 1]],
    ];
    // One odd byte first, so that no tensor after it is aligned.
    const header: Record<string, unknown> = { odd: { dtype: "U8", shape: [1], data_offsets: [0, 1] } };
    const data = [9];
    for (const [dtype, values] of cases) {
      header[dtype] = { dtype, shape: [2], data_offsets: [data.length, data.length + values.byteLength] };
      data.push(...bytesOf(values));
    }
    const found = await read(file(header, data));
    expect([...found.get("odd")!.data]).toEqual([9]);
    for (const [name, , dtype, values] of cases) {
      expect([found.get(name)!.dtype, ...found.get(name)!.data]).toEqual([dtype, ...values]);
    }
  });

  test("a Buffer of Node's, which slices without copying, reads as any other bytes", async () => {
    const bytes = writeSafetensors(
      new Map([
        ["a", ndarray("float32", [2], Float32Array.of(1, 2))],
        ["b", ndarray("float32", [1], Float32Array.of(3))],
      ]),
      {},
      { dtype: "F16" },
    );
    const found = await readSafetensors(memorySource("m", Buffer.from(bytes)));
    expect([...found].map(([name, a]) => [name, ...a.data])).toEqual([
      ["a", 1, 2],
      ["b", 3],
    ]);
  });

  test("an option stores floats as F16 or BF16, rounded to nearest, and leaves integers alone", async () => {
    const map = new Map<string, NDArray>([
      ["x", ndarray("float32", [3], Float32Array.of(1 / 3, 1.5, 1e-3))],
      ["y", ndarray("float64", [1], Float64Array.of(1 / 3))],
      ["n", ndarray("int32", [1], Int32Array.of(70000))],
    ]);
    const half = await read(writeSafetensors(map, {}, { dtype: "F16" }));
    expect([...half.get("x")!.data]).toEqual([0.333251953125, 1.5, 0.0010004043579101562]);
    expect([...half.get("n")!.data]).toEqual([70000]);
    const brain = await read(writeSafetensors(map, {}, { dtype: "BF16" }));
    expect([...brain.get("y")!.data]).toEqual([0.333984375]);
  });

  test("the numbers start on a multiple of 8 and the same arrays give the same bytes in any order", () => {
    const a = ndarray("float32", [1], Float32Array.of(1));
    const b = ndarray("bool", [1], Uint8Array.of(1));
    const one = writeSafetensors(
      new Map<string, NDArray>([
        ["a", a],
        ["b", b],
      ]),
    );
    const other = writeSafetensors(
      new Map<string, NDArray>([
        ["b", b],
        ["a", a],
      ]),
    );
    expect(one).toEqual(other);
    expect(one.length - 5).toSatisfy((n: number) => n % 8 === 0);
  });

  test("__metadata__ cannot be a tensor's name", () => {
    const map = new Map([["__metadata__", ndarray("bool", [0], new Uint8Array(0))]]);
    expect(() => writeSafetensors(map)).toThrow(ArgumentError);
  });

  test("neighbouring tensors are read together, and the file is never read whole", async () => {
    const reads: [number, number][] = [];
    const map = new Map(["a", "b", "c"].map((name) => [name, ndarray("float32", [1000], new Float32Array(1000))]));
    const bytes = writeSafetensors(map);
    const inner = memorySource("m", bytes);
    const counting: ByteSource = {
      ...inner,
      read(from, to, signal) {
        reads.push([from, to]);
        return inner.read(from, to, signal);
      },
    };
    await readSafetensors(counting);
    const dataStart = bytes.length - 12000;
    expect(reads).toEqual([
      [0, 8],
      [8, dataStart],
      [dataStart, bytes.length],
    ]);
  });

  test("a part along a tensor's first axis is that part of the whole, and the others are not read", async () => {
    const row = 1 << 20;
    const large = ndarray(
      "float32",
      [5, row],
      Float32Array.from({ length: 5 * row }, (_, i) => i % 977),
    );
    const small = ndarray(
      "int32",
      [3, 2, 2],
      Int32Array.from({ length: 12 }, (_, i) => i),
    );
    const inner = memorySource(
      "m",
      writeSafetensors(
        new Map<string, NDArray>([
          ["large", large],
          ["small", small],
        ]),
      ),
    );
    let read = 0;
    const counting: ByteSource = {
      ...inner,
      read: (from, to, signal) => {
        read += to - from;
        return inner.read(from, to, signal);
      },
    };
    const { readPart } = await openSafetensors(counting);
    expect((await readPart!("small", 1)).shape).toEqual([2, 2]);
    expect([...(await readPart!("small", 1)).data]).toEqual([4, 5, 6, 7]);
    const before = read;
    const part = await readPart!("large", 3);
    expect(part.shape).toEqual([row]);
    expect(Buffer.compare(bytesOf(part.data), bytesOf(large.data.subarray(3 * row, 4 * row)))).toBe(0);
    expect(read - before).toBe(4 * row);
  });

  test("an aborted signal ends the reading with the signal's reason", async () => {
    const source = memorySource("m", writeSafetensors(new Map()));
    await expect(readSafetensors(source, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });
});

describe("a defect is an error that names the file, the tensor and the numbers", () => {
  const t = (shape: unknown, offsets: unknown, dtype: unknown = "F32") => ({ dtype, shape, data_offsets: offsets });
  const cases: [string, Uint8Array, RegExp][] = [
    ["an empty file", new Uint8Array(0), /m\.safetensors.* 0 bytes/],
    ["a header longer than the file", file("{}").subarray(0, 9), /header of 2 bytes, but the file has 9/],
    ["a header of 2^60 bytes", Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 16, 1), /header of 1152921504606846976 bytes/],
    ["a header that is not JSON", file("{nope"), /header of m\.safetensors is not JSON/],
    [
      "a header that is not UTF-8",
      file("").length ? Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0xff) : new Uint8Array(),
      /not UTF-8/,
    ],
    ["a header that is a list", file("[]"), /should be a JSON object, but it is an array/],
    [
      "an unsupported dtype",
      file({ w: t([1], [0, 1], "F8_E8M0") }, [0]),
      /"w" of m\.safetensors has the dtype "F8_E8M0".*reads .*F8_E5M2/,
    ],
    ["an invalid shape", file({ w: t([-1], [0, 4]) }, [0, 0, 0, 0]), /"w".*shape \[-1\]/],
    ["an entry that is null", file({ w: null }), /"w".*dtype undefined/],
    ["offsets the wrong way round", file({ w: t([1], [4, 0]) }, [0, 0, 0, 0]), /"w".*data offsets \[4,0\]/],
    [
      "a shape that needs other bytes",
      file({ w: t([2], [0, 4]) }, [0, 0, 0, 0]),
      /\[2\] of F32, 8 bytes, but its data offsets span 4/,
    ],
    ["a shape whose size overflows", file({ w: t([2 ** 52, 2 ** 52], [0, 4]) }, [0, 0, 0, 0]), /"w"/],
    [
      "tensors that overlap",
      file({ a: t([1], [0, 4]), b: t([1], [2, 6]) }, new Uint8Array(6)),
      /"b" starts at byte .* inside/,
    ],
    [
      "a gap between tensors",
      file({ a: t([1], [0, 4]), b: t([1], [6, 10]) }, new Uint8Array(10)),
      /the 2 bytes before tensor "b"/,
    ],
    ["a tensor beyond the end", file({ w: t([1], [0, 4]) }, [0, 0]), /"w" ends at byte .*, but the file has/],
    [
      "bytes after the last tensor",
      file({ w: t([1], [0, 4]) }, new Uint8Array(5)),
      /tensors end at byte .*, but the file has/,
    ],
    [
      "an integer beyond 32 bits",
      file({ w: t([1], [0, 8], "I64") }, bytesOf(BigInt64Array.of(2n ** 31n))),
      /"w".* 2147483648 at position 0/,
    ],
  ];
  test.each(cases)("%s", async (_, bytes, message) => {
    const error = await read(bytes).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FileFormatError);
    expect((error as Error).message).toMatch(message);
  });

  test("no truncation of a file reads as a file", async () => {
    await fc.assert(
      fc.asyncProperty(tensors, fc.nat(), async (map, n) => {
        const bytes = writeSafetensors(map);
        await expect(read(bytes.subarray(0, n % bytes.length))).rejects.toBeInstanceOf(FileFormatError);
      }),
    );
  });

  test("garbled bytes give whole arrays or a FileFormatError, never another failure", async () => {
    const garbling = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(tensors, garbling, async (map, changes) => {
        const bytes = writeSafetensors(map);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        try {
          for (const array of (await read(bytes)).values()) expect(array.data.length).toBe(sizeOf(array.shape));
        } catch (error) {
          expect(error).toBeInstanceOf(FileFormatError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("a model in several files", () => {
  const shard = (name: string, value: number) =>
    writeSafetensors(new Map([[name, ndarray("float32", [1], Float32Array.of(value))]]));
  const model = (weight_map: unknown, shards: Record<string, Uint8Array>): ModelFiles =>
    memoryFiles("m", { "model.safetensors.index.json": JSON.stringify({ weight_map }), ...shards });
  const load = (files: ModelFiles) => readShardedSafetensors(files, "model.safetensors.index.json");

  test("reads as one", async () => {
    const found = await load(
      model(
        { a: "1.safetensors", b: "2.safetensors" },
        { "1.safetensors": shard("a", 1), "2.safetensors": shard("b", 2) },
      ),
    );
    expect([...found].map(([name, array]) => [name, ...array.data])).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
  });

  test("lacking a tensor that its index promises is an error that names it", async () => {
    const files = model({ a: "1.safetensors", b: "1.safetensors" }, { "1.safetensors": shard("a", 1) });
    await expect(load(files)).rejects.toThrow(/says that 1 tensors are in 1\.safetensors, .*"b"/);
  });

  test("having a tensor twice is an error that names it", async () => {
    const files = model(
      { a: "1.safetensors", b: "2.safetensors" },
      { "1.safetensors": shard("a", 1), "2.safetensors": shard("a", 1) },
    );
    await expect(load(files)).rejects.toThrow(/2\.safetensors of m has "a"/);
  });

  test.each([[undefined], [{}], [{ a: 1 }], ["a"]])("with the weight map %j is an error", async (weightMap) => {
    await expect(load(model(weightMap, {}))).rejects.toBeInstanceOf(FileFormatError);
  });
});

test.each(["F32", "BF16"] as const)(
  "rows of a large %s tensor, read some at a time, are those of the whole",
  async (dtype) => {
    const [rows, cols] = [3001, 1201]; // several pieces of whole rows, the last one shorter
    const data = Float32Array.from({ length: rows * cols }, (_, i) => i % 251);
    const bytes = writeSafetensors(new Map([["W", ndarray("float32", [rows, cols], data)]]), { dtype });
    const stored = await openSafetensors(memorySource("big", bytes));
    const taken = new Float32Array(data.length).fill(-1);
    let pieces = 0;
    await stored.readRows!("W", (some, first) => {
      taken.set(some as Float32Array, first * cols);
      pieces++;
    });
    expect(pieces).toBeGreaterThan(1);
    expect(Buffer.compare(bytesOf(taken), bytesOf(data))).toBe(0); // toEqual takes half a minute
    expect(Buffer.compare(bytesOf((await stored.read("W")).data), bytesOf(data))).toBe(0);
  },
);
