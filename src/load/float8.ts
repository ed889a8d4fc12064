/**
 * The float8 formats of weight files, under their safetensors names: a sign, 4 or 5 bits of exponent, 3 or 2 of fraction.
 * E4M3 ("fn") has no infinity, and NaN only where all bits but the sign are set; E5M2 has both, as float16 does. The FNUZ
 * forms have one more in the exponent's bias, no infinity and no -0: those bits are their only NaN.
 * Source: Micikevicius et al. 2022, "FP8 formats for deep learning"; PyTorch's c10/util/Float8_*.h
 */

interface Format {
  readonly fractionBits: 2 | 3;
  readonly bias: number;
  /** Numbers that the bits of the exponent and the fraction do not give. */
  special(magnitude: number, negative: boolean): number | undefined;
}

const FORMATS = {
  F8_E4M3: { fractionBits: 3, bias: 7, special: (m) => (m === 0x7f ? Number.NaN : undefined) },
  F8_E5M2: {
    fractionBits: 2,
    bias: 15,
    special: (m) => (m < 0x7c ? undefined : m === 0x7c ? Number.POSITIVE_INFINITY : Number.NaN),
  },
  F8_E4M3FNUZ: { fractionBits: 3, bias: 8, special: (m, negative) => (negative && m === 0 ? Number.NaN : undefined) },
  F8_E5M2FNUZ: { fractionBits: 2, bias: 16, special: (m, negative) => (negative && m === 0 ? Number.NaN : undefined) },
} satisfies Record<string, Format>;

export type Float8 = keyof typeof FORMATS;

export function isFloat8(dtype: string): dtype is Float8 {
  return Object.hasOwn(FORMATS, dtype);
}

/** Each format's 256 numbers by their bits, built on first use. */
const tables = new Map<Float8, Float32Array>();

function tableOf(dtype: Float8): Float32Array {
  const found = tables.get(dtype);
  if (found) return found;
  const { fractionBits, bias, special }: Format = FORMATS[dtype];
  const table = new Float32Array(256);
  for (let bits = 0; bits < 256; bits++) {
    const negative = bits >= 0x80;
    const magnitude = bits & 0x7f;
    const exponent = magnitude >> fractionBits;
    const fraction = (magnitude & ((1 << fractionBits) - 1)) / (1 << fractionBits);
    const value =
      special(magnitude, negative) ??
      (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
    table[bits] = negative ? -value : value;
  }
  tables.set(dtype, table);
  return table;
}

/** Into `out`, from number `at` on. */
export function decodeFloat8(dtype: Float8, bytes: Uint8Array, out: Float32Array, at: number): void {
  const table = tableOf(dtype);
  for (let i = 0; i < bytes.length; i++) out[at + i] = table[bytes[i]];
}
