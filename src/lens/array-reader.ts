/** The arrays of a checkpoint that some steps need, or parts of them: each is read once, and held for as long as a step needs it. */
import type { StoredTensors } from "../load/stored.ts";
import type { Piece, WeightStep } from "../models/families/checkpoint.ts";
import { partAt } from "../models/families/layout.ts";
import type { NDArray } from "../tensor/array.ts";

export class ArrayReader {
  readonly #stored: StoredTensors;
  readonly #nameOf: (name: string) => string;
  readonly #signal: AbortSignal | undefined;
  /** How many steps each is still needed for. */
  readonly #left = new Map<string, number>();
  readonly #held = new Map<string, NDArray>();

  /** @param nameOf the name that an array of the steps has in the file */
  constructor(
    steps: readonly WeightStep[],
    stored: StoredTensors,
    nameOf: (name: string) => string,
    signal: AbortSignal | undefined,
  ) {
    this.#stored = stored;
    this.#nameOf = nameOf;
    this.#signal = signal;
    for (const piece of steps.flatMap(({ from }) => from)) {
      const key = this.#key(piece);
      this.#left.set(key, (this.#left.get(key) ?? 0) + 1);
    }
  }

  /** A step's pieces; it then needs them no more. */
  async take(from: readonly Piece[]): Promise<NDArray[]> {
    const arrays: NDArray[] = [];
    for (const piece of from) {
      const key = this.#key(piece);
      const array = this.#held.get(key) ?? (await this.#read(piece));
      const left = this.#left.get(key)! - 1;
      this.#left.set(key, left);
      if (left > 0) this.#held.set(key, array);
      else this.#held.delete(key);
      arrays.push(piece.part === undefined || this.#readsParts ? array : partAt(array, piece.part));
    }
    return arrays;
  }

  /** Whether no other step needs a piece, and none did before: it need not be in memory as a whole. */
  isForOne(piece: Piece): boolean {
    const key = this.#key(piece);
    return this.#left.get(key) === 1 && !this.#held.has(key);
  }

  /** Whether a weight is an array's own memory, which somebody still holds. */
  isShared({ data }: NDArray, { from, last }: WeightStep, arrays: readonly NDArray[]): boolean {
    return from.some((piece, i) => {
      const isHeld =
        this.#held.has(this.#key(piece)) || (this.#stored.forget !== undefined && !last.includes(piece.name));
      return isHeld && arrays[i].data === data;
    });
  }

  get #readsParts(): boolean {
    return this.#stored.readPart !== undefined;
  }

  /** What is read and held together. */
  #key({ name, part }: Piece): string {
    return part === undefined || !this.#readsParts ? name : `${name} ${part}`;
  }

  #read({ name, part }: Piece): Promise<NDArray> {
    const stored = this.#nameOf(name);
    if (part === undefined || !this.#readsParts) return this.#stored.read(stored, this.#signal);
    return this.#stored.readPart!(stored, part, this.#signal);
  }
}
