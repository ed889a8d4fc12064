import { readFileSync } from "node:fs";
import { crc32 as crc32OfNode, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entriesOf } from "../../fuzz/zip-reader.ts";
import { writeZip, type ZipEntry, type ZipFields } from "../../fuzz/zip-writer.ts";
import { crc32 } from "../../src/load/crc32.ts";
import { memorySource, readPth } from "../../src/load/index.ts";
import { FileFormatError } from "../../src/tensor/errors.ts";
import { torchZip } from "./torch-zip.ts";

const fixture = (name: string) => new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
const read = (bytes: Uint8Array) => readPth(memorySource("m.pth", bytes));
const numbers = async (bytes: Uint8Array) =>
  [...(await read(bytes))].map(([name, { dtype, shape, data }]) => [name, dtype, shape, [...data]]);
const honest = entriesOf(fixture("nested.pth"));
const isStorage = ({ name }: { name: string }) => name.includes("/data/");

test("the checksum is zlib's, for bytes of any length and offset, whole or in two parts", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), fc.nat({ max: 20 }), (bytes, cut, skip) => {
      const view = bytes.subarray(Math.min(skip, bytes.length));
      const at = cut % (view.length + 1);
      expect(crc32(view)).toBe(crc32OfNode(view));
      expect(crc32(view.subarray(at), crc32(view.subarray(0, at)))).toBe(crc32OfNode(view));
    }),
  );
});

describe("zips in torch's layout", () => {
  test.each(["nested.pth", "views.pth", "state_dict.pth", "objects.pth", "protocol5.pth"])(
    "the tests' writer reproduces %s byte for byte",
    (name) => {
      const bytes = fixture(name);
      expect(Buffer.compare(torchZip(entriesOf(bytes)), bytes)).toBe(0);
    },
  );

  test("open with a folder name of any length", async () => {
    const right = await numbers(fixture("nested.pth"));
    for (let length = 1; length <= 60; length++) {
      const folder = "m".repeat(length);
      const renamed = honest.map(({ name, data }) => ({ name: name.replace("nested", folder), data }));
      expect(await numbers(torchZip(renamed))).toEqual(right);
    }
  });

  test("open with a comment at the end, of any length, unless that could be another directory", async () => {
    const bytes = fixture("nested.pth");
    const withComment = (comment: Uint8Array) => {
      const both = new Uint8Array(bytes.length + comment.length);
      both.set(bytes);
      both.set(comment, bytes.length);
      new DataView(both.buffer).setUint16(bytes.length - 2, comment.length, true);
      return both;
    };
    const right = await numbers(bytes);
    for (const length of [1, 21, 22, 5000, 65535]) {
      expect(await numbers(withComment(new Uint8Array(length).fill(0x50)))).toEqual(right);
    }
    const another = withComment(bytes.subarray(-22));
    await expect(read(another)).rejects.toThrow(
      /its directory should take bytes|its comment could be another directory/,
    );
    await expect(read(withComment(bytes.subarray(-22)).subarray(0, -1))).rejects.toThrow(
      /is missing: the file was cut off/,
    );
    const added = new Uint8Array(bytes.length + 3);
    added.set(bytes);
    await expect(read(added)).rejects.toThrow(/is missing: the file was cut off, or something was appended/);
  });

  test("open with sizes and offsets in ZIP64's extra fields, as beyond 4 GB", async () => {
    expect(await numbers(torchZip(honest, { large: true }))).toEqual(await numbers(fixture("nested.pth")));
  });

  test("open without checksums, as after torch.serialization.set_crc32_options(False)", async () => {
    expect(await numbers(fixture("unchecked.pth"))).toEqual([["w", "float32", [2, 3], [0, 1, 2, 3, 4, 5]]]);
  });

  test("one whose first checksum only is 0 is damaged", async () => {
    const [first, ...rest] = honest;
    const bytes = writeZip([{ ...first, local: { crc: 0 }, central: { crc: 0 } }, ...rest]);
    await expect(read(bytes)).rejects.toThrow(/do not match their checksum/);
  });
});

