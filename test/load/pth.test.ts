import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entriesOf } from "../../fuzz/zip-reader.ts";
import { writeZip } from "../../fuzz/zip-writer.ts";
import { memorySource, readPth, readSafetensors } from "../../src/load/index.ts";
import { fileSource } from "../../src/load/node.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { FileFormatError } from "../../src/tensor/errors.ts";

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const bytesOf = (name: string) => new Uint8Array(readFileSync(fixture(name)));
const readBytes = (bytes: Uint8Array) => readPth(memorySource("m.pth", bytes));
const readFixture = async (name: string) => readPth(await fileSource(fixture(name)));

type Expected = Record<string, Record<string, { shape: number[]; values: number[] }>>;
const expected: Expected = JSON.parse(readFileSync(fixture("expected.json"), "utf8"));

describe("files that torch wrote", () => {
  test.each(Object.keys(expected))("%s reads as torch reads it", async (name) => {
    const found = await readFixture(name);
    expect([...found.keys()].sort()).toEqual(Object.keys(expected[name]).sort());
    for (const [tensor, { shape, values }] of Object.entries(expected[name])) {
      const array = found.get(tensor)!;
      expect(array.shape).toEqual(shape);
      expect([...array.data]).toEqual(array.dtype === "float32" ? values.map(Math.fround) : values);
    }
  });

  test("floats become float32, integers int32, booleans bool", async () => {
    const dtypes = Object.fromEntries([...(await readFixture("dtypes.pth"))].map(([name, a]) => [name, a.dtype]));
    expect(dtypes).toMatchObject({ float64: "float32", float16: "float32", bfloat16: "float32" });
    expect(dtypes).toMatchObject({ int64: "int32", int16: "int32", uint8: "int32", bool: "bool" });
  });

  test("tensors that shared memory in torch do not share it here", async () => {
    const arrays = [...(await readFixture("views.pth")).values(), ...(await readFixture("protocol4.pth")).values()];
    expect(new Set(arrays.map((a) => a.data.buffer)).size).toBe(arrays.length);
    for (const a of arrays) expect(a.data.byteLength).toBe(a.data.buffer.byteLength);
  });

  test("an int64 that does not fit 32 bits is an error that gives it", async () => {
    await expect(readFixture("int64_too_big.pth")).rejects.toThrow(/2147483648 at position 1/);
  });
});

