/**
 * GGML's quantised blocks as float32: a block's few numbers of scale, then whole numbers of a few bits. Each number is
 * rounded to float32 after each operation, as in ggml's own code, so that results are the same to the last bit.
 * Source: llama.cpp 0.5.0, ggml/src/ggml-common.h (layouts), ggml-quants.c (dequantize_row_*)
 */
import { E2M1_DOUBLED, float16Numbers } from "../tensor/floats.ts";

/** A kind of block. */
export interface BlockKind {
  /** Numbers in a block, and its bytes. */
  readonly numbers: number;
  readonly bytes: number;
  /** The blocks in `bytes` into `out`, from number `at` on. */
  decode(bytes: Uint8Array, out: Float32Array, at: number): void;
}

const round = Math.fround;

/** A kind whose blocks are decoded one by one. @param one a block at byte `b`, into `out` from `o` on */
function kind(
  numbers: number,
  bytes: number,
  one: (data: Uint8Array, b: number, out: Float32Array, o: number, half: (at: number) => number) => void,
): BlockKind {
  return {
    numbers,
    bytes,
    decode(data, out, at) {
      const halves = float16Numbers();
      const half = (b: number) => halves[data[b] | (data[b + 1] << 8)];
      for (let b = 0, o = at; b < data.length; b += bytes, o += numbers) one(data, b, out, o, half);
    },
  };
}

const signed = (byte: number): number => (byte << 24) >> 24;

/** d, then 32 x 4 bits: the lower halves of 16 bytes, then the upper ones. x = d (q - 8) */
const Q4_0 = kind(32, 18, (data, b, out, o, half) => {
  const d = half(b);
  for (let i = 0; i < 16; i++) {
    const q = data[b + 2 + i];
    out[o + i] = d * ((q & 15) - 8);
    out[o + 16 + i] = d * ((q >> 4) - 8);
  }
});

/** d, m, then as Q4_0. x = d q + m */
const Q4_1 = kind(32, 20, (data, b, out, o, half) => {
  const [d, m] = [half(b), half(b + 2)];
  for (let i = 0; i < 16; i++) {
    const q = data[b + 4 + i];
    out[o + i] = round(d * (q & 15)) + m;
    out[o + 16 + i] = round(d * (q >> 4)) + m;
  }
});

/** d, 32 fifth bits, then as Q4_0. x = d (q - 16) */
const Q5_0 = kind(32, 22, (data, b, out, o, half) => {
  const d = half(b);
  for (let i = 0; i < 16; i++) {
    const q = data[b + 6 + i];
    out[o + i] = d * (((q & 15) | fifth(data, b + 2, i)) - 16);
    out[o + 16 + i] = d * (((q >> 4) | fifth(data, b + 2, 16 + i)) - 16);
  }
});

/** d, m, 32 fifth bits, then as Q4_0. x = d q + m */
const Q5_1 = kind(32, 24, (data, b, out, o, half) => {
  const [d, m] = [half(b), half(b + 2)];
  for (let i = 0; i < 16; i++) {
    const q = data[b + 8 + i];
    out[o + i] = round(d * ((q & 15) | fifth(data, b + 4, i))) + m;
    out[o + 16 + i] = round(d * ((q >> 4) | fifth(data, b + 4, 16 + i))) + m;
  }
});

const fifth = (data: Uint8Array, b: number, i: number): number => ((data[b + (i >> 3)] >> (i & 7)) & 1) << 4;

/** d, then 32 x 8 bits with a sign. x = d q */
const Q8_0 = kind(32, 34, (data, b, out, o, half) => {
  const d = half(b);
  for (let i = 0; i < 32; i++) out[o + i] = d * signed(data[b + 2 + i]);
});

/** 16 x (4 bits of scale, 4 of minimum), 256 x 2 bits, d, dmin. x = d s q - dmin m, each s and m for 16 numbers */
const Q2_K = kind(256, 84, (data, b, out, o, half) => {
  const [d, dmin] = [half(b + 80), half(b + 82)];
  for (let group = 0; group < 16; group++) {
    const scale = round(d * (data[b + group] & 15));
    const least = round(dmin * (data[b + group] >> 4));
    const at = b + 16 + 32 * (group >> 3) + 16 * (group & 1);
    const shift = 2 * ((group >> 1) & 3);
    for (let i = 0; i < 16; i++) out[o + 16 * group + i] = round(scale * ((data[at + i] >> shift) & 3)) - least;
  }
});