describe("packed entries", () => {
  const packed = (data: Uint8Array, fields: Partial<ZipFields> = {}): Omit<ZipEntry, "name"> => {
    const facts = { method: 8, size: data.length, crc: crc32OfNode(data), ...fields };
    return { data: deflateRawSync(data), local: facts, central: facts };
  };
  const withPacked = (fields: Partial<ZipFields> = {}, change = (data: Uint8Array) => data) =>
    writeZip(
      honest.map((entry) => {
        if (!entry.name.endsWith("data.pkl")) return entry;
        const { data, ...rest } = packed(entry.data, fields);
        return { name: entry.name, data: change(data), ...rest };
      }),
    );

  test("are read like stored ones", async () => {
    expect(await numbers(withPacked())).toEqual(await numbers(fixture("nested.pth")));
  });

  test("that unpack to more or less than they announce are refused", async () => {
    const size = honest[0].data.length;
    await expect(read(withPacked({ size: size - 1 }))).rejects.toThrow(/more than the \d+ bytes it announces/);
    await expect(read(withPacked({ size: size + 1 }))).rejects.toThrow(/has \d+ bytes, but announces \d+/);
  });

  test("that are garbled or cut off are refused", async () => {
    await expect(read(withPacked({}, (data) => data.map((b, i) => (i % 3 ? b : 255 - b))))).rejects.toThrow(
      FileFormatError,
    );
    await expect(read(withPacked({}, (data) => data.subarray(0, 40)))).rejects.toThrow(FileFormatError);
  });

  test("that would unpack to more than 20 times their size are refused before any is read", async () => {
    const bomb = new Uint8Array(1_000_000);
    const bytes = writeZip([{ name: "m/data.pkl", ...packed(bomb) }]);
    await expect(read(bytes)).rejects.toThrow(/would unpack \d+ bytes to 1000000, more than 20 times as many/);
    // Where the directory says less, the unpacking ends at what it says.
    const lie = writeZip([{ name: "m/data.pkl", ...packed(bomb, { size: 2000 }) }]);
    await expect(read(lie)).rejects.toThrow(/unpacks to more than the 2000 bytes it announces/);
  });
});

describe("zips that lie", () => {
  const refusals: [string, Uint8Array, RegExp][] = [
    ["an entry twice", writeZip([...honest, honest.find(isStorage)!]), /has the entry "nested\/data\/\d" twice/],
    [
      "two archives",
      writeZip([...honest, ...honest.map(({ name, data }) => ({ name: name.replace("nested", "other"), data }))]),
      /more than one archive: "nested\/data\.pkl" and "other\/data\.pkl"/,
    ],
    [
      "two entries over the same bytes",
      writeZip(honest.map((entry) => (isStorage(entry) ? { ...entry, central: { offset: 0 } } : entry))),
      /overlaps what comes after it/,
    ],
    ["an encrypted entry", writeZip([{ ...honest[0], central: { flags: 1 } }]), /is encrypted/],
    [
      "an entry packed with another method",
      writeZip([{ ...honest[0], central: { method: 12 } }]),
      /packed with an unsupported method \(12\)/,
    ],
    ["an entry without a name", writeZip([...honest, { name: "", data: new Uint8Array(1) }]), /without a name/],
    ["fewer entries than announced", writeZip(honest, { count: 999 }), /ends after \d+ of 999 entries/],
    ["more entries than announced", writeZip(honest, { count: 1 }), /bytes beyond its entries/],
    ["a directory elsewhere", writeZip(honest, { offset: 5 }), /directory should take bytes/],
    ["something after the end", Uint8Array.of(...writeZip(honest), 0), /directory.*is missing/],
    ["TorchScript", writeZip([...honest, { name: "nested/constants.pkl", data: new Uint8Array(1) }]), /TorchScript/],
    [
      "a byteorder of a megabyte",
      writeZip(honest.map((e) => (e.name.endsWith("byteorder") ? { ...e, data: new Uint8Array(1e6) } : e))),
      /"of 1000000 bytes"-endian/,
    ],
    [
      "a pickle over 64 MB",
      writeZip(honest.map((e) => (e.name.endsWith("data.pkl") ? { ...e, data: new Uint8Array(68e6) } : e))),
      /The pickle in m\.pth has 68000000 bytes, but at most 67108864 are read/,
    ],
  ];
  test.each(refusals)("%s", async (_, bytes, message) => {
    const error = await read(bytes).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FileFormatError);
    expect((error as Error).message).toMatch(message);
  });

  test("any field of any entry, in either place, changed at random: the right numbers or a refusal", async () => {
    const right = await numbers(fixture("nested.pth"));
    const field = fc.constantFrom<keyof ZipFields>("method", "flags", "crc", "packed", "size", "offset");
    const value = fc.oneof(fc.nat({ max: 3000 }), fc.constantFrom(0xffff, 0xffffffff, 0x80000000));
    const place = fc.constantFrom("local", "central", "both");
    await fc.assert(
      fc.asyncProperty(fc.nat(), field, value, place, async (which, field, value, place) => {
        const entries = honest.map((entry, i): ZipEntry => {
          if (i !== which % honest.length) return entry;
          const lie = { [field]: value };
          return { ...entry, ...(place !== "central" && { local: lie }), ...(place !== "local" && { central: lie }) };
        });
        const found = await numbers(writeZip(entries)).catch((error: unknown) => {
          expect(error).toBeInstanceOf(FileFormatError);
        });
        if (found) expect(found).toEqual(right);
      }),
      { numRuns: 1000 },
    );
  });

  test("any byte of a file from torch, changed: the right numbers or a refusal", async () => {
    const whole = fixture("nested.pth");
    const right = await numbers(whole);
    for (let at = 0; at < whole.length; at++) {
      const bytes = whole.slice();
      bytes[at] ^= 1 << (at % 8);
      const found = await numbers(bytes).catch((error: unknown) => {
        expect(error).toBeInstanceOf(FileFormatError);
      });
      if (found) expect(found).toEqual(right);
    }
  });
});
