/** Weights being changed, while the originals stay as they are: an array is copied when it is first written to. */
import { type NDArray, ndarray } from "../../tensor/array.ts";
import { WeightsError } from "../../tensor/errors.ts";
import type { WeightArrays } from "../weights/check.ts";

export class WeightDraft {
  readonly #arrays: Map<string, NDArray<"float32">>;
  readonly #copied = new Set<string>();

  /** @param owned whether the arrays may be written to, because nobody else has them */
  constructor(weights: WeightArrays, owned = false) {
    this.#arrays = new Map(weights);
    if (owned) for (const name of weights.keys()) this.#copied.add(name);
  }

  has(name: string): boolean {
    return this.#arrays.has(name);
  }

  shape(name: string): readonly number[] {
    return this.#array(name).shape;
  }

  /** The numbers to read; they may belong to the caller. */
  read(name: string): Float32Array {
    return this.#array(name).data;
  }

  /** The numbers to write to: the draft's own. */
  edit(name: string): Float32Array {
    const array = this.#array(name);
    if (this.#copied.has(name)) return array.data;
    const copy = array.data.slice();
    this.#arrays.set(name, ndarray("float32", array.shape, copy));
    this.#copied.add(name);
    return copy;
  }

  remove(name: string): void {
    this.#arrays.delete(name);
  }

  finish(): Map<string, NDArray<"float32">> {
    return new Map(this.#arrays);
  }

  #array(name: string): NDArray<"float32"> {
    const array = this.#arrays.get(name);
    if (array) return array;
    throw new WeightsError(`There is no weight ${name} to process.`, { asked: name, found: [...this.#arrays.keys()] });
  }
}
