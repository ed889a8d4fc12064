/** The tensors of a model's files, each read when it is needed: what is loaded is never in memory next to what it becomes. */
import type { NDArray } from "../tensor/array.ts";

/** Tensors that can be read one by one. */
export interface StoredTensors {
  /** Their names and shapes, in the order of their bytes. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** One of them, in memory of its own. @throws FileFormatError for numbers that do not fit what holds them */
  read(name: string, signal?: AbortSignal): Promise<NDArray>;
}

/** Tensors that had to be read all together. Each can be read once: it is then let go of. */
export function inMemory(arrays: ReadonlyMap<string, NDArray>): StoredTensors {
  const held = new Map(arrays);
  return {
    shapes: new Map([...arrays].map(([name, { shape }]) => [name, shape])),
    async read(name, signal) {
      signal?.throwIfAborted();
      const array = held.get(name)!;
      held.delete(name);
      return array;
    },
  };
}

/** All of them, in order. */
export async function readAll({ shapes, read }: StoredTensors, signal?: AbortSignal): Promise<Map<string, NDArray>> {
  const arrays = new Map<string, NDArray>();
  for (const name of shapes.keys()) arrays.set(name, await read(name, signal));
  return arrays;
}
