/** Headers that lie, flood, or are of another kind of file. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memorySource, readSafetensors, writeSafetensors } from "../../src/load/index.ts";
import { ndarray } from "../../src/tensor/array.ts";
import { FileFormatError } from "../../src/tensor/errors.ts";
import { bytesOf, checkpoint, pickle } from "./torch-pickle.ts";

function file(header: string, data: number): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}
const read = (bytes: Uint8Array) => readSafetensors(memorySource("m.safetensors", bytes));
const t = (start: number, end: number) =>
  `{"dtype":"F32","shape":[${(end - start) / 4}],"data_offsets":[${start},${end}]}`;
const deep = (n: number) => `${"[".repeat(n)}${"]".repeat(n)}`;

test.each<[string, Uint8Array, RegExp]>([
  ["a name twice", file(`{"a":${t(0, 4)},"a":${t(0, 4)}}`, 4), /has the key "a" twice/],
  ["a name twice, once in escapes", file(`{"a":${t(0, 4)},"\\u0061":${t(0, 4)}}`, 4), /has the key "a" twice/],
  ["a name twice, each with numbers", file(`{"a":${t(0, 4)},"a":${t(4, 8)}}`, 8), /twice/],
  ["a field twice", file('{"a":{"dtype":"I32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4), /"dtype" twice/],
  ["an endless shape", file(`{"a":{"dtype":"F32","shape":${deep(20000)},"data_offsets":[0,4]}}`, 4), /32 levels deep/],
  ["an endless dtype", file(`{"a":{"dtype":${deep(30)},"shape":[1],"data_offsets":[0,4]}}`, 4), /"a".*dtype \[/],
  ["a flood of values", file(`{"a":[${"[],".repeat(1_500_000)}[]]}`, 0), /more than 1000000 values/],
  [
    "a header of 26 MB",
    file(`{"${"a".repeat(26e6)}":5}`, 0),
    /header of 26000006 bytes, but at most 25000000 are read/,
  ],
  [
    "a flood of names",
    file(`{${Array.from({ length: 100_001 }, (_, i) => `"${i}":0`).join(",")}}`, 0),
    /more than 100000 names/,
  ],
  ["metadata of numbers", file(`{"__metadata__":{"a":1},"a":${t(0, 4)}}`, 4), /"__metadata__" is \{"a": 1\}/],
  ["metadata in a list", file(`{"__metadata__":[],"a":${t(0, 4)}}`, 4), /"__metadata__" is \[\]/],
  [
    "a prototype in place of an entry",
    file('{"a":{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}', 4),
    /dtype undefined/,
  ],
  ["an empty tensor inside another", file(`{"a":${t(0, 4)},"e":${t(2, 2)}}`, 4), /"e" starts at byte .* inside/],
  ["a name of a megabyte", file(`{"${"a".repeat(1e6)}":5}`, 0), /^.{0,2000}$/],
  ["a PyTorch checkpoint", checkpoint(pickle("}")), /is a PyTorch file.*readPth/],
  ["a web page", bytesOf("<!doctype html><html><body>404</body></html>"), /it is a web page/],
  ["a pointer of git's", bytesOf("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"), /git lfs pull/],
  [
    "gzip with a header's length that could be",
    Uint8Array.of(0x1f, 0x8b, 0, 0, 0, 0, 0, 0, ...new Array(36000).fill(1)),
    /gzip/,
  ],
])("%s is refused in a sentence", async (_, bytes, message) => {
  const error = await read(bytes).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(FileFormatError);
  expect((error as Error).message).toMatch(message);
});

test.each<[string, string, string[]]>([
  ["unknown fields", '{"a":{"x":[[1]],"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', ["a"]],
  ["white space around", ` {"a":${t(0, 4)}}\n `, ["a"]],
  ["metadata that is null", `{"__metadata__":null,"a":${t(0, 4)}}`, ["a"]],
  ["an empty tensor at either end", `{"z":${t(4, 4)},"a":${t(0, 4)},"b":${t(0, 0)}}`, ["b", "a", "z"]],
  ["quotation marks and brackets in a name", `{"a\\"]{\\\\":${t(0, 4)}}`, ['a"]{\\']],
])("%s is read, as the format's own library reads it", async (_, header, names) => {
  expect([...(await read(file(header, 4))).keys()]).toEqual(names);
});

describe("numbers", () => {
  test("of tensors over several reads are those that were written", async () => {
    const data = Float32Array.from({ length: 5_000_000 }, (_, i) => (i % 2039) - 1000);
    const map = new Map([
      ["large", ndarray("float32", [5, 1_000_000], data)],
      ["small", ndarray("float32", [3], Float32Array.of(1, 2, 3))],
    ]);
    for (const dtype of [undefined, "F16"] as const) {
      const found = await read(writeSafetensors(map, {}, { dtype }));
      expect(Buffer.compare(Buffer.from(found.get("large")!.data.buffer), Buffer.from(data.buffer))).toBe(0);
      expect([...found.get("small")!.data]).toEqual([1, 2, 3]);
    }
  });

  test("are each tensor's own", async () => {
    const found = await read(file(`{"a":${t(0, 4)},"b":${t(4, 8)}}`, 8));
    for (const { data } of found.values()) expect(data.byteLength).toBe(data.buffer.byteLength);
  });
});

test("whatever is done to a header, any error is one of our sentences", async () => {
  const base = `{"__metadata__":{"format":"pt"},"a":${t(0, 4)},"b":${t(4, 12)}}`;
  const piece = fc.constantFrom(
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\",
    "-",
    "1e9",
    "null",
    '"a"',
    '"__proto__"',
    deep(40),
    "9".repeat(30),
  );
  const change = fc.record({ at: fc.nat(), cut: fc.nat({ max: 4 }), put: piece });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      let header = base;
      for (const { at, cut, put } of changes) {
        const from = at % header.length;
        header = header.slice(0, from) + put + header.slice(from + cut);
      }
      await read(file(header, 12)).catch((error: unknown) => expect(error).toBeInstanceOf(FileFormatError));
    }),
    { numRuns: 2000 },
  );
});
