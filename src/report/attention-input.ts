/** Each head's weights, in what `attentionHeads` is given. */
import { sizeOf } from "../tensor/array.ts";
import { ShapeError } from "../tensor/errors.ts";
import { type Numbers, toShaped, withoutUnitAxes } from "./numbers.ts";

type Floats = Float32Array | Float64Array;
type Weights = Floats | readonly (number | null)[];

/** Fewer numbers than this may be copied. */
const FEW = 1_000_000;

/**
 * The weights of each head, `[query · tokens + key]`, and the shape of all of them without axes of size 1 in front.
 * @throws ShapeError unless each head has one query and one key per token
 */
export function headWeights(patterns: Numbers, tokens: number): { weights: Weights[]; shape: readonly number[] } {
  const given = largeArrays(patterns) ?? copied(patterns);
  const { shape } = withoutUnitAxes({ data: [], shape: given.shape }, 3);
  if (shape.length < 3 || shape.length > 4 || shape.at(-1) !== tokens || shape.at(-2) !== tokens) {
    throw new ShapeError(
      `Expected patterns [head, query, key] over ${tokens} tokens, but the array has shape [${shape}]. ` +
        `Select one text of the batch, or pass the tokens of that text.`,
      { asked: ["head", tokens, tokens], found: shape },
    );
  }
  return { weights: given.arrays.flatMap((array) => pieces(array, tokens ** 2)), shape };
}

interface Arrays {
  readonly arrays: readonly Weights[];
  readonly shape: readonly number[];
}

function copied(patterns: Numbers): Arrays {
  const { data, shape } = toShaped(patterns);
  return { arrays: [data], shape };
}

/** Large typed arrays as they are, which can be hundreds of megabytes; `undefined` for anything that needs a closer look. */
function largeArrays(patterns: Numbers): Arrays | undefined {
  const list: readonly unknown[] = Array.isArray(patterns) ? patterns : [patterns];
  if (list.length === 0 || !list.every(isTyped)) return undefined;
  const { shape } = list[0];
  if (list.length * sizeOf(shape) <= FEW) return undefined;
  const fits = list.every((one) => String(one.shape) === String(shape) && one.data.length === sizeOf(shape));
  if (!fits || !list.every(({ data }) => data.every(Number.isFinite))) return undefined;
  return { arrays: list.map(({ data }) => data), shape: Array.isArray(patterns) ? [list.length, ...shape] : shape };
}

function isTyped(value: unknown): value is { readonly data: Floats; readonly shape: readonly number[] } {
  if (typeof value !== "object" || value === null || !("shape" in value) || !Array.isArray(value.shape)) return false;
  return "data" in value && (value.data instanceof Float32Array || value.data instanceof Float64Array);
}

function pieces(array: Weights, size: number): Weights[] {
  const count = array.length / Math.max(1, size);
  const piece = (from: number, to: number) => ("subarray" in array ? array.subarray(from, to) : array.slice(from, to));
  return Array.from({ length: count }, (_, i) => piece(i * size, (i + 1) * size));
}
