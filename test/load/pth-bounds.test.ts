import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadWeights, memoryFiles, memorySource, readPth } from "../../src/load/index.ts";
import { FileFormatError, GlassformerError } from "../../src/tensor/errors.ts";
import {
  bytesOf,
  checkpoint,
  dict,
  int,
  list,
  named,
  type Part,
  pickle,
  storage,
  tensor,
  text,
  tuple,
} from "./torch-pickle.ts";

const fixture = (name: string) => new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
const read = (bytes: Uint8Array, onSkipped?: (name: string, why: string) => void) =>
  readPth(memorySource("m.pth", bytes), { onSkipped });
const refusal = async (bytes: Uint8Array) => {
  const error = await read(bytes).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(FileFormatError);
  return (error as Error).message;
};
const six = Float32Array.of(0, 1, 2, 3, 4, 5);
const W = (shape: readonly number[] = [2, 3], strides: readonly number[] = [3, 1], offset = 0) =>
  tensor(storage("0", 6), shape, strides, offset);
const wrapped = (value: Part, storages: readonly ArrayBufferView[] = [six]) => checkpoint(pickle(value), storages);

describe("objects beside the weights", () => {
  const expected: { read: Record<string, { shape: number[]; values: number[] }>; skipped: string[] } = JSON.parse(
    new TextDecoder().decode(fixture("objects.json")),
  );

  test("what torch.load(weights_only=True) accepts is read, left out, or skipped by name", async () => {
    const skipped: string[] = [];
    const found = await read(fixture("objects.pth"), (name, why) => {
      skipped.push(name);
      expect(why).toMatch(/^[a-z].{5,}[^.]$/);
    });
    expect([...found.keys()].sort()).toEqual(Object.keys(expected.read).sort());
    for (const [name, { shape, values }] of Object.entries(expected.read)) {
      expect(found.get(name)!.shape).toEqual(shape);
      const { dtype, data } = found.get(name)!;
      expect([...data]).toEqual(dtype === "float32" ? values.map(Math.fround) : values);
    }
    expect(skipped.sort()).toEqual([...expected.skipped].sort());
  });

  test.each([1, 3, 5])("a file of pickle protocol %i reads as any other", async (protocol) => {
    const found = await read(fixture(`protocol${protocol}.pth`));
    expect([...found].map(([name, { data }]) => [name, ...data])).toEqual([
      ["w", 0, 1, 2, 3, 4, 5],
      ["tied", 0, 1, 2, 3, 4, 5],
    ]);
  });

  test("an integer over 32 bits is skipped with its value and place", async () => {
    const skipped: string[] = [];
    const big = tensor(storage("1", 3, "LongStorage"), [2], [1], 1);
    const numbers = BigInt64Array.of(2n ** 40n, 5n, -(2n ** 33n));
    const found = await read(wrapped(dict([text("W"), W()], [text("big"), big]), [six, numbers]), (name, why) =>
      skipped.push(`${name}: ${why}`),
    );
    expect([...found.keys()]).toEqual(["W"]);
    expect(skipped).toEqual([expect.stringMatching(/^big: it has the integer -8589934592 at position 1/)]);
  });

  test("one tensor of a storage is read though another of the same has an integer that does not fit", async () => {
    const part = (offset: number) => tensor(storage("0", 4, "LongStorage"), [2], [1], offset);
    const skipped: string[] = [];
    const bytes = wrapped(dict([text("a"), part(0)], [text("b"), part(2)]), [BigInt64Array.of(1n, 2n, 3n, 2n ** 31n)]);
    const found = await read(bytes, (name) => skipped.push(name));
    expect([[...found.keys()], [...found.get("a")!.data], skipped]).toEqual([["a"], [1, 2], ["b"]]);
  });

  test("a tensor under a key that is not a name is reported", async () => {
    const skipped: string[] = [];
    await read(wrapped(dict([text("W"), W()], [tuple(int(1)), W()])), (name) => skipped.push(name));
    expect(skipped).toEqual(["?"]);
    // ... and whatever is below such a key: {True: {"a": W, 1.5: [W]}}
    const below = dict([text("W"), W()], ["\x88", dict([text("a"), W()], [["G", ...new Array(8).fill(0)], list(W())])]);
    skipped.length = 0;
    await read(wrapped(below), (name) => skipped.push(name));
    expect(skipped).toEqual(["?.a", "?.?.0"]);
  });

  test("a file whose tensors are all of kinds that are not held is refused with the reasons", async () => {
    const complex = tensor(storage("0", 3, "ComplexFloatStorage"), [3], [1]);
    expect(await refusal(wrapped(dict([text("W"), complex])))).toMatch(
      /no tensor that can be read here; "W" was left out: it has numbers of the kind ComplexFloat\.$/,
    );
  });

  test("an index of several files may name tensors that are skipped", async () => {
    const complex = tensor(storage("1", 3, "ComplexFloatStorage"), [3], [1]);
    const skipped: string[] = [];
    const files = memoryFiles("m", {
      "pytorch_model.bin.index.json": JSON.stringify({ weight_map: { W: "1.bin", C: "1.bin" } }),
      "1.bin": wrapped(dict([text("W"), W()], [text("C"), complex])),
    });
    const found = await loadWeights(files, { onSkipped: (name) => skipped.push(name) });
    expect([[...found.keys()], skipped]).toEqual([["W"], ["C"]]);
  });
});

