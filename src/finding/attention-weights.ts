/**
 * Attention patterns in few bytes. A model of 144 heads has 151 million weights on 1024 tokens, most of them tiny: the large
 * ones are kept one by one, rounded, and the others of a query as their mean.
 */
import { base64, fromBase64 } from "../tensor/base64.ts";
import type { AttentionSpec, PackedPattern, PlainPattern } from "./picture.ts";

/** Up to this many weights stay plain numbers. */
const MOST_PLAIN = 40_000;
/** The most weights of a picture that are kept one by one: about 8 MB. */
const MOST_KEPT = 4_000_000;
const SKIPS = 64;
const LEVELS = 191;
const OCTAVES = 10;

/** A head's weights, `weights[query · tokens + key]`, and the norms of its values where they are known. */
export interface HeadWeights {
  readonly name: string;
  readonly weights: ArrayLike<number | null>;
  readonly valueNorms?: Float32Array;
}

/** Heads as a picture has them: few weights as plain numbers, and many packed if none is negative or missing. */
export function storedHeads(heads: readonly HeadWeights[], tokens: number): AttentionSpec["heads"] {
  if (heads.length * tokens ** 2 <= MOST_PLAIN || !heads.every(({ weights }) => canPack(weights))) {
    return heads.map(({ name, weights, valueNorms }) => ({
      ...{ name, pattern: rowsOf(weights, tokens) },
      ...(valueNorms ? { valueNorms: Array.from(valueNorms) } : {}),
    }));
  }
  const most = keptPerQuery(heads.length, tokens);
  return heads.map(({ name, weights, valueNorms }) => ({
    ...{ name, pattern: packPattern(weights as ArrayLike<number>, tokens, most) },
    ...(valueNorms ? { valueNorms: packFloats(valueNorms) } : {}),
  }));
}

function canPack(weights: ArrayLike<number | null>): boolean {
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i];
    if (weight === null || !(weight >= 0)) return false;
  }
  return true;
}

function rowsOf(weights: ArrayLike<number | null>, tokens: number): (number | null)[][] {
  const row = (query: number) => Array.from({ length: tokens }, (_, key) => weights[query * tokens + key]);
  return Array.from({ length: tokens }, (_, query) => row(query));
}

