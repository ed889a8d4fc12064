/** What llama.cpp's converter does to tensors, undone: each makes an array as Hugging Face's files have it. */
import { type NDArray, ndarray, zeros } from "../../../tensor/array.ts";
import { transposed } from "../layout.ts";
import type { GgufSettings } from "./settings.ts";

type Float32 = NDArray<"float32">;

export interface Change {
  /** The array's shape afterwards, if it is another. */
  shape?(shape: readonly number[]): readonly number[];
  make(array: Float32, settings: GgufSettings): Float32;
}

/** Rows in another order: row `i` of the result is row `from(i)`. A vector has rows of one number. */
function rowsInOrder(array: Float32, from: (row: number) => number): Float32 {
  const [rows] = array.shape;
  const width = array.data.length / rows;
  const out = zeros("float32", array.shape);
  for (let row = 0; row < rows; row++) {
    const at = from(row) * width;
    out.data.set(array.data.subarray(at, at + width), row * width);
  }
  return out;
}

/** The heads of queries, and those of keys and values. */
export const heads = (s: GgufSettings): number => s.need("attention.head_count");
export const keyValueHeads = (s: GgufSettings): number => s.or("attention.head_count_kv", heads(s));

/**
 * Queries or keys whose rows were put in pairs, as llama.cpp turns them for Llama: Hugging Face turns row j of a head with row
 * j + d_head / 2.
 */
export function inHalves(count: (s: GgufSettings) => number): Change {
  return {
    make(array, s) {
      const size = array.shape[0] / count(s);
      return rowsInOrder(array, (row) => {
        const within = row % size;
        const half = size / 2;
        return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
      });
    },
  };
}

/** Norms of Gemma, to which the converter adds the 1 that the model adds. */
export const minusOne: Change = {
  make: (array) =>
    ndarray(
      "float32",
      array.shape,
      array.data.map((x) => x - 1),
    ),
};

/** GPT-2's matrices, [in out] in its files. */
export const turned: Change = {
  shape: (shape) => [...shape].reverse(),
  make: (array) => transposed(array),
};

/** All queries, all keys, all values: head by head instead, as GPT-NeoX and BLOOM have them. */
export const byHead: Change = {
  make(array, s) {
    const count = heads(s);
    const size = array.shape[0] / (3 * count);
    return rowsInOrder(array, (row) => {
      const [head, part, e] = [Math.floor(row / (3 * size)), Math.floor(row / size) % 3, row % size];
      return (part * count + head) * size + e;
    });
  },
};

/** All queries, all keys, all values: each group of queries with its key and value instead, as Falcon has them. */
export const byGroup: Change = {
  make(array, s) {
    const [count, groups] = [heads(s), keyValueHeads(s)];
    const size = array.shape[0] / (count + 2 * groups);
    const each = count / groups;
    return rowsInOrder(array, (row) => {
      const block = Math.floor(row / size);
      const [group, place] = [Math.floor(block / (each + 2)), block % (each + 2)];
      const from = place < each ? group * each + place : count + (place - each) * groups + group;
      return from * size + (row % size);
    });
  },
};
