import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from "../../src/tensor/floats.ts";

const all16 = Uint16Array.from({ length: 65536 }, (_, i) => i);

test("float16 decodes the example values of IEEE 754", () => {
  const bits = [0x3c00, 0xc000, 0x7bff, 0x0400, 0x03ff, 0x0001, 0x0000, 0x7c00, 0xfc00, 0x3555];
  const values = [1, -2, 65504, 2 ** -14, 1023 * 2 ** -24, 2 ** -24, 0, Infinity, -Infinity, 0.333251953125];
  expect([...decodeFloat16(Uint16Array.from(bits))]).toEqual(values);
  expect(decodeFloat16(Uint16Array.of(0x8000))[0]).toBe(-0);
  expect(decodeFloat16(Uint16Array.of(0x7e00))[0]).toBeNaN();
});

test("every float16 and bfloat16 except NaNs survives the way through float32 bit for bit", () => {
  for (const [decode, encode] of [
    [decodeFloat16, encodeFloat16],
    [decodeBfloat16, encodeBfloat16],
  ] as const) {
    const values = decode(all16);
    const back = encode(values);
    const wrong = all16.filter((bits) => back[bits] !== bits && !Number.isNaN(values[bits]));
    expect([...wrong]).toEqual([]);
    expect(decode(encode(Float32Array.of(NaN)))[0]).toBeNaN();
  }
});

test("encoding rounds to the nearest value, and ties to the one with an even last bit", () => {
  for (const [decode, encode, largest] of [
    [decodeFloat16, encodeFloat16, 65504],
    [decodeBfloat16, encodeBfloat16, 3.38e38],
  ] as const) {
    fc.assert(
      fc.property(fc.float({ min: Math.fround(-largest), max: Math.fround(largest), noNaN: true }), (x) => {
        const bits = encode(Float32Array.of(x))[0];
        const at = (b: number) => decode(Uint16Array.of(b))[0];
        const miss = Math.abs(at(bits) - x);
        for (const neighbour of [bits - 1, bits + 1]) {
          if (neighbour < 0 || neighbour > 0xffff) continue;
          const other = Math.abs(at(neighbour) - x);
          if (Number.isFinite(other))
            expect(miss < other || (miss === other && bits % 2 === 0) || at(bits) === 0).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  }
  expect(encodeFloat16(Float32Array.of(65519, 65520, 1e10, -1e10))).toEqual(
    Uint16Array.of(0x7bff, 0x7c00, 0x7c00, 0xfc00),
  );
  expect(encodeFloat16(Float32Array.of(2 ** -25, 3 * 2 ** -25, 2 ** -26))).toEqual(Uint16Array.of(0, 2, 0));
});
