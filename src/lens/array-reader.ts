/** The arrays of a checkpoint that some steps need: each is read once, and held for as long as a step needs it. */
import type { StoredTensors } from "../load/index.ts";
import type { WeightStep } from "../models/families/checkpoint.ts";
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
    for (const name of steps.flatMap(({ from }) => from)) this.#left.set(name, (this.#left.get(name) ?? 0) + 1);
  }

  /** A step's arrays; it then needs them no more. */
  async take(from: readonly string[]): Promise<NDArray[]> {
    const arrays: NDArray[] = [];
    for (const name of from) {
      const array = this.#held.get(name) ?? (await this.#stored.read(this.#nameOf(name), this.#signal));
      const left = this.#left.get(name)! - 1;
      this.#left.set(name, left);
      if (left > 0) this.#held.set(name, array);
      else this.#held.delete(name);
      arrays.push(array);
    }
    return arrays;
  }

  /** Whether no other step needs an array, and none did before: it need not be in memory as a whole. */
  isForOne(name: string): boolean {
    return this.#left.get(name) === 1 && !this.#held.has(name);
  }

  /** Whether a weight is an array's own memory, which somebody still holds. */
  isShared({ data }: NDArray, { from, last }: WeightStep, arrays: readonly NDArray[]): boolean {
    return from.some((name, i) => {
      const isHeld = this.#held.has(name) || (this.#stored.forget !== undefined && !last.includes(name));
      return isHeld && arrays[i].data === data;
    });
  }
}
