/** Honest Parquet files, in every encoding for texts, and files that claim what they do not have. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompressSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memorySource, readTexts } from "../../src/node.ts";
import { FileFormatError, MemoryError } from "../../src/tensor/errors.ts";
import { setMemory } from "../memory.ts";
import {
  binary,
  element,
  equalLengths,
  type FileClaims,
  flag,
  forged,
  integer,
  joined,
  list,
  lz4Zeros,
  nested,
  page,
  pageV2,
  plain,
  run,
  snappyZeros,
  struct,
  u32,
  utf8,
  varint,
  zigzag,
  zstdZeros,
} from "./parquet-forge.ts";

const read = (bytes: Uint8Array, maxTexts?: number) =>
  readTexts(memorySource("t.parquet", bytes), maxTexts === undefined ? {} : { maxTexts });

describe("the texts of honest Parquet files", () => {
  const letters = "the cat sat on the mat and the dog in the fog: naïve café 🐈".split(" ");
  // What fixtures/make.py writes.
  const texts = Array.from({ length: 400 }, (_, i) =>
    Array.from({ length: i % 9 }, (_, k) => letters[(i * 7 + k * k) % letters.length]).join(" "),
  ).sort();

  test.each(
    ["dictionary", "plain", "delta_length_byte_array", "delta_byte_array"].flatMap((encoding) => [
      [encoding, 1],
      [encoding, 2],
    ]),
  )("are read as Apache Arrow wrote them in %s, in pages of version %s", async (encoding, version) => {
    const bytes = new Uint8Array(readFileSync(new URL(`fixtures/${encoding}-${version}.parquet`, import.meta.url)));
    expect(await read(bytes)).toEqual(texts);
    for (const most of [1, 299, 300, 301]) expect(await read(bytes, most)).toEqual(texts.slice(0, most));
  });

  test("are any texts, in any encoding, in pages and row groups of any size", async () => {
    const text = fc.string({ unit: "binary", maxLength: 40 }).map((s) =>
      Buffer.from(s)
        .toString()
        .replace(/^\uFEFF+/, ""),
    );
    const encodings = ["PLAIN", "RLE_DICTIONARY", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", undefined] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(text, fc.constantFrom("same", "")), { minLength: 1, maxLength: 300 }),
        fc.constantFrom(...encodings),
        fc.constantFrom("UNCOMPRESSED" as const, "SNAPPY" as const),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 20, max: 4000 }),
        fc.boolean(),
        async (data, encoding, codec, rowGroupSize, pageSize, nullable) => {
          const column = { name: "text", data, type: "STRING" as const, nullable, ...(encoding && { encoding }) };
          const file = parquetWriteBuffer({ columnData: [column], codec, rowGroupSize, pageSize });
          expect(await read(new Uint8Array(file))).toEqual(data);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("are the rows before the first null, if no more are needed", async () => {
    const levels = joined(run(2, 1), run(1, 0), run(1, 1));
    const v1 = page(joined(u32(levels.length), levels, plain("a", "b", "c")), { values: 4 });
    for (const pages of [[v1], [pageV2(plain("a", "b", "c"), 4, levels)]]) {
      const file = forged({ rows: 4, optional: true, pages });
      expect(await read(file, 2)).toEqual(["a", "b"]);
      await expect(read(file)).rejects.toThrow(/^Row 2 of t\.parquet has null under "text", not a text\.$/);
    }
  });

  test("may be in runs that claim more than the rows of the page, which are not made", async () => {
    const dictionary = page(plain("a", "b"), { values: 2, dictionary: true });
    const places = page(joined([1], run(2 ** 31 - 1, 1)), { values: 5, encoding: 8 });
    expect(await read(forged({ rows: 5, pages: [dictionary, places] }))).toEqual(["b", "b", "b", "b", "b"]);
    const levels = run(2 ** 31 - 1, 1);
    const optional = page(joined(u32(levels.length), levels, plain("a")), { values: 1 });
    expect(await read(forged({ rows: 1, optional: true, pages: [optional] }))).toEqual(["a"]);
  });

  test("may be in a row group with a billion rows, of which ten are needed", async () => {
    const dictionary = page(plain("x".repeat(1000)), { values: 1, dictionary: true });
    const places = page(joined([1], run(1e9, 0)), { values: 1e9, encoding: 8 });
    const file = forged({ rows: 1e9, pages: [dictionary, places] });
    expect(await read(file, 10)).toEqual(new Array(10).fill("x".repeat(1000)));
    await expect(read(file)).rejects.toThrow(/t\.parquet has over 33 million texts, more than one list can hold: read/);
    const empty = page(joined(equalLengths(1e9, 0, 2 ** 30)), { values: 1e9, encoding: 6 });
    expect(await read(forged({ rows: 1e9, pages: [empty] }), 3)).toEqual(["", "", ""]);
    await expect(read(forged({ rows: 1e9, pages: [empty] }))).rejects.toThrow(/over 33 million texts/);
  });
});

/** What the file's bytes say, and what is said about them. */
const refused: readonly (readonly [what: string, file: () => Uint8Array, why: RegExp])[] = [
  ["more rows in a page than in its row group", one({ rows: 3 }, page(plain("a"), { values: 2e9 })), /more rows than/],
  ["more rows in a row group than in its pages", one({ rows: 1e7 }, page(plain("a"), { values: 1 })), /ends \d+ rows/],
  ["a negative count of rows", one({ rows: -1 }), /a row group has -1 rows/],
  [
    "more texts than the page has bytes",
    one({ rows: 9 }, page(plain("a"), { values: 9 })),
    /fewer texts than it claims/,
  ],
  ["a text past its page's end", one({ rows: 1 }, page(u32(4e9), { values: 1 })), /past the end of its page/],
  ["a negative count of values", one({ rows: 1 }, page(plain("a"), { values: -5 })), /claims -5 values/],
  [
    "a page past its column's end",
    one({ rows: 1 }, page(plain("a"), { values: 1, packedSize: 2e9 })),
    /past the end of its col/,
  ],
  [
    "a page with a negative number of bytes",
    one({ rows: 1 }, page(plain("a"), { values: 1, packedSize: -8 })),
    /negative number of bytes/,
  ],
  [
    "an unpacked page of another size",
    one({ rows: 1 }, page(plain("a"), { values: 1, size: 2e9 })),
    /announces 2000000000/,
  ],
  [
    "a column past the file's end",
    one({ rows: 1, size: 2 ** 50 }, page(plain("a"), { values: 1 })),
    /said to be at bytes/,
  ],
  [
    "a column before the file's beginning",
    one({ rows: 1, start: -90 }, page(plain("a"), { values: 1 })),
    /said to be at/,
  ],
  ["no pages", one({ rows: 1 }), /ends 1 rows before/],
  ["another checksum", one({ rows: 1 }, page(plain("a"), { values: 1, more: { 4: integer(7) } })), /checksum/],
  ["a dictionary of 1e9 texts", dictionaryOf(plain("a"), 1e9, run(1, 0)), /a dictionary claims 1000000000 texts/],
  ["an index that the dictionary lacks", dictionaryOf(plain("a"), 1, run(1, 1)), /number 1 of a dictionary of 1/],
  [
    "two dictionaries",
    one({ rows: 1 }, ...twice(page(plain("a"), { values: 1, dictionary: true }))),
    /two dictionaries/,
  ],
  ["no dictionary", one({ rows: 1 }, page(joined([1], run(1, 0)), { values: 1, encoding: 8 })), /that does not exist/],
  ["indices of 200 bits", one({ rows: 1 }, ...withDictionary(joined([200], run(1, 0)))), /numbers of 200 bits/],
  ["empty runs", one({ rows: 1 }, ...withDictionary(joined([1], ...new Array(999).fill(run(0, 0))))), /fewer numbers/],
  [
    "a run whose count never ends",
    one({ rows: 1 }, ...withDictionary(new Uint8Array(99).fill(255, 1).fill(1, 0, 1))),
    /never ends/,
  ],
  [
    "missing packed bits",
    one({ rows: 9 }, ...withDictionary(joined([8], varint(2 ** 30 + 1), [0]), 9)),
    /fewer numbers/,
  ],
  [
    "lengths for 1e9 texts",
    one({ rows: 1 }, page(equalLengths(1e9, 0), { values: 1, encoding: 6 })),
    /1000000000 lengths/,
  ],
  [
    "lengths in blocks of size 0",
    one({ rows: 9 }, page(joined(varint(0), varint(4), varint(9), [0]), { values: 9, encoding: 6 })),
    /blocks of size 0/,
  ],
  [
    "lengths in 1e9 small blocks",
    one({ rows: 9 }, page(joined(varint(32e9), varint(1e9), varint(9), [0, 0]), { values: 9, encoding: 6 })),
    /end in the middle/,
  ],
  ["negative lengths", one({ rows: 1 }, page(equalLengths(1, -7), { values: 1, encoding: 6 })), /a length of -7/],
  [
    "lengths past the page",
    one({ rows: 1 }, page(equalLengths(1, 2 ** 31 - 1), { values: 1, encoding: 6 })),
    /past the end of its page/,
  ],
  [
    "a first text that shares 2 GB",
    one({ rows: 1 }, page(joined(first(2 ** 31 - 1), first(0)), { values: 1, encoding: 7 })),
    /shares more/,
  ],
  [
    "levels past their page",
    one({ rows: 1, optional: true }, page(joined(u32(2 ** 31), [2, 1]), { values: 1 })),
    /levels go past/,
  ],
  [
    "levels past their page of version 2",
    one({ rows: 1, optional: true }, pageV2(plain("a"), 1, run(1, 1), 2 ** 30)),
    /levels go past/,
  ],
  ["fewer levels than values", one({ rows: 9, optional: true }, pageV2(plain("a"), 9, run(2, 1))), /fewer numbers/],
  ["an encoding that is not for texts", one({ rows: 1 }, page(plain("a"), { values: 1, encoding: 9 })), /encoding 9/],
  ["bytes that are not text", one({ rows: 1 }, page(joined(u32(1), [0xff]), { values: 1 })), /not UTF-8 text/],
  ["an unknown codec", one({ rows: 1, codec: 3 }, page(plain("a"), { values: 1 })), /packed with LZO/],
  [
    "a footer of 4 GB",
    one({ rows: 1, footerLength: 2 ** 32 - 1 }, page(plain("a"), { values: 1 })),
    /its footer claims 4\.29 GB/,
  ],
  [
    "a schema of 2e9 columns",
    one({ rows: 1, schema: list(12, [element("root", 1)], 2e9) }),
    /claims 2000000000 entries/,
  ],
  [
    "a root of 2e9 columns in one",
    one({ rows: 1, schema: list(12, [element("root", 2e9), element("x", 2e9)]) }),
    /claims more columns/,
  ],
  [
    "a row group of 2e9 columns",
    one({ rows: 1, groups: list(12, [struct({ 1: list(12, [], 2e9), 3: integer(1) })]) }),
    /claims 2000000000/,
  ],
  ["2e9 row groups", one({ rows: 1, groups: list(12, [], 2e9) }), /claims 2000000000 entries/],
  [
    "a footer a million levels deep",
    one({ rows: 1, more: { 1: [12, new Uint8Array(1e6).fill(0x1c)] } }),
    /levels deep/,
  ],
  ["lists a million levels deep", one({ rows: 1, more: { 1: [9, new Uint8Array(1e6).fill(0x19)] } }), /levels deep/],
  [
    "a page's header a million levels deep",
    one({ rows: 1 }, new Uint8Array(1e6).fill(0x1c).fill(0x9c, 0, 1)),
    /levels deep/,
  ],
  ["a number that never ends", one({ rows: 1, more: { 1: [6, new Uint8Array(1e6).fill(255)] } }), /never ends/],
  [
    "encrypted columns",
    one({ rows: 1, groups: list(12, [struct({ 1: list(12, [struct({ 2: integer(4) })]), 3: integer(1) })]) }),
    /encrypted/,
  ],
];