/** float32, little endian, in base64. */
function packFloats(values: Float32Array): string {
  return base64(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

/** What `valueNorms` of a picture's head are. */
export function valueNormsOf(norms: readonly number[] | string): Float32Array {
  return typeof norms === "string" ? new Float32Array(fromBase64(norms).buffer) : Float32Array.from(norms);
}

/** How many weights of each query are kept one by one at most, so that the picture keeps at most four million. */
export function keptPerQuery(heads: number, tokens: number): number {
  return Math.max(1, Math.min(tokens, Math.floor(MOST_KEPT / Math.max(1, heads * tokens))));
}

/**
 * Packs one pattern, `weights[query · tokens + key]`. Of each query at most `most` weights are kept one by one: the largest, and of those
 * with one level all or none.
 */
export function packPattern(weights: ArrayLike<number>, tokens: number, most: number): PackedPattern {
  const { largest, causal } = surveyed(weights, tokens);
  const bytes: number[] = [];
  const rest = new Float32Array(tokens);
  const levels = new Uint8Array(tokens);
  const counts = new Uint32Array(256);
  let [total, left] = [0, 0];
  for (let query = 0; query < tokens; query++) {
    const keys = causal ? query + 1 : tokens;
    const from = query * tokens;
    counts.fill(0);
    for (let key = 0; key < keys; key++) counts[(levels[key] = levelOf(weights[from + key], largest))]++;
    const least = leastKept(counts, most);
    let [sum, count, skip] = [0, 0, 0];
    for (let key = 0; key < keys; key++) {
      const weight = weights[from + key];
      total += weight;
      if (levels[key] < least) {
        sum += weight;
        count++;
        skip++;
        continue;
      }
      skip = skipped(bytes, skip);
      bytes.push(levels[key]);
    }
    skipped(bytes, skip);
    rest[query] = count > 0 ? sum / count : 0;
    left += sum;
  }
  return {
    weights: base64(Uint8Array.from(bytes)),
    rest: packFloats(rest),
    ...{ largest, causal, left: total > 0 ? left / total : 0 },
  };
}

/** All weights, `[query · tokens + key]`; NaN for a gap. */
export function denseWeights(pattern: PlainPattern | PackedPattern, tokens: number): Float32Array {
  const dense = new Float32Array(tokens * tokens);
  if (!isPacked(pattern)) {
    pattern.forEach((row, query) => {
      row.forEach((weight, key) => {
        dense[query * tokens + key] = weight ?? Number.NaN;
      });
    });
    return dense;
  }
  walkPacked(pattern, tokens, (query, from, to, weight) => {
    const row = query * tokens;
    if (to === from + 1) dense[row + from] = weight;
    else dense.fill(weight, row + from, row + to);
  });
  return dense;
}

/** Goes through a packed pattern, query by query: `visit` gets one kept weight, or the mean of keys `from` up to, but not including, `to`. */
export function walkPacked(
  pattern: PackedPattern,
  tokens: number,
  visit: (query: number, from: number, to: number, weight: number) => void,
): void {
  const bytes = fromBase64(pattern.weights);
  const rest = new Float32Array(fromBase64(pattern.rest).buffer);
  const steps = Float64Array.from({ length: 256 }, (_, b) => pattern.largest * 2 ** ((-OCTAVES * (255 - b)) / LEVELS));
  let next = 0;
  for (let query = 0; query < tokens; query++) {
    const keys = pattern.causal ? query + 1 : tokens;
    for (let key = 0; key < keys; ) {
      const byte = bytes[next++];
      const from = key;
      key += byte >= SKIPS ? 1 : byte + 1;
      visit(query, from, key, byte >= SKIPS ? steps[byte] : rest[query]);
    }
  }
}

export function isPacked(pattern: PlainPattern | PackedPattern): pattern is PackedPattern {
  return "weights" in pattern;
}

/** The range of all weights of a pattern; undefined if there are none. */
export function weightRange(pattern: PlainPattern | PackedPattern): readonly [number, number] | undefined {
  if (isPacked(pattern)) return [0, pattern.largest];
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const row of pattern) {
    for (const weight of row) {
      if (weight === null) continue;
      if (weight < low) low = weight;
      if (weight > high) high = weight;
    }
  }
  return low <= high ? [low, high] : undefined;
}

function surveyed(weights: ArrayLike<number>, tokens: number): { largest: number; causal: boolean } {
  let largest = 0;
  let causal = true;
  for (let query = 0; query < tokens; query++) {
    for (let key = 0; key < tokens; key++) {
      const weight = weights[query * tokens + key];
      if (weight > largest) largest = weight;
      if (key > query && weight !== 0) causal = false;
    }
  }
  return { largest, causal };
}

/** The nearest level of a weight, 64 to 255; 0 for one that is too small to keep. */
function levelOf(weight: number, largest: number): number {
  if (!(weight > 0)) return 0;
  const level = 255 + Math.round((LEVELS / OCTAVES) * Math.log2(weight / largest));
  return level < SKIPS ? 0 : level;
}

/** The lowest level that is kept, so that at most `most` weights are. */
function leastKept(counts: Uint32Array, most: number): number {
  let kept = 0;
  for (let level = 255; level >= SKIPS; level--) {
    kept += counts[level];
    if (kept > most) return level + 1;
  }
  return SKIPS;
}

/** Writes that this many keys are not kept. @returns 0, what is left to write */
function skipped(bytes: number[], count: number): 0 {
  for (let left = count; left > 0; left -= SKIPS) bytes.push(Math.min(left, SKIPS) - 1);
  return 0;
}