describe("refusals", () => {
  test("a pickle that names a function is refused by that name", async () => {
    const error = await readFixture("evil.pth").catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FileFormatError);
    expect(error).toMatchObject({ found: "posix.system", message: expect.stringContaining('"posix.system"') });
    expect(existsSync("glassformer-was-here")).toBe(false);
  });

  test.each([
    "__builtin__ eval",
    "torch.storage _load_from_bytes",
    "torch ComplexFloatStorage",
    "constructor constructor",
  ])("the global %s is refused, wherever the pickle names it", async (global) => {
    const [module, name] = global.split(" ");
    const pickle = new TextEncoder().encode(`\u0000c${module}\n${name}\n(S'1+1'\ntR.`).subarray(1);
    const found = await readBytes(archive({ "data.pkl": pickle })).catch((e: unknown) => e);
    expect(found).toBeInstanceOf(FileFormatError);
    expect(found).toMatchObject({ found: `${module}.${name}` });
  });

  test.each<[string, (bytes: Uint8Array) => Uint8Array, RegExp]>([
    ["a byte too many", (b) => Uint8Array.of(...b, 0), /its storages end at byte \d+, but the file has \d+/],
    ["half a storage", (b) => b.subarray(0, -8), /storage \d+ ends at byte \d+, but the file has \d+/],
    ["a storage of another length", (b) => b.with(b.length - 104, 23), /has 23 numbers, but its pickle says 24/],
    // The version, M 0xe9 0x03.
    ["another version", (b) => replace(b, [0x4d, 0xe9, 3], [0x4d, 0xea, 3]), /version 1002 .* only 1001 exists/],
    // little_endian: K... true, 0x88, before "X type_sizes".
    ["big-endian numbers", (b) => replace(b, [0x88, 0x58, 10, 0], [0x89, 0x58, 10, 0]), /big-endian numbers/],
  ])("a file in the format from before torch 1.6 with %s is refused", async (_, change, message) => {
    const error = await readBytes(change(bytesOf("legacy.pt"))).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FileFormatError);
    expect((error as Error).message).toMatch(message);
  });

  test("another kind of file, and another kind of zip, are refused", async () => {
    await expect(readBytes(new TextEncoder().encode("hello, hello, hello"))).rejects.toThrow(
      /it is text, not weights \("hello, hello, hello"\)/,
    );
    await expect(readBytes(new Uint8Array(0))).rejects.toBeInstanceOf(FileFormatError);
    await expect(readBytes(archive({ "code.py": new Uint8Array(3) }))).rejects.toThrow(/no data\.pkl/);
  });

  test("big-endian numbers are refused", async () => {
    const big = { byteorder: new TextEncoder().encode("big"), "data.pkl": Uint8Array.of(0x4e, 0x2e) };
    await expect(readBytes(archive(big))).rejects.toThrow(/"big"-endian/);
  });

  test("a dictionary that contains itself is refused", async () => {
    // } q0 X"a" h0 s .   that is: d = {}; d["a"] = d
    const pickle = Uint8Array.of(0x7d, 0x71, 0, 0x58, 1, 0, 0, 0, 0x61, 0x68, 0, 0x73, 0x2e);
    await expect(readBytes(archive({ "data.pkl": pickle }))).rejects.toThrow(/levels deep/);
  });

  test("a tensor that reaches beyond its storage is refused with the figures", async () => {
    const changed = change("cuda.pth", (name, data) =>
      // The stride 6 of the first axis, K 6, becomes K 9.
      name.endsWith("data.pkl") ? replace(data, [0x4b, 6, 0x4b, 1], [0x4b, 9, 0x4b, 1]) : data,
    );
    await expect(readBytes(changed)).rejects.toThrow(/"W" of m\.pth reaches number 32 of a storage that has 24/);
  });

  test("a storage that is missing or of another size is refused with the figures", async () => {
    const without = change("cuda.pth", (name, data) => (name.endsWith("data/0") ? undefined : data));
    await expect(readBytes(without)).rejects.toThrow(/Storage 0 of m\.pth is missing/);
    const short = change("cuda.pth", (name, data) => (name.endsWith("data/0") ? data.subarray(4) : data));
    await expect(readBytes(short)).rejects.toThrow(/24 numbers of F32, 96 bytes, but has 92/);
  });

  test("fields that a pickle sets on our own records change nothing", async () => {
    // ccollections\nOrderedDict\n } X"name" K1 s b .   that is: OrderedDict.__dict__["name"] = 1
    const head = new TextEncoder().encode("ccollections\nOrderedDict\n");
    const pickle = Uint8Array.of(...head, 0x7d, 0x58, 4, 0, 0, 0, 0x6e, 0x61, 0x6d, 0x65, 0x4b, 1, 0x73, 0x62, 0x2e);
    await expect(readBytes(archive({ "data.pkl": pickle }))).rejects.toBeInstanceOf(FileFormatError);
    expect((await readFixture("state_dict.pth")).size).toBe(4);
  });
});

