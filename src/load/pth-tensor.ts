/**
 * What a checkpoint's pickle builds: storages, the tensors that are views of them, and unsupported tensors.
 * Each has a private field, so that nothing else that a pickle builds can pose as one.
 */
import type { FileDType } from "./dtypes.ts";

/** The flat numbers that one or more tensors are views of. `key` is its name in the file: an entry under `data/` in the zip. */
export class PthStorage {
  readonly #key: string;
  readonly dtype: FileDType;
  /** How many numbers. */
  readonly length: number;
  /** The first that its tensors count from: in old files a storage may be a part of another. */
  readonly offset: number;

  constructor(key: string, dtype: FileDType, length: number, offset = 0) {
    this.#key = key;
    this.dtype = dtype;
    this.length = length;
    this.offset = offset;
  }
  get key(): string {
    return this.#key;
  }
  static is(value: unknown): value is PthStorage {
    return typeof value === "object" && value !== null && #key in value;
  }
}

/** A tensor: `storage[offset + sum_i index_i * strides_i]`. */
export class PthTensor {
  readonly #storage: PthStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: PthStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.#storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
  get storage(): PthStorage {
    return this.#storage;
  }
  static is(value: unknown): value is PthTensor {
    return typeof value === "object" && value !== null && #storage in value;
  }
}

/** A tensor or storage with unsupported numbers; `why` ends a sentence: "it has complex numbers". */
export class PthUnheld {
  readonly #why: string;
  constructor(why: string) {
    this.#why = why;
  }
  get why(): string {
    return this.#why;
  }
  static is(value: unknown): value is PthUnheld {
    return typeof value === "object" && value !== null && #why in value;
  }
}
