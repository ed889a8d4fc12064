/** Parts of files: together they have every text once, wherever the cuts are; and packed files are read like others. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, describe, expect, it } from "vitest";
import { unpacked } from "../../src/load/node-unpacked.ts";
import { fileSource, memorySource, readTexts } from "../../src/node.ts";
import { slicesOf, sliceTexts } from "../../src/training/data/slices.ts";

const folder = mkdtempSync(join(tmpdir(), "glassformer-slices-"));
afterAll(() => rmSync(folder, { recursive: true }));

const bytesOf = (text: string) => new TextEncoder().encode(text);
const source = (name: string, content: string | Uint8Array) =>
  memorySource(name, typeof content === "string" ? bytesOf(content) : content);

/** The texts of each part of a file. */
async function inParts(of: ReturnType<typeof source>, bytes: number): Promise<string[][]> {
  const parts: string[][] = [];
  for (const slice of await slicesOf(of, bytes, { column: "text" })) {
    const texts: string[] = [];
    for await (const text of sliceTexts(of, slice, { column: "text" })) texts.push(text);
    parts.push(texts);
  }
  return parts;
}

const line = fc.string({ unit: "grapheme", maxLength: 12 }).map((text) => text.replaceAll(/[\n\r]/g, " "));

describe("parts of a file", () => {
  it("have the whole text, cut only where lines begin", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1 }), fc.integer({ min: 1, max: 40 }), async (lines, bytes) => {
        const text = `${lines.join("\n")}\n|`;
        const parts = (await inParts(source("a.txt", text), bytes)).flat();
        // A part of spaces alone has no text.
        expect(parts.join("").replaceAll(/\s/g, "")).toBe(text.replaceAll(/\s/g, ""));
        for (const part of parts.slice(0, -1)) expect(part.at(-1)).toBe("\n");
      }),
    );
  });

  it("have every line of JSON once and in order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1 }), fc.integer({ min: 1, max: 60 }), async (lines, bytes) => {
        const file = source("a.jsonl", lines.map((text) => `${JSON.stringify({ text })}\n`).join(""));
        expect((await inParts(file, bytes)).flat()).toEqual(lines);
      }),
    );
  });

  it("have every row of Parquet once, a row group or several at a time", async () => {
    const data = Array.from({ length: 50 }, (_, i) => `row ${i}`);
    const file = new Uint8Array(parquetWriteBuffer({ columnData: [{ name: "text", data }], rowGroupSize: 7 }));
    for (const bytes of [1, 150, 1e6]) {
      const parts = await inParts(source("a.parquet", file), bytes);
      expect(parts.flat()).toEqual(data);
      expect(parts.length).toBe(bytes === 1 ? 8 : bytes === 1e6 ? 1 : parts.length);
    }
  });

  it("of a text without lines are cut between characters, where they were asked for", async () => {
    const text = "🐈é".repeat(60_000);
    const parts = (await inParts(source("a.txt", text), 100_000)).flat();
    expect(parts.join("")).toBe(text);
    // What is left at the end is too little for a part of its own.
    expect(parts.map((part) => Math.floor(bytesOf(part).length / 10_000))).toEqual([10, 10, 15]);
  });

  it("of one line of 500 MB are cut, if it is text, and refused in a sentence as JSON", async () => {
    const long = (name: string) => ({
      ...{ name, size: 500e6 },
      read: async (start: number, end: number) => new Uint8Array(end - start).fill(120),
    });
    const text = long("a.txt");
    const slices = await slicesOf(text, 1e6, { column: "text" });
    for await (const part of sliceTexts(text, slices[250], { column: "text" })) expect(part).toBe("x".repeat(1e6));
    const json = long("a.jsonl");
    await expect(sliceTexts(json, slices[1], { column: "text" }).next()).rejects.toThrow(
      /a\.jsonl has a line of over 134 MB at byte 1000000, more than can be read: split its text into several lines/,
    );
  });

  it("say where something is wrong, counted from the beginning of the file", async () => {
    const lines = `${'{"text":"one"}\n'.repeat(10)}no JSON\n`;
    await expect(inParts(source("a.jsonl", lines), 60)).rejects.toThrow(
      /^Line 3 after byte 120 of a\.jsonl is not JSON/,
    );
    const bad = Uint8Array.from([...bytesOf("line\n".repeat(20)), 0xff, 10]);
    await expect(inParts(source("a.txt", bad), 30)).rejects.toThrow(
      /a\.txt is not UTF-8: the byte 0xFF at offset 100 /,
    );
    const data = ["a", "b", "c", null];
    const file = new Uint8Array(
      parquetWriteBuffer({ columnData: [{ name: "text", data, nullable: true, type: "STRING" }], rowGroupSize: 2 }),
    );
    await expect(inParts(source("a.parquet", file), 1)).rejects.toThrow(/Row 3 of a\.parquet has null under "text"/);
  });

  it.each([
    ["nothing at all", "a.txt", "", /a\.txt is empty: it has no text/],
    ["a table", "a.csv", "x,y", /a\.csv is a table/],
    ["packed Parquet", "a.parquet.gz", "x", /is a packed Parquet file.*unpack it to a\.parquet first/],
  ])("cannot be made of %s", async (_what, name, content, message) => {
    await expect(slicesOf(source(name, content), 10, { column: "text" })).rejects.toThrow(message);
  });

  it("cannot be made of Parquet without the column or rows", async () => {
    const of = (data: string[]) =>
      source("a.parquet", new Uint8Array(parquetWriteBuffer({ columnData: [{ name: "text", data, type: "STRING" }] })));
    await expect(slicesOf(of(["a"]), 10, { column: "txt" })).rejects.toThrow(
      /has no column "txt"; its columns are text/,
    );
    await expect(slicesOf(of([]), 10, { column: "text" })).rejects.toThrow(/has no rows/);
  });
});

