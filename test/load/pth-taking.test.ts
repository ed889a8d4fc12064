import fc from "fast-check";
import { expect, test } from "vitest";
import type { FileDType } from "../../src/load/dtypes.ts";
import { memorySource, readPth } from "../../src/load/index.ts";
import { lastNumber, Taking } from "../../src/load/pth-taking.ts";
import { PthStorage, PthTensor } from "../../src/load/pth-tensor.ts";
import { checkpoint, dict, type Part, pickle, storage, tensor, text } from "./torch-pickle.ts";

test("a tensor's numbers come out in order, however its storage is cut into pieces", () => {
  const axis = fc.record({ n: fc.nat({ max: 5 }), stride: fc.nat({ max: 30 }) });
  fc.assert(
    fc.property(
      fc.array(axis, { maxLength: 4 }),
      fc.nat({ max: 8 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (axes, offset, pieces) => {
        const tensor = new PthTensor(
          new PthStorage("0", "F32", 0),
          offset,
          axes.map(({ n }) => n),
          axes.map(({ stride }) => stride),
        );
        let expected = [offset];
        for (const { n, stride } of axes) {
          expected = expected.flatMap((at) => Array.from({ length: n }, (_, i) => at + i * stride));
        }
        const length = Math.max(lastNumber(tensor) + 1, offset) + 3;
        const numbers = Float32Array.from({ length }, (_, i) => i);
        const taking = new Taking(tensor, "F32", "W");
        for (let at = 0, i = 0; at < length; i++) {
          const piece = numbers.subarray(at, at + pieces[i % pieces.length]);
          taking.take(piece, at);
          at += piece.length;
        }
        expect([...taking.result()]).toEqual(expected);
      },
    ),
    { numRuns: 2000 },
  );
});

test.each<[FileDType, string, (n: number) => ArrayBufferView]>([
  ["F32", "FloatStorage", (n) => Float32Array.from({ length: n }, (_, i) => i % 1021)],
  ["F64", "DoubleStorage", (n) => Float64Array.from({ length: n }, (_, i) => i % 1021)],
  ["I64", "LongStorage", (n) => BigInt64Array.from({ length: n }, (_, i) => BigInt(i % 1021))],
  ["I16", "ShortStorage", (n) => Int16Array.from({ length: n }, (_, i) => i % 1021)],
  ["I8", "CharStorage", (n) => Int8Array.from({ length: n }, (_, i) => i % 101)],
  ["BOOL", "BoolStorage", (n) => Uint8Array.from({ length: n }, (_, i) => i % 2)],
])("numbers of %s in storages over several pieces are those that were written", async (dtype, type, make) => {
  const [rows, cols] = [1100, 5003]; // 5.5 million: over the 4 MB window, and no multiple of a piece
  const numbers = make(rows * cols);
  const modulus = dtype === "BOOL" ? 2 : dtype === "I8" ? 101 : 1021;
  const at = (key: string, shape: number[], strides: number[], offset = 0) =>
    tensor(storage(key, rows * cols, type), shape, strides, offset);
  const pairs: [Part, Part][] = [
    [text("alone"), at("0", [rows, cols], [cols, 1])],
    [text("turned"), at("1", [cols, rows], [1, cols])],
    [text("rows"), at("2", [100, cols], [cols, 1], 900 * cols + 7 - cols)],
    [text("columns"), at("2", [rows, 3], [cols, 2500], 2)],
  ];
  const bytes = checkpoint(pickle(dict(...pairs)), [numbers, numbers, numbers]);
  const found = await readPth(memorySource("m.pth", bytes));
  const wrong = (name: string, place: (i: number) => number) =>
    found.get(name)!.data.findIndex((n: number, i: number) => n !== place(i) % modulus);
  expect(wrong("alone", (i) => i)).toBe(-1);
  expect(wrong("turned", (i) => (i % rows) * cols + Math.floor(i / rows))).toBe(-1);
  expect(wrong("rows", (i) => 899 * cols + 7 + i)).toBe(-1);
  expect(wrong("columns", (i) => Math.floor(i / 3) * cols + 2 + (i % 3) * 2500)).toBe(-1);
});