describe("damage", () => {
  const whole = bytesOf("nested.pth");

  test("no part of a tar from before torch 0.1.10 that lacks some of its files reads as a checkpoint", async () => {
    const oldest = bytesOf("oldest.pt");
    const used = oldest.findLastIndex((byte) => byte !== 0); // zeros fill the last block and end the archive
    for (let end = 0; end < used; end += 97) {
      await expect(readBytes(oldest.subarray(0, end))).rejects.toBeInstanceOf(FileFormatError);
    }
  });

  test("a tar of other files is refused", async () => {
    const other = bytesOf("oldest.pt");
    other.set(new TextEncoder().encode("readme\0\0"), 0);
    await expect(readBytes(other)).rejects.toThrow(
      /it is a tar archive, but not one that torch wrote: unpack it first/,
    );
  });

  test("no part of a file in the format from before torch 1.6 reads as a checkpoint", async () => {
    const old = bytesOf("legacy-views.pt");
    for (let end = 0; end < old.length; end++) {
      await expect(readBytes(old.subarray(0, end))).rejects.toBeInstanceOf(FileFormatError);
    }
  });

  test("no truncation reads as a checkpoint", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.length - 1 }), async (n) => {
        await expect(readBytes(whole.subarray(0, n))).rejects.toBeInstanceOf(FileFormatError);
      }),
      { numRuns: 60 },
    );
  });

  test("garbled bytes give the right numbers or a FileFormatError, never another failure", async () => {
    const right = await readBytes(whole);
    const garbling = fc.array(fc.tuple(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(garbling, async (changes) => {
        const bytes = whole.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        const found = await readBytes(bytes).catch((error: unknown) => {
          expect(error).toBeInstanceOf(FileFormatError);
        });
        if (found) expect(plain(found)).toEqual(plain(right)); // every entry carries a checksum
      }),
      { numRuns: 300 },
    );
  });

  test("a garbled pickle whose checksum was made good gives arrays or a FileFormatError", async () => {
    const garbling = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(garbling, async (changes) => {
        const bytes = change("nested.pth", (name, data) => {
          if (!name.endsWith("data.pkl")) return data;
          const copy = data.slice();
          for (const [at, byte] of changes) copy[at % copy.length] = byte;
          return copy;
        });
        await readBytes(bytes).catch((error: unknown) => expect(error).toBeInstanceOf(FileFormatError));
      }),
      { numRuns: 200 },
    );
  });

  test("an aborted signal ends the reading with the signal's reason", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(readPth(memorySource("m", whole), { signal })).rejects.toThrow("enough");
  });
});

const trained = new URL("../../../shared/models/solu-1l-novels/model_final.pth", import.meta.url);
test.skipIf(!existsSync(trained))(
  "the trained model's .pth holds the numbers of its safetensors (skipped without the .pth)",
  async () => {
    const bundled = new URL("../../models/solu-1l-novels/model.safetensors", import.meta.url);
    const pth = await readPth(await fileSource(fileURLToPath(trained)));
    const safetensors = await readSafetensors(await fileSource(fileURLToPath(bundled)));
    expect([...pth.keys()].sort()).toEqual([...safetensors.keys()].sort());
    for (const [name, array] of pth) {
      expect(array.shape).toEqual(safetensors.get(name)!.shape);
      expect(Buffer.compare(Buffer.from(array.data.buffer), Buffer.from(safetensors.get(name)!.data.buffer))).toBe(0);
    }
  },
);

function plain(arrays: Map<string, NDArray>): unknown {
  return [...arrays].map(([name, { dtype, shape, data }]) => [name, dtype, shape, [...data]]);
}

/** A zip of stored entries in one folder. */
function archive(entries: Record<string, Uint8Array>): Uint8Array {
  return writeZip(Object.entries(entries).map(([name, data]) => ({ name: `archive/${name}`, data })));
}

/** A fixture with entries changed, or left out where `edit` gives undefined; its checksums are right. */
function change(name: string, edit: (entry: string, data: Uint8Array) => Uint8Array | undefined): Uint8Array {
  const entries: Record<string, Uint8Array> = {};
  for (const entry of entriesOf(bytesOf(name))) {
    const data = edit(entry.name, entry.data);
    if (data) entries[entry.name.slice(entry.name.indexOf("/") + 1)] = data;
  }
  return archive(entries);
}

function replace(bytes: Uint8Array, old: number[], by: number[]): Uint8Array {
  const at = bytes.findIndex((_, i) => old.every((b, j) => bytes[i + j] === b));
  expect(at).toBeGreaterThan(0);
  const copy = bytes.slice();
  copy.set(by, at);
  return copy;
}