describe("names", () => {
  test("that two tensors come to are refused with both places", async () => {
    const bytes = wrapped(dict([text("a.b"), W()], [text("a"), dict([text("b"), W([3, 2])])]));
    expect(await refusal(bytes)).toContain('two tensors with the name "a.b": ["a.b"] and ["a"]["b"]');
    expect(await refusal(wrapped(dict([text("1"), W()], [int(1), W()])))).toContain('["1"] and [1]');
    expect(await refusal(wrapped(dict([text(""), dict([text("a"), W()])], [text("a"), W()])))).toContain('[""]["a"]');
  });

  test("of more than 10 000 characters are refused", async () => {
    const key = text("k".repeat(4000));
    expect(await refusal(wrapped(dict([key, dict([key, dict([key, W()])])])))).toMatch(/a name of 12002 characters/);
  });

  test.each(["__proto__", "constructor", "toString", ""])('may be "%s"', async (name) => {
    const found = await read(wrapped(dict([text(name), W()], [text("x"), dict([text(name), W()])])));
    expect([...found.keys()]).toEqual([name, `x.${name}`]);
  });
});

describe("tensors", () => {
  test("cannot be posed as: fields that a pickle sets are passed over, or refused", async () => {
    const fields = dict(
      [text("shape"), list(int(2))],
      [text("strides"), list(int(1))],
      [text("offset"), int(0)],
      [text("storage"), storage("0", 6)],
    );
    const posing = (of: Part) => wrapped(dict([text("W"), [of, fields, "b", dict([text("__proto__"), W()]), "b"]]));
    expect(await refusal(posing("]"))).toMatch(/sets fields on something that has none/);
    expect((await read(posing("}"))).size).toBe(0);
    expect([...(await read(posing(W()))).get("W")!.data]).toEqual([...six]);
  });

  test.each<[string, readonly number[], readonly number[], number, RegExp]>([
    ["more axes of strides than of the shape", [2, 3], [1], 0, /not built from/],
    ["a stride of 0 over 2^29 numbers", [2 ** 29], [0], 0, /would take 2147483648 bytes, but it has 24 bytes/],
    ["sizes whose product is beyond all numbers", [2 ** 40, 2 ** 40], [0, 0], 0, /out of bounds/],
    ["such sizes and a 0", [2 ** 40, 2 ** 40, 0], [0, 0, 0], 0, /out of bounds/],
    ["65 axes", new Array(65).fill(1), new Array(65).fill(1), 0, /out of bounds/],
    ["an offset beyond the storage", [1], [1], 6, /reaches number 6 of a storage that has 6/],
    ["a stride beyond the storage", [2], [2 ** 40], 0, /reaches number 1099511627776/],
  ])("with %s are refused", async (_, shape, strides, offset, message) => {
    expect(await refusal(wrapped(dict([text("W"), W(shape, strides, offset)])))).toMatch(message);
  });

  test("with negative numbers, or numbers that are none, are refused", async () => {
    for (const wrong of [["J", 255, 255, 255, 255], text("3"), "N", ["G", 0, 0, 0, 0, 0, 0, 0, 0]] as Part[]) {
      const of = [
        named("torch._utils", "_rebuild_tensor_v2"),
        tuple(storage("0", 6), int(0), tuple(wrong), tuple(int(1))),
        "R",
      ];
      expect(await refusal(wrapped(dict([text("W"), of])))).toMatch(/not built from/);
      const short = [tuple(text("storage"), named("torch", "FloatStorage"), text("0"), text("cpu"), wrong), "Q"];
      expect(await refusal(wrapped(dict([text("W"), tensor(short, [1], [1])])))).toMatch(/not a storage/);
    }
  });

  test("that look into one storage many times over are refused before any is read", async () => {
    const storages = [new Float32Array(1_000_000)];
    const of = tensor(storage("0", 1_000_000), [1000, 1000], [1000, 1]);
    const views = (n: number) =>
      wrapped(dict(...Array.from({ length: n }, (_, i): [Part, Part] => [text(`W${i}`), of])), storages);
    expect(await refusal(views(2000))).toMatch(/would take 8000000000 bytes, but it has 4000000 bytes of numbers/);
    expect((await read(views(4))).size).toBe(4); // weights that are tied, a moving average beside them
  });

  test("named many thousand times by nested lists are refused", async () => {
    const width = 300;
    const level = (of: number, put: number): Part => ["(", ...new Array(width).fill(["h", of]), "l", "q", put, "0"];
    for (const leaf of [W(), "N", "}"] as Part[]) {
      const laughs = [leaf, "q", 0, "0", level(0, 1), level(1, 2), level(2, 3), "h", 3];
      expect(await refusal(wrapped(laughs))).toMatch(
        /more than \d+ (values|tensors|lists and tensors)|two tensors with the name|would take/,
      );
    }
  });

  test("in a dictionary that contains itself twice are endless, which is reported", async () => {
    expect(await refusal(wrapped(["}q", 0, text("a"), "h", 0, "s", text("b"), "h", 0, "s"]))).toMatch(/levels deep/);
  });
});