function one(claims: FileClaims, ...pages: Uint8Array[]): () => Uint8Array {
  return () => forged({ pages, ...claims });
}
function dictionaryOf(body: Uint8Array, values: number, places: Uint8Array): () => Uint8Array {
  const dictionary = page(body, { values, dictionary: true });
  return one({ rows: 1 }, dictionary, page(joined([1], places), { values: 1, encoding: 8 }));
}
function withDictionary(places: Uint8Array, values = 1): Uint8Array[] {
  return [page(plain("a"), { values: 1, dictionary: true }), page(places, { values, encoding: 8 })];
}
function twice<T>(value: T): [T, T] {
  return [value, value];
}
function first(value: number): Uint8Array {
  return joined(varint(128), varint(4), varint(1), zigzag(value));
}

describe("a Parquet file that claims", () => {
  test.each(refused)("%s is refused", async (_, file, why) => {
    const error = await read(file()).then(
      () => undefined,
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(FileFormatError);
    expect(error.message).toMatch(/^t\.parquet cannot be read as Parquet: /);
    expect(error.message).toMatch(why);
  });

  test("a million columns, or a million row groups, is read", async () => {
    const rest = new Array(1e6).fill(element("x"));
    const wide = list(12, [element("root", 1e6 + 1), ...rest, element("text")]);
    expect(await read(forged({ rows: 1, schema: wide, pages: [page(plain("a"), { values: 1 })] }))).toEqual(["a"]);
    const found = readTexts(memorySource("t.parquet", forged({ rows: 1, schema: wide })), { column: "y" });
    await expect(found).rejects.toThrow(/has no column "y"; its columns are x, x, x/);
    const empty = struct({ 1: list(12, []), 3: integer(0) });
    expect(await read(forged({ rows: 0, groups: list(12, new Array(1e6).fill(empty)) }))).toEqual([]);
  });

  test("a duplicate column is refused, because it is ambiguous", async () => {
    const schema = list(12, [element("root", 2), element("text"), element("text")]);
    await expect(read(forged({ rows: 1, schema }))).rejects.toThrow(/it has two columns "text"/);
  });

  test("an unknown future field is ignored", async () => {
    const more = { 40: nested({ 1: list(2, [Uint8Array.of(1)]), 2: binary("x"), 3: flag(true) }) };
    const pages = [page(plain("a"), { values: 1, more })];
    expect(await read(forged({ rows: 1, pages, more }))).toEqual(["a"]);
  });
});

const ZEROS = 2 ** 24;
const zeros = new Uint8Array(ZEROS);
const bombs: readonly (readonly [name: string, codec: number, packed: () => Uint8Array])[] = [
  ["snappy", 1, () => snappyZeros(ZEROS, ZEROS / 64)],
  ["gzip", 2, () => gzipSync(zeros)],
  ["brotli", 4, () => brotliCompressSync(zeros)],
  ["lz4 of old writers", 5, () => lz4Zeros(ZEROS)],
  ["zstd", 6, () => zstdZeros(ZEROS / 2 ** 17)],
  ["zstd that says its size", 6, () => zstdZeros(ZEROS / 2 ** 17, 2 ** 17, ZEROS)],
  ["lz4", 7, () => lz4Zeros(ZEROS)],
];

describe("a page packed with", () => {
  const file = (codec: number, body: Uint8Array, size: number) =>
    forged({ rows: 1, codec, pages: [page(body, { values: 1, size })] });

  test.each(bombs)("%s that unpacks to more or less than it announces is damaged", async (_, codec, packed) => {
    for (const size of [100, 70_000, 2 ** 20]) {
      await expect(read(file(codec, packed(), size))).rejects.toThrow(/it is damaged: a page|it is damaged: a packed/);
    }
    const more = file(codec, packed(), ZEROS + (codec === 7 || codec === 5 ? 300 : 1000));
    await expect(read(more)).rejects.toThrow(/it is damaged: a p/);
  });

  test.each(bombs)("%s is never cut off silently", async (_, codec, packed) => {
    const small = new Map([
      [1, snappyZeros(1 + 64 * 5, 5)],
      [2, gzipSync(new Uint8Array(321))],
      [4, brotliCompressSync(new Uint8Array(321))],
      [6, zstdZeros(1, 321)],
    ]);
    const whole = small.get(codec) ?? lz4Zeros(320);
    const size = 321;
    expect(packed().length).toBeGreaterThan(0);
    // An empty text, whose length is four zeros.
    expect(await read(file(codec, whole, size))).toEqual([""]);
    for (let length = 0; length < whole.length; length++) {
      await expect(read(file(codec, whole.subarray(0, length), size))).rejects.toThrow(/it is damaged: /);
    }
  });

  test("gzip in several parts is read, and is never cut off silently", async () => {
    const parts = joined(gzipSync(plain("one")), gzipSync(u32(0)), gzipSync(u32(0)));
    const several = (body: Uint8Array) => forged({ rows: 3, codec: 2, pages: [page(body, { values: 3, size: 15 })] });
    expect(await read(several(parts))).toEqual(["one", "", ""]);
    for (let length = 0; length < parts.length; length++) {
      await expect(read(several(parts.subarray(0, length)))).rejects.toThrow(/it is damaged: /);
    }
  });

  test("zstd or brotli that announces 2 GB must fit in free memory", async () => {
    setMemory({ read: () => 1e9 });
    const claim = read(file(6, zstdZeros(20_000), 2 ** 31 - 1));
    await expect(claim).rejects.toThrow(MemoryError);
    await expect(claim).rejects.toThrow(
      /A page of t\.parquet needs about 2\.15 GB .* write the file with smaller pages/,
    );
  });
});

describe("texts that need more memory than there is", () => {
  test("are refused before it is allocated", async () => {
    // Each shares all of the one before: a few bits of the file for a hundred thousand bytes of memory.
    const length = 100_000;
    const rows = 20_000;
    // The first text has all its letters; each later one has as many as it, and none of its own.
    const firstThen = (one: number, then: number) =>
      joined(varint(128), varint(1), varint(rows), zigzag(one), ...blocks(rows, one, then));
    const page7 = joined(firstThen(0, length), firstThen(length, 0), utf8("x".repeat(length)));
    const file = forged({ rows, pages: [page(page7, { values: rows, encoding: 7 })] });
    expect(file.length).toBeLessThan(length + 2000);
    expect((await read(file, 3)).map((text) => text.length)).toEqual([length, length, length]);
    setMemory({ read: () => 2e9, heap: () => 1e8 });
    await expect(read(file)).rejects.toThrow(MemoryError);
    await expect(read(file)).rejects.toThrow(
      /The texts of t\.parquet, so far, need.*: read fewer of them \(`maxTexts`\)/,
    );
  });
});

/** Blocks of 128 lengths: `one` was the first; all after it are `then`. */
function blocks(rows: number, one: number, then: number): Uint8Array[] {
  // The second differs by then - one, the others by nothing: the first block has 17 bits for that, where it must.
  const step = then - one;
  const count = Math.ceil((rows - 1) / 128);
  return Array.from({ length: count }, (_, i) => {
    if (i > 0) return joined(zigzag(0), [0]);
    const width = 17;
    const packed = new Uint8Array((128 * width) / 8);
    const smallest = Math.min(0, step);
    for (let k = 0; k < 128; k++) {
      const value = (k === 0 ? step : 0) - smallest;
      for (let bit = 0; bit < width; bit++) {
        const at = k * width + bit;
        packed[at >> 3] |= ((value >> bit) & 1) << (at & 7);
      }
    }
    return joined(zigzag(smallest), [width], packed);
  });
}

describe.skipIf(!existsSync("/proc/self/status"))("a forged Parquet file takes little memory", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "glassformer-parquet-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const child = fileURLToPath(new URL("parquet-child.ts", import.meta.url));
  const reading = async (bytes: Uint8Array, maxTexts = ""): Promise<{ outcome: string; peak: number }> => {
    const path = join(folder, "t.parquet");
    writeFileSync(path, bytes);
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", child, path, maxTexts]);
    return JSON.parse(stdout);
  };
  const packed = (codec: number, body: Uint8Array, size: number) =>
    forged({ rows: 1, codec, pages: [page(body, { values: 1, size })] });
  const GB = 2 ** 30;

  test.each<[string, () => Uint8Array, string, RegExp]>([
    [
      "a run of 2e9 indices",
      () => forged({ rows: 2e9, pages: [...withDictionary(joined([1], run(2e9, 0)), 2e9)] }),
      "10",
      /^10 texts$/,
    ],
    [
      "brotli of 1 GB, announced as 100 bytes",
      () => packed(4, brotliCompressSync(new Uint8Array(GB), { params: { 1: 1 } }), 100),
      "",
      /damaged/,
    ],
    [
      "gzip of 1 GB, announced as 100 bytes",
      () => packed(2, gzipSync(new Uint8Array(GB), { level: 1 }), 100),
      "",
      /damaged/,
    ],
    ["zstd of 1 GB, announced as 100 bytes", () => packed(6, zstdZeros(GB / 2 ** 17), 100), "", /damaged/],
    [
      "zstd with a window of 1 GB",
      () => packed(6, joined([0x28, 0xb5, 0x2f, 0xfd, 0, 0xa0], zstdZeros(40, 1).subarray(6)), 40),
      "",
      /^1 texts$/,
    ],
    [
      "a footer of 20 MB of empty structs",
      () => forged({ rows: 0, more: { 0: list(12, [new Uint8Array(2e7)], 2e7) } }),
      "",
      /^0 texts$/,
    ],
  ])("%s", { timeout: 60_000 }, async (_, file, maxTexts, outcome) => {
    const bytes = file();
    const found = await reading(bytes, maxTexts);
    expect(found.outcome).toMatch(outcome);
    expect(found.peak).toBeLessThan(bytes.length * 1.2 + 64e6);
  });
});
