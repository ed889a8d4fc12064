/** The tensors of a model's files, each read when it is needed: what is loaded is never in memory next to what it becomes. */
import type { NDArray, TypedData } from "../tensor/array.ts";

/** Tensors that can be read one by one. */
export interface StoredTensors {
  /** Their names and shapes, in the order of their bytes. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** One of them, in memory of its own. @throws FileFormatError for numbers that do not fit what holds them */
  read(name: string, signal?: AbortSignal): Promise<NDArray>;
  /**
   * The same without having it in memory: `take` gets some of its rows at a time, all that run along the last axis, and the
   * number of the first of them. Missing where tensors are in memory anyway.
   */
  readRows?(name: string, take: (rows: TypedData, first: number) => void, signal?: AbortSignal): Promise<void>;
  /**
   * One of the parts that lie one after the other along a tensor's first axis, without that axis, in memory of its own: the others
   * are not read. Missing where reading a tensor is all or nothing.
   */
  readPart?(name: string, part: number, signal?: AbortSignal): Promise<NDArray>;
  /** Lets go of one that will not be read again. Missing where nothing is held. */
  forget?(name: string): void;
}

/** Tensors that had to be read all together. */
export function inMemory(arrays: ReadonlyMap<string, NDArray>): StoredTensors {
  const held = new Map(arrays);
  return {
    shapes: new Map([...arrays].map(([name, { shape }]) => [name, shape])),
    async read(name, signal) {
      signal?.throwIfAborted();
      return held.get(name)!;
    },
    forget(name) {
      held.delete(name);
    },
  };
}

/** All of them, in order. */
export async function readAll(stored: StoredTensors, signal?: AbortSignal): Promise<Map<string, NDArray>> {
  const arrays = new Map<string, NDArray>();
  for (const name of stored.shapes.keys()) {
    arrays.set(name, await stored.read(name, signal));
    stored.forget?.(name);
  }
  return arrays;
}
