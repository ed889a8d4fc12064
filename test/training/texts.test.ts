/** Texts in files: text, JSON lines, Parquet of every codec, as Apache Arrow writes it. */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileSource, folderFiles, memorySource, readTexts, urlSource } from "../../src/node.ts";
import { ArgumentError, FileFormatError } from "../../src/tensor/errors.ts";
import { type RangeServer, serveRanges } from "../load/range-server.ts";

const source = (name: string, content: string | Uint8Array) =>
  memorySource(name, typeof content === "string" ? new TextEncoder().encode(content) : content);
const fixture = (codec: string) => new URL(`fixtures/${codec}.parquet`, import.meta.url);
/** What fixtures/make.py writes. */
const rows = Array.from({ length: 9 }, (_, i) => `Row ${i}: naïve café 🐈 ${"the cat sat on the mat. ".repeat(i % 4)}`);

describe("texts", () => {
  test("are one for a text file, and one per line of JSON lines", async () => {
    expect(await readTexts(source("a.txt", "one\ntwo\n"))).toEqual(["one\ntwo\n"]);
    expect(await readTexts(source("a.txt", " \n"))).toEqual([]);
    const lines = '{"text":"one","n":1}\n\n{"text":"two\\nlines"}\n';
    expect(await readTexts(source("a.jsonl", lines))).toEqual(["one", "two\nlines"]);
    expect(await readTexts(source("a.jsonl", lines), { maxTexts: 1 })).toEqual(["one"]);
    expect(await readTexts(source("a.jsonl", '{"body":"x"}'), { column: "body" })).toEqual(["x"]);
  });

  test.each(["none", "snappy", "gzip", "brotli", "zstd", "lz4"])(
    "are one per row of Parquet compressed with %s",
    async (codec) => {
      expect(await readTexts(await fileSource(fixture(codec).pathname))).toEqual(rows);
    },
  );

  test("can be only the first ones, even in the middle of a row group", async () => {
    for (const maxTexts of [1, 4, 6, 100]) {
      const found = await readTexts(await fileSource(fixture("snappy").pathname), { maxTexts });
      expect(found).toEqual(rows.slice(0, maxTexts));
    }
    await expect(readTexts(source("a.txt", "x"), { maxTexts: 0 })).rejects.toThrow(ArgumentError);
  });

  test("are read no further than needed", async () => {
    const lines = '{"text":"one"}\n'.repeat(20_000);
    const asked: number[] = [];
    const whole = source("a.jsonl", `${lines}no JSON\n`);
    const watched = {
      ...whole,
      read: (start: number, end: number) => {
        asked.push(end);
        return whole.read(start, end);
      },
    };
    expect(await readTexts(watched, { maxTexts: 10 })).toHaveLength(10);
    expect(asked).toEqual([65_536]);
    expect(await readTexts(watched, { maxTexts: 20_000 })).toHaveLength(20_000);
    await expect(readTexts(watched, { maxTexts: 20_001 })).rejects.toThrow(/Line 20001 of a.jsonl is not JSON/);
  });

  test("can be the first rows of files of 600 MB and 3 GB", async () => {
    const folder = mkdtempSync(join(tmpdir(), "glassformer-texts-"));
    try {
      for (const size of [600e6, 3e9]) {
        const path = join(folder, `${size}.jsonl`);
        writeFileSync(path, Array.from({ length: 5000 }, (_, i) => `{"text":"row ${i}"}\n`).join(""));
        truncateSync(path, size); // the rest is a hole
        const texts = await readTexts(await fileSource(path), { maxTexts: 10 });
        expect(texts).toEqual(Array.from({ length: 10 }, (_, i) => `row ${i}`));
        // The hole is one line without an end.
        await expect(readTexts(await fileSource(path))).rejects.toThrow(
          /Line 5001 of .*\.jsonl has over 134 million characters/,
        );
        const all = folderFiles(folder).readText(`${size}.jsonl`);
        await expect(all).rejects.toThrow(
          /jsonl has (600|3000) MB, but a text that is read whole can have at most 536/,
        );
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("in other kinds of files are refused with what to do", async () => {
    const read = (name: string, content: string | Uint8Array = "a") => readTexts(source(name, content));
    await expect(read("a.json", "[]")).rejects.toThrow(
      /a\.json is JSON\. If it has one object per line, name it \.jsonl/,
    );
    await expect(read("a.csv")).rejects.toThrow(/a\.csv is a table: save the column/);
    await expect(read("a.tsv")).rejects.toThrow(/is a table/);
    await expect(read("a.HTML")).rejects.toThrow(/is a web page: save its text/);
    await expect(read("a.txt", "\n<!DOCTYPE html><p>404")).rejects.toThrow(
      /a\.txt is a web page, perhaps an error page/,
    );
    await expect(read("a.jsonl", '[{"text": "a"}]')).rejects.toThrow(
      /Line 1 of a\.jsonl begins a list.*convert a\.jsonl/,
    );
    for (const column of ["constructor", "__proto__", "toString"]) {
      await expect(readTexts(source("a.jsonl", '{"a": "b"}'), { column })).rejects.toThrow(/its fields are a\. Name/);
    }
    await expect(read("a.jsonl", '{\n"text": "a"}')).rejects.toThrow(/begins an object that spans several lines/);
    const gzip = Uint8Array.of(0x1f, 0x8b, 8, 0);
    for (const name of ["a.txt", "a.jsonl", "a.txt.gz"]) {
      await expect(read(name, gzip)).rejects.toThrow(/is packed with gzip: unpack it first/);
    }
    await expect(read("a.parquet", gzip)).rejects.toThrow(/cannot be read as Parquet: it is packed with gzip/);
    const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n";
    for (const name of ["a.txt", "a.jsonl", "a.parquet"]) {
      await expect(read(name, pointer)).rejects.toThrow(/is the pointer that git keeps in place of a large file/);
    }
    await expect(read("a.parquet", "<html>404")).rejects.toThrow(/as Parquet: it is a web page/);
    await expect(read("a.txt", new Uint8Array(readFileSync(fixture("none"))))).rejects.toThrow(/is a Parquet file/);
    for (const error of [read("a.csv"), read("a.txt", gzip), read("a.jsonl", "[")]) {
      await expect(error).rejects.toThrow(FileFormatError);
    }
  });

  test("come without a byte-order mark, and options that do not exist are refused", async () => {
    expect(await readTexts(source("a.txt", "\uFEFFone"))).toEqual(["one"]);
    expect(await readTexts(source("a.jsonl", '\uFEFF{"text":"one"}'))).toEqual(["one"]);
    // @ts-expect-error a misspelt option
    await expect(readTexts(source("a.txt", "x"), { maxText: 1 })).rejects.toThrow(
      /no option "maxText"\. Did you mean "maxTexts"/,
    );
  });

  test("that are something else are refused, with the position", async () => {
    const read = (name: string, content: string) => readTexts(source(name, content));
    await expect(read("a.jsonl", '{"text":"x"}\n{"text":')).rejects.toThrow(/Line 2 of a.jsonl is not JSON/);
    await expect(read("a.jsonl", '{"txt":"x"}')).rejects.toThrow(/Line 1 of a.jsonl has no text under "text".*txt/);
    await expect(readTexts(source("a.txt", Uint8Array.of(0xff, 0xfe, 0x00)))).rejects.toThrow(/not UTF-8/);
  });

  test("of a Parquet file that lacks the column, has no texts, or is not Parquet, are refused", async () => {
    const bytes = new Uint8Array(readFileSync(fixture("zstd")));
    const column = (name: string) => readTexts(source("a.parquet", bytes), { column: name });
    await expect(column("txt")).rejects.toThrow(/no column "txt"; its columns are text, n, maybe, words/);
    await expect(column("txt")).rejects.toMatchObject({ nearest: "text" });
    await expect(column("n")).rejects.toThrow(/Row 0 of a.parquet has a bigint under "n", not a text/);
    await expect(column("maybe")).rejects.toThrow(/Row 5 of a.parquet has null under "maybe"/);
    await expect(column("words")).rejects.toThrow(/has a list under "words"/);
    await expect(readTexts(source("a.parquet", "PAR1"))).rejects.toThrow(/a.parquet cannot be read as Parquet/);
    const damaged = bytes.slice();
    damaged.fill(0xff, 4, 900);
    await expect(readTexts(source("a.parquet", damaged))).rejects.toThrow(FileFormatError);
    await expect(readTexts(source("a.parquet", bytes.slice(0, 2000)))).rejects.toThrow(FileFormatError);
  });
});

describe("a large Parquet file behind a URL", () => {
  let server: RangeServer;
  let size: number;
  const texts = Array.from({ length: 3000 }, (_, i) => `${i} ${"x".repeat(100)}${(i * 7919) % 10007}`);
  beforeAll(async () => {
    const noise = texts.map((_, i) => String(Math.sin(i)).repeat(20));
    const file = new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: "other", data: noise, type: "STRING" },
          { name: "text", data: texts, type: "STRING" },
        ],
        rowGroupSize: 500,
        codec: "UNCOMPRESSED",
      }),
    );
    size = file.length;
    server = await serveRanges({ "/big.parquet": file });
  });
  afterAll(() => server.stop());

  test("is read by ranges: only the needed column and row groups", async () => {
    const big = await urlSource(`${server.url}/big.parquet`);
    expect(size).toBeGreaterThan(1_400_000);
    expect(await readTexts(big, { maxTexts: 700 })).toEqual(texts.slice(0, 700));
    // The footer is looked for in the last 512 kB; the rest is the texts of two row groups.
    expect(server.sent).toBeLessThan(2 ** 19 + 150_000);
    server.sent = 0;
    expect(await readTexts(big)).toEqual(texts);
    expect(server.sent).toBeLessThan(2 ** 19 + 500_000);
  });

  test("is read no further once the signal is aborted", async () => {
    const big = await urlSource(`${server.url}/big.parquet`);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(readTexts(big, { signal })).rejects.toThrow("enough");
  });
});

test("anything but a file is refused", async () => {
  for (const source of [null, undefined, "a.txt", {}, { name: "a.txt" }]) {
    await expect(readTexts(source as never)).rejects.toThrow(/readTexts takes a ByteSource/);
  }
});
