/**
 * The two 16-bit float formats of weight files. float16 (IEEE 754 binary16): sign, 5 exponent bits, 10 fraction bits;
 * bfloat16: the upper half of a float32. Both widen to float32 exactly; narrowing rounds to nearest, ties to even. And the numbers of the
 * 4-bit one.
 */

/** The sixteen numbers of a 4-bit float, E2M1, doubled so that they are whole. */
export const E2M1_DOUBLED = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

/** Every float16 as float32, by its bits: 256 KB that make decoding one lookup per number. Built on first use. */
let float16Table: Float32Array | undefined;

/** Every float16 by its 16 bits. */
export function float16Numbers(): Float32Array {
  float16Table ??= buildFloat16Table();
  return float16Table;
}

function buildFloat16Table(): Float32Array {
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const magnitude =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent === 31
          ? fraction === 0
            ? Infinity
            : NaN
          : (1024 + fraction) * 2 ** (exponent - 25);
    table[bits] = bits & 0x8000 ? -magnitude : magnitude;
  }
  return table;
}

/** Into `out`, from number `at` on. */
export function decodeFloat16(
  bits: Uint16Array,
  out: Float32Array = new Float32Array(bits.length),
  at = 0,
): Float32Array {
  const table = float16Numbers();
  for (let i = 0; i < bits.length; i++) out[at + i] = table[bits[i]];
  return out;
}

/** Into `out`, from number `at` on. */
export function decodeBfloat16(
  bits: Uint16Array,
  out: Float32Array = new Float32Array(bits.length),
  at = 0,
): Float32Array {
  const wide = new Int32Array(out.buffer, out.byteOffset + 4 * at, bits.length); // the exact bits, even of NaN
  for (let i = 0; i < bits.length; i++) wide[i] = bits[i] << 16;
  return out;
}

/** float32 to the nearest float16. Above 65504 by half a unit or more: infinity. */
export function encodeFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const sign = (bits[i] >>> 16) & 0x8000;
    const magnitude = bits[i] & 0x7fffffff;
    if (magnitude > 0x7f800000) out[i] = sign | 0x7e00;
    else if (magnitude >= 0x38800000) {
      // A normal float16 (2^-14 and up): rebase the exponent, then drop 13 fraction bits. A carry out of the fraction
      // correctly increments the exponent; past the largest number it gives infinity.
      out[i] = sign | Math.min(roundShift(magnitude - 0x38000000, 13), 0x7c00);
    } else {
      // A subnormal float16 counts in units of 2^-24; the product is exact, so only `roundEven` rounds.
      out[i] = sign | roundEven(Math.abs(values[i]) * 2 ** 24);
    }
  }
  return out;
}

/** float32 to the nearest bfloat16. */
export function encodeBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const notANumber = (bits[i] & 0x7fffffff) > 0x7f800000;
    out[i] = notANumber ? (bits[i] >>> 16) | 0x40 : roundShift(bits[i], 16);
  }
  return out;
}

/** `value >> shift`, rounded to nearest, ties to even. */
function roundShift(value: number, shift: number): number {
  const odd = (value >>> shift) & 1;
  return Math.floor((value + (1 << (shift - 1)) - 1 + odd) / 2 ** shift);
}

function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
