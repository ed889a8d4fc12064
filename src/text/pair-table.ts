/** A map from pairs of numbers to numbers, for the merges of BPE and the branches of a trie. Open addressing, with a power of two as size. */

const EMPTY = -1;

export class PairTable {
  #left = new Int32Array(64).fill(EMPTY);
  #right = new Int32Array(64);
  #value = new Int32Array(64);
  #size = 0;

  /** The value of a pair; -1 if there is none. */
  get(left: number, right: number): number {
    const mask = this.#left.length - 1;
    let at = hash(left, right) & mask;
    while (this.#left[at] !== EMPTY) {
      if (this.#left[at] === left && this.#right[at] === right) return this.#value[at];
      at = (at + 1) & mask;
    }
    return -1;
  }

  set(left: number, right: number, value: number): void {
    if (2 * ++this.#size > this.#left.length) this.#grow();
    const mask = this.#left.length - 1;
    let at = hash(left, right) & mask;
    while (this.#left[at] !== EMPTY && (this.#left[at] !== left || this.#right[at] !== right)) at = (at + 1) & mask;
    this.#left[at] = left;
    this.#right[at] = right;
    this.#value[at] = value;
  }

  #grow(): void {
    const [left, right, value] = [this.#left, this.#right, this.#value];
    this.#left = new Int32Array(2 * left.length).fill(EMPTY);
    this.#right = new Int32Array(2 * left.length);
    this.#value = new Int32Array(2 * left.length);
    this.#size = 1;
    for (let i = 0; i < left.length; i++) if (left[i] !== EMPTY) this.set(left[i], right[i], value[i]);
  }
}

function hash(left: number, right: number): number {
  let h = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
  h ^= h >>> 15;
  return Math.imul(h, 0x2c1b3c6d) >>> 0;
}
