/** Rearrangements between the layouts of checkpoints and TransformerLens'; each makes a new array. */
import { type NDArray, ndarray, zeros } from "../../tensor/array.ts";
import { WeightsError } from "../../tensor/errors.ts";
import { firstOf } from "../../tensor/words.ts";
import { sameShape } from "../weights/check.ts";
import { layersBeyond } from "../weights/layers-beyond.ts";

type Float32 = NDArray<"float32">;

/** The names and shapes of a checkpoint's arrays: which of them were used, and which are left. */
export class StoredNames {
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  readonly #left: Set<string>;
  readonly #what: string;

  constructor(shapes: ReadonlyMap<string, readonly number[]>, what: string) {
    this.#shapes = shapes;
    this.#left = new Set(shapes.keys());
    this.#what = what;
  }

  /** Counts an array as used: it is there, and has the shape that it must have. @throws WeightsError */
  take(name: string, shape?: readonly number[]): void {
    const found = this.#shapes.get(name);
    if (found === undefined) {
      const names = this.left();
      throw new WeightsError(
        `The ${this.#what} checkpoint has no "${name}". ${names.length > 0 ? `It has: ${firstOf(names)}.` : "It has no other weights either."}`,
        { asked: name, found: names },
      );
    }
    if (shape && !sameShape(shape, found)) {
      const turned = found.length > 1 && sameShape([...shape].reverse(), found);
      throw new WeightsError(
        `"${name}" of the ${this.#what} checkpoint is [${found}], but the configuration says [${shape}].` +
          (turned ? " It is stored transposed, as in PyTorch's Linear layers: transpose it." : ""),
        { asked: shape, found },
      );
    }
    this.#left.delete(name);
  }

  /** Leaves out the names that match: buffers that are not weights. */
  drop(pattern: RegExp): void {
    for (const name of this.left()) if (pattern.test(name)) this.#left.delete(name);
  }

  /** What has been neither taken nor dropped. */
  left(): string[] {
    return [...this.#left];
  }

  /** @throws WeightsError if anything has been neither taken nor dropped. */
  expectEmpty(): void {
    const left = this.left();
    if (left.length === 0) return;
    const { sentence, others } = layersBeyond(left, (name) => this.#shapes.has(name) && !this.#left.has(name));
    const unused = `The ${this.#what} checkpoint has weights that the model does not use: ${firstOf(others)}.`;
    const sentences = [sentence, others.length > 0 ? unused : undefined].filter((one) => one !== undefined);
    throw new WeightsError(sentences.join(" "), { found: left });
  }
}

/** A checkpoint's arrays, with a way to take one by name, and to list those that were not taken. */
export class RawWeights {
  readonly #arrays: ReadonlyMap<string, NDArray>;
  readonly #names: StoredNames;

  constructor(arrays: ReadonlyMap<string, NDArray>, what: string) {
    this.#arrays = arrays;
    this.#names = new StoredNames(new Map([...arrays].map(([name, { shape }]) => [name, shape])), what);
  }

  /** The array of that name as float32, with the shape it must have; it then counts as used. @throws WeightsError */
  take(name: string, shape?: readonly number[]): Float32 {
    this.#names.take(name, shape);
    return toFloat32(name, this.#arrays.get(name)!);
  }

  /** Leaves out the names that match: buffers that are not weights. */
  drop(pattern: RegExp): void {
    this.#names.drop(pattern);
  }

  /** What has been neither taken nor dropped. */
  names(): string[] {
    return this.#names.left();
  }

  /** @throws WeightsError if anything has been neither taken nor dropped. */
  expectEmpty(): void {
    this.#names.expectEmpty();
  }
}

/** The same numbers in float32. @throws WeightsError for an array that does not hold floats. */
export function toFloat32(name: string, array: NDArray): Float32 {
  if (array.dtype === "float32") return array as Float32;
  if (array.dtype === "float64") return ndarray("float32", array.shape, Float32Array.from(array.data));
  throw new WeightsError(`Weight "${name}" holds ${array.dtype}, not floating-point numbers.`, {
    asked: name,
    found: array.dtype,
  });
}

/** Rows and columns that are swapped together, so that neither side leaves the processor's cache. */
const TILE = 32;

/** Swaps the last two axes: `[..., i, j] -> [..., j, i]`. */
export function transposed(array: Float32): Float32 {
  const [rows, cols] = array.shape.slice(-2);
  const out = zeros("float32", [...array.shape.slice(0, -2), cols, rows]);
  transposeRows(array.data, 0, cols, out.data, rows);
  return out;
}

/**
 * Puts some rows of matrices [size cols], which lie one after the other, where they are in their transposes [cols size].
 * @param first the number of the first of the rows
 */
export function transposeRows(rows: Float32Array, first: number, cols: number, into: Float32Array, size: number): void {
  const count = rows.length / cols;
  for (let top = 0; top < count; top += TILE) {
    const bottom = Math.min(top + TILE, count);
    for (let left = 0; left < cols; left += TILE) {
      const right = Math.min(left + TILE, cols);
      for (let i = top; i < bottom; i++) {
        const row = first + i;
        const to = Math.floor(row / size) * size * cols + (row % size);
        for (let j = left; j < right; j++) into[to + j * size] = rows[i * cols + j];
      }
    }
  }
}

/**
 * One of the blocks of columns of a `[d_model, blocks * head * d_head]` matrix, head by head: `[head, d_model, d_head]`.
 * GPT-2 keeps queries, keys and values side by side in such a matrix.
 */
export function headsOfColumns(matrix: Float32, heads: number, dHead: number, block = 0): Float32 {
  const [dModel, width] = matrix.shape;
  const out = zeros("float32", [heads, dModel, dHead]);
  for (let head = 0; head < heads; head++) {
    const column = (block * heads + head) * dHead;
    for (let m = 0; m < dModel; m++) {
      const from = m * width + column;
      out.data.set(matrix.data.subarray(from, from + dHead), (head * dModel + m) * dHead);
    }
  }
  return out;
}

/** A copy of the part of a vector that belongs to one block, with the given shape. */
export function partOf(vector: Float32, shape: readonly number[], block = 0): Float32 {
  const size = shape.reduce((n, s) => n * s, 1);
  return ndarray("float32", shape, vector.data.slice(block * size, (block + 1) * size));
}

/** One of the parts along an array's first axis, without that axis, in the same memory. */
export function partAt({ dtype, shape: [count, ...shape], data }: NDArray, part: number): NDArray {
  const size = data.length / count;
  return { dtype, shape, data: data.subarray(part * size, (part + 1) * size) } as NDArray;
}

/** The same numbers under another shape of the same size. */
export function reshaped(array: Float32, shape: readonly number[]): Float32 {
  return ndarray("float32", shape, array.data);
}

/** `a · bᵀ` of [m k] and [n k], summed in float64: of arrays that are in memory and small. */
export function productInMemory(a: Float32, b: Float32): Float32 {
  const [m, k] = a.shape;
  const [n] = b.shape;
  const out = zeros("float32", [m, n]);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let e = 0; e < k; e++) sum += a.data[i * k + e] * b.data[j * k + e];
      out.data[i * n + j] = sum;
    }
  }
  return out;
}
