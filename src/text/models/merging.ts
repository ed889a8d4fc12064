/** Applies the merges of BPE to one word: a queue of the pairs that can merge, ordered by when they were learnt. */
import type { PairTable } from "../pair-table.ts";

export interface Merges {
  /** The rank of the merge of a pair. */
  readonly pairs: PairTable;
  /** The result of each merge, by rank. */
  readonly results: readonly number[];
}

/** The most positions in a word, so that a rank and a position fit into one double. */
const PLACES = 2 ** 29;

/** The tokens of a word after all merges, in O(n log n) time. */
export function mergeAll(tokens: readonly number[], { pairs, results }: Merges): readonly number[] {
  const { length } = tokens;
  if (length < 2) return tokens;
  const at = Int32Array.from(tokens);
  const previous = Int32Array.from({ length }, (_, i) => i - 1);
  const next = Int32Array.from({ length }, (_, i) => (i + 1 < length ? i + 1 : -1));
  const queue = new Queue();
  const enqueue = (left: number, right: number) => {
    const rank = pairs.get(at[left], at[right]);
    if (rank >= 0) queue.push(rank * PLACES + left);
  };
  for (let i = 0; i + 1 < length; i++) enqueue(i, i + 1);

  for (let key = queue.pop(); key >= 0; key = queue.pop()) {
    const left = key % PLACES;
    if (at[left] < 0) continue; // merged into the previous token
    const right = next[left];
    if (right < 0) continue;
    // The pair may have changed since; it merges if the result is still the same token.
    const merged = results[Math.floor(key / PLACES)];
    const rank = pairs.get(at[left], at[right]);
    if (rank < 0 || results[rank] !== merged) continue;
    at[left] = merged;
    at[right] = -1;
    next[left] = next[right];
    if (next[right] >= 0) previous[next[right]] = left;
    if (previous[left] >= 0) enqueue(previous[left], left);
    if (next[left] >= 0) enqueue(left, next[left]);
  }
  const out: number[] = [];
  for (let i = 0; i < length; i++) if (at[i] >= 0) out.push(at[i]);
  return out;
}

/** Numbers, the smallest first. */
class Queue {
  readonly #heap: number[] = [];

  push(key: number): void {
    const heap = this.#heap;
    let hole = heap.push(key) - 1;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (heap[parent] <= key) break;
      heap[hole] = heap[parent];
      hole = parent;
    }
    heap[hole] = key;
  }

  /** Removes the smallest; -1 if there is none. */
  pop(): number {
    const heap = this.#heap;
    if (heap.length === 0) return -1;
    const smallest = heap[0];
    const key = heap.pop()!;
    const { length } = heap;
    if (length === 0) return smallest;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= length) break;
      if (child + 1 < length && heap[child + 1] < heap[child]) child++;
      if (heap[child] >= key) break;
      heap[hole] = heap[child];
      hole = child;
    }
    heap[hole] = key;
    return smallest;
  }
}