describe("packed files", () => {
  const linesOf = (n: number) =>
    Array.from({ length: n }, (_, i) => `Line ${i}: naïve café 🐈 ${"the cat sat on the mat. ".repeat(i % 4)}\n`).join(
      "",
    );
  /** What the file in fixtures has, packed by zstd 1.5 in two frames. */
  const text = linesOf(3000) + linesOf(5);
  const given = (name: string, bytes: Uint8Array) => {
    writeFileSync(join(folder, name), bytes);
    return fileSource(join(folder, name));
  };
  const zst = () => readFileSync(new URL("fixtures/lines.txt.zst", import.meta.url));

  it.each([
    ["gzip", "a.txt.gz", () => gzipSync(text)],
    ["gzip in two parts", "b.txt.gz", () => Buffer.concat([gzipSync(text.slice(0, 999)), gzipSync(text.slice(999))])],
    ["zstd", "a.txt.zst", zst],
  ])("of %s have the same texts as unpacked ones", async (_codec, name, pack) => {
    const file = await unpacked(await given(name, pack()));
    expect(file.size).toBe(bytesOf(text).length);
    expect(await readTexts(file)).toEqual([text]);
    expect((await inParts(file, 10_000)).flat().join("")).toBe(text);
  });

  it("give any bytes in any order, several at the same time too", async () => {
    const bytes = bytesOf(linesOf(200));
    const file = await unpacked(await given("c.txt.gz", gzipSync(bytes)));
    const place = fc.nat(bytes.length);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(place, place), { maxLength: 5 }), async (pairs) => {
        const ranges = pairs.map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
        const found = await Promise.all(ranges.map(([from, to]) => file.read(from, to)));
        expect(found.map((part) => [...part])).toEqual(ranges.map(([from, to]) => [...bytes.subarray(from, to)]));
      }),
      { numRuns: 20 },
    );
  });

  it("that are damaged or cut off are refused in a sentence", async () => {
    const gz = gzipSync(text);
    const bad = async (name: string, bytes: Uint8Array) => unpacked(await given(name, bytes));
    await expect(bad("d.txt.gz", gz.subarray(0, 900))).rejects.toThrow(/d\.txt\.gz ends in the middle/);
    await expect(bad("e.txt.gz", bytesOf("plain text"))).rejects.toThrow(
      /e\.txt\.gz cannot be unpacked: it is damaged, or/,
    );
    await expect(bad("f.txt.zst", zst().subarray(0, 900))).rejects.toThrow(/f\.txt\.zst ends in the middle/);
    await expect(bad("g.txt.zst", bytesOf("plain text that is long"))).rejects.toThrow(
      /g\.txt\.zst cannot be unpacked/,
    );
  });
});
