/** Matrices in MXFP4, as OpenAI stores the experts of gpt-oss: 4-bit floats, and for each 32 of them a power of two. */
import { type NDArray, zeros } from "../../tensor/array.ts";
import { WeightsError } from "../../tensor/errors.ts";
import { E2M1_DOUBLED } from "../../tensor/floats.ts";
import type { SeveralSource } from "./checkpoint.ts";
import { transposeRows } from "./layout.ts";

/** Numbers that share a scale, and the bytes that they take. */
const [BLOCK, BYTES] = [32, 16];

/** The sixteen numbers under each scale's byte, of which 255 is NaN. */
const NUMBERS = Float32Array.from({ length: 256 * 16 }, (_, i) => {
  const scale = i >> 4;
  return scale === 255 ? Number.NaN : E2M1_DOUBLED[i & 15] * 2 ** (scale - 128);
});

/** Rows that are decoded before they are put into the columns of a matrix. */
const ROWS = 32;

/** How the arrays of some experts lie: how many there are, and which rows of an expert are the matrix': each `every`-th, from `from` on. */
export interface Mxfp4Place {
  readonly count: number;
  readonly expert: number;
  readonly every: number;
  readonly from: number;
}

/**
 * An expert's matrix [in out], of `NAME_blocks` uint8 [expert, every · out, in / 32, 16] and `NAME_scales` uint8
 * [expert, every · out, in / 32]: a byte has an even place in its lower and the next in its upper half, and
 * `x = 2^(scale - 127) · E2M1`. Source: Open Compute Project, Microscaling Formats 1.0; transformers' `convert_moe_packed_tensors`.
 */
export function mxfp4(name: string, { count, expert, every, from }: Mxfp4Place): SeveralSource {
  const [blocks, scales] = [`${name}_blocks`, `${name}_scales`];
  const shape = ([into, out]: readonly number[]) => [count, every * out, blocksIn(into, name)];
  return {
    arrays: [
      { name: blocks, part: expert, shape: (spec) => [...shape(spec.shape), BYTES] },
      { name: scales, part: expert, shape: (spec) => shape(spec.shape) },
    ],
    read([bytes, exponents], spec) {
      const packed = { bytes: bytesOf(blocks, bytes), exponents: bytesOf(scales, exponents) };
      const [into, out] = spec.shape;
      const weight = zeros("float32", spec.shape);
      const rows = new Float32Array(ROWS * into);
      for (let first = 0; first < out; first += ROWS) {
        const some = Math.min(ROWS, out - first);
        for (let i = 0; i < some; i++) decodeRow(packed, every * (first + i) + from, into, rows, i * into);
        transposeRows(rows.subarray(0, some * into), first, into, weight.data, out);
      }
      return weight;
    },
  };
}

function decodeRow(
  { bytes, exponents }: Readonly<Record<"bytes" | "exponents", Int32Array>>,
  row: number,
  into: number,
  rows: Float32Array,
  at: number,
): void {
  const blocks = into / BLOCK;
  for (let block = row * blocks; block < (row + 1) * blocks; block++) {
    const scale = exponents[block] << 4;
    const end = (block + 1) * BYTES;
    for (let b = block * BYTES; b < end; b++) {
      const two = bytes[b];
      rows[at] = NUMBERS[scale | (two & 15)];
      rows[at + 1] = NUMBERS[scale | (two >> 4)];
      at += 2;
    }
  }
}

/** @throws WeightsError for rows that are not whole blocks */
function blocksIn(size: number, name: string): number {
  if (size % BLOCK === 0) return size / BLOCK;
  throw new WeightsError(
    `"${name}" is stored in MXFP4, in blocks of ${BLOCK} numbers, but the configuration says rows of ${size}. Correct the config.json.`,
    { asked: size, found: BLOCK },
  );
}

/** @throws WeightsError for an array of anything else */
function bytesOf(name: string, { dtype, data }: NDArray): Int32Array {
  const refuse = (what: string, found: unknown): never => {
    throw new WeightsError(`Weight "${name}" holds ${what}, but as a part of MXFP4 it must hold bytes (uint8).`, {
      asked: name,
      found,
    });
  };
  if (!(data instanceof Int32Array)) return refuse(dtype, dtype);
  let bits = 0;
  for (let i = 0; i < data.length; i++) bits |= data[i];
  return bits >>> 8 === 0 ? data : refuse("numbers beyond 0 to 255", bits);
}
