/**
 * Weights that are kept in fewer bits than they are computed with. What computes sees float32; the numbers in memory are
 * float16, bfloat16, or integers that share a scale in blocks of 32.
 */
import { type NDArray, sizeOf } from "./array.ts";
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from "./floats.ts";

/** How weights can be kept. */
export const KEPT_DTYPES = ["float32", "float16", "bfloat16", "int8", "int4"] as const;
/** A way of keeping weights. */
export type KeptDType = (typeof KEPT_DTYPES)[number];
type Narrow = Exclude<KeptDType, "float32">;

/** How many numbers share a scale. */
export const BLOCK = 32;

/** Bits of a code, and whether blocks of codes have a scale. */
export const FORMATS: Readonly<Record<Narrow, { readonly bits: number; readonly scaled: boolean }>> = {
  float16: { bits: 16, scaled: false },
  bfloat16: { bits: 16, scaled: false },
  int8: { bits: 8, scaled: true },
  int4: { bits: 4, scaled: true },
};

/**
 * How a weight's numbers lie when they are kept. Its axes are seen as three, [pre k post]; in memory they are rows
 * [pre post], each with its k numbers one after the other: k is what a product sums over.
 */
export interface KeptLayout {
  readonly pre: number;
  readonly k: number;
  readonly post: number;
}

/** A weight's numbers in fewer bits. */
export interface Kept extends KeptLayout {
  readonly dtype: Narrow;
  /** [row k], of int8 and int4 with k filled up to whole blocks; two of int4 in a byte, the first in its lower half. */
  readonly codes: Uint16Array | Uint8Array;
  /** [row block], where there are scales: a number is `(code - zero) · scale`, with zero 8 or 128. */
  readonly scales: Float32Array | undefined;
}

/** A float32 array whose numbers are kept in fewer bits: each reading of `data` decodes them. */
export class KeptArray implements NDArray<"float32"> {
  readonly dtype = "float32";
  readonly shape: readonly number[];
  readonly kept: Kept;

  constructor(shape: readonly number[], kept: Kept) {
    this.shape = shape;
    this.kept = kept;
  }

  get data(): Float32Array {
    return unpacked(this.kept);
  }
}

/** How an array is kept, if it is. */
export function keptOf(array: NDArray | undefined): Kept | undefined {
  return array instanceof KeptArray ? array.kept : undefined;
}

/** What stands for an array's numbers: the same object for as long as they are the same. */
export function identityOf(array: NDArray): object {
  return keptOf(array)?.codes ?? array.data;
}

/** How many numbers an array has. */
export function countOf(array: NDArray): number {
  return keptOf(array) ? sizeOf(array.shape) : array.data.length;
}

/** The bytes that an array's numbers take. */
export function bytesOf(array: NDArray): number {
  const kept = keptOf(array);
  if (!kept) return array.data.byteLength;
  return kept.codes.byteLength + (kept.scales?.byteLength ?? 0);
}

/** The bytes that this many rows of k numbers take. */
export function keptSize(dtype: KeptDType, rows: number, k: number): number {
  if (dtype === "float32") return 4 * rows * k;
  const { bits, scaled } = FORMATS[dtype];
  const blocks = Math.ceil(k / BLOCK);
  return scaled ? rows * blocks * (4 + (BLOCK * bits) / 8) : (rows * k * bits) / 8;
}

/**
 * The same numbers, kept in fewer bits: the nearest float16 or bfloat16, or for integers the nearest multiple of a block's
 * scale, which is its number with the largest magnitude over -8 or -128. What was kept so and read again is kept without a change.
 */
export function keep(array: NDArray<"float32">, layout: KeptLayout, dtype: Narrow): KeptArray {
  const isFloat = dtype === "float16" || dtype === "bfloat16";
  const kept = isFloat ? rounded(array.data, layout, dtype) : quantized(array.data, layout, FORMATS[dtype].bits);
  return new KeptArray(array.shape, { ...layout, ...kept, dtype });
}

/** Calls back with each row: its number, where its first number is in the array, and how far apart its numbers are. */
function eachRow({ pre, k, post }: KeptLayout, row: (r: number, first: number, stride: number) => void): void {
  for (let p = 0, r = 0; p < pre; p++) for (let q = 0; q < post; q++, r++) row(r, p * k * post + q, post);
}

function quantized(data: Float32Array, layout: KeptLayout, bits: number): Pick<Kept, "codes" | "scales"> {
  const { k, pre, post } = layout;
  const [zero, most] = [2 ** (bits - 1), 2 ** bits - 1];
  const blocks = Math.ceil(k / BLOCK);
  const perByte = 8 / bits;
  const codes = new Uint8Array((pre * post * blocks * BLOCK) / perByte).fill(bits === 4 ? zero * 17 : zero);
  const scales = new Float32Array(pre * post * blocks);
  eachRow(layout, (r, first, stride) => {
    for (let b = 0; b < blocks; b++) {
      const [from, to] = [b * BLOCK, Math.min((b + 1) * BLOCK, k)];
      let extreme = 0;
      for (let i = from; i < to; i++) {
        const x = data[first + i * stride];
        if (Math.abs(x) > Math.abs(extreme)) extreme = x;
      }
      scales[r * blocks + b] = extreme / -zero;
      const scale = scales[r * blocks + b];
      if (scale === 0) continue;
      for (let i = from; i < to; i++) {
        const code = Math.min(Math.max(Math.round(data[first + i * stride] / scale) + zero, 0), most);
        const at = r * blocks * BLOCK + i;
        if (bits === 8) codes[at] = code;
        else codes[at >> 1] = at & 1 ? (codes[at >> 1] & 15) | (code << 4) : (codes[at >> 1] & 240) | code;
      }
    }
  });
  return { codes, scales };
}

function rounded(
  data: Float32Array,
  layout: KeptLayout,
  dtype: "float16" | "bfloat16",
): Pick<Kept, "codes" | "scales"> {
  const { k, pre, post } = layout;
  const inOrder = dtype === "bfloat16" ? encodeBfloat16(data) : encodeFloat16(data);
  if (post === 1) return { codes: inOrder, scales: undefined };
  const codes = new Uint16Array(pre * post * k);
  eachRow(layout, (r, first, stride) => {
    for (let i = 0; i < k; i++) codes[r * k + i] = inOrder[first + i * stride];
  });
  return { codes, scales: undefined };
}

/** The numbers in float32, [pre k post]. */
function unpacked(kept: Kept): Float32Array {
  const { dtype, pre, k, post, codes, scales } = kept;
  const data = new Float32Array(sizeOf([pre, k, post]));
  if (dtype === "float16" || dtype === "bfloat16") {
    const decode = dtype === "bfloat16" ? decodeBfloat16 : decodeFloat16;
    const row = new Float32Array(k);
    eachRow(kept, (r, first, stride) => {
      decode(codes.subarray(r * k, (r + 1) * k) as Uint16Array, row);
      for (let i = 0; i < k; i++) data[first + i * stride] = row[i];
    });
    return data;
  }
  const blocks = Math.ceil(k / BLOCK);
  const zero = dtype === "int8" ? 128 : 8;
  eachRow(kept, (r, first, stride) => {
    for (let i = 0; i < k; i++) {
      const at = r * blocks * BLOCK + i;
      const code = dtype === "int8" ? codes[at] : (codes[at >> 1] >> (4 * (at & 1))) & 15;
      data[first + i * stride] = (code - zero) * scales![r * blocks + Math.floor(i / BLOCK)];
    }
  });
  return data;
}