/** 256 third bits, 256 x 2 bits, 16 scales of 6 bits in 12 bytes, d. x = d (s - 32) (q - 4 where the third bit is 0) */
const Q3_K = kind(256, 110, (data, b, out, o, half) => {
  const d = half(b + 108);
  const scales = b + 96;
  for (let group = 0; group < 16; group++) {
    const low = group < 8 ? data[scales + group] & 15 : data[scales + group - 8] >> 4;
    const high = (data[scales + 8 + (group & 3)] >> (2 * (group >> 2))) & 3;
    const scale = round(d * ((low | (high << 4)) - 32));
    const within = 16 * (group & 1);
    const at = b + 32 + 32 * (group >> 3) + within;
    const shift = 2 * ((group >> 1) & 3);
    for (let i = 0; i < 16; i++) {
      const third = (data[b + within + i] >> (group >> 1)) & 1;
      out[o + 16 * group + i] = scale * (((data[at + i] >> shift) & 3) - (third ? 0 : 4));
    }
  }
});

/** The scale and the minimum, 6 bits each, of one of eight groups of 32 numbers in 12 bytes. */
function scaleAndMinimum(data: Uint8Array, b: number, group: number): readonly [number, number] {
  if (group < 4) return [data[b + group] & 63, data[b + 4 + group] & 63];
  const rest = data[b + 4 + group];
  return [(rest & 15) | ((data[b + group - 4] >> 6) << 4), (rest >> 4) | ((data[b + group] >> 6) << 4)];
}

/** d, dmin, 8 scales and minimums, 256 x 4 bits: of 64 numbers the lower halves of 32 bytes, then the upper ones. */
const Q4_K = kind(256, 144, (data, b, out, o, half) => {
  const [d, dmin] = [half(b), half(b + 2)];
  for (let group = 0; group < 8; group++) {
    const [s, m] = scaleAndMinimum(data, b + 4, group);
    const [scale, least] = [round(d * s), round(dmin * m)];
    const at = b + 16 + 32 * (group >> 1);
    const shift = 4 * (group & 1);
    for (let i = 0; i < 32; i++) out[o + 32 * group + i] = round(scale * ((data[at + i] >> shift) & 15)) - least;
  }
});

/** As Q4_K, with 256 fifth bits before the four. */
const Q5_K = kind(256, 176, (data, b, out, o, half) => {
  const [d, dmin] = [half(b), half(b + 2)];
  for (let group = 0; group < 8; group++) {
    const [s, m] = scaleAndMinimum(data, b + 4, group);
    const [scale, least] = [round(d * s), round(dmin * m)];
    const at = b + 48 + 32 * (group >> 1);
    const shift = 4 * (group & 1);
    for (let i = 0; i < 32; i++) {
      const q = ((data[at + i] >> shift) & 15) | (((data[b + 16 + i] >> group) & 1) << 4);
      out[o + 32 * group + i] = round(scale * q) - least;
    }
  }
});

/** 256 x 4 bits, 256 x 2 upper bits, 16 scales of 8 bits with a sign, d. x = d s (q - 32) */
const Q6_K = kind(256, 210, (data, b, out, o, half) => {
  const d = half(b + 208);
  for (let group = 0; group < 16; group++) {
    const scale = round(d * signed(data[b + 192 + group]));
    const [part, row, within] = [group >> 3, (group >> 1) & 3, 16 * (group & 1)];
    const low = b + 64 * part + 32 * (row & 1) + within;
    const high = b + 128 + 32 * part + within;
    const shift = 4 * (row >> 1);
    for (let i = 0; i < 16; i++) {
      const q = ((data[low + i] >> shift) & 15) | (((data[high + i] >> (2 * row)) & 3) << 4);
      out[o + 16 * group + i] = scale * (q - 32);
    }
  }
});

/** An exponent of 8 bits, then as Q4_0 of 4-bit floats. x = 2^(e - 128) E2M1_DOUBLED[q] */
const MXFP4 = kind(32, 17, (data, b, out, o) => {
  const scale = 2 ** (data[b] - 128);
  for (let i = 0; i < 16; i++) {
    const q = data[b + 1 + i];
    out[o + i] = scale * E2M1_DOUBLED[q & 15];
    out[o + 16 + i] = scale * E2M1_DOUBLED[q >> 4];
  }
});

export const BLOCKS = { Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, MXFP4 } as const;