test("any tensor of any shape, strides and offset reads as numbered, or is refused", async () => {
  const storageOf = Float32Array.from({ length: 40 }, (_, i) => i);
  const axis = fc.record({ n: fc.nat({ max: 5 }), stride: fc.nat({ max: 12 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(axis, { maxLength: 4 }), fc.nat({ max: 8 }), async (axes, offset) => {
      const shape = axes.map(({ n }) => n);
      const strides = axes.map(({ stride }) => stride);
      const of = tensor(storage("0", 40), shape, strides, offset);
      const twice = dict([text("W"), of], [text("all"), tensor(storage("0", 40), [40], [1])]);
      let expected = [offset];
      for (const { n, stride } of axes) {
        expected = expected.flatMap((at) => Array.from({ length: n }, (_, i) => at + i * stride));
      }
      const reaches = Math.max(...expected) < 40;
      for (const root of [dict([text("W"), of]), twice]) {
        const found = await read(wrapped(root, [storageOf])).catch((error: unknown) => {
          expect(error).toBeInstanceOf(FileFormatError);
        });
        expect(found !== undefined).toBe(reaches);
        if (found) {
          expect(found.get("W")!.shape).toEqual(shape);
          expect([...found.get("W")!.data]).toEqual(expected);
        }
      }
    }),
    { numRuns: 500 },
  );
});

describe("other files are called what they are", () => {
  const latin = (s: string) => bytesOf(s);
  test.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(0), /it is empty/],
    ["a web page", latin("<!DOCTYPE html><html><body>Sign in</body></html>"), /it is a web page/],
    ["a pointer of git's", latin("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"), /git lfs pull/],
    ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3), /gzip/],
    ["GGUF", latin("GGUF\x03\0\0\0aaaaaaaaaaaaaa"), /GGUF/],
    ["JSON", latin('{"model_type": "gpt2"}'), /JSON text/],
    ["a pickle", latin("\x80\x04\x95\x05\0\0\0\0\0\0\0}."), /plain Python pickle/],
  ])("%s", async (_, bytes, message) => {
    expect(await refusal(bytes)).toMatch(message);
  });
});

test("whatever is done to a pickle, an error is a sentence of ours", async () => {
  const base = pickle(dict([text("W"), W()], [text("n"), int(3)], [text("T"), W([3, 2], [1, 3])]));
  const change = fc.record({ at: fc.nat(), cut: fc.nat({ max: 3 }), put: fc.uint8Array({ maxLength: 4 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      let bytes = base;
      for (const { at, cut, put } of changes) {
        const from = at % (bytes.length + 1);
        bytes = bytesOf(bytes.subarray(0, from), put, bytes.subarray(from + cut));
      }
      await read(checkpoint(bytes, [six])).catch((error: unknown) => expect(error).toBeInstanceOf(GlassformerError));
    }),
    { numRuns: 1500 },
  );
});
