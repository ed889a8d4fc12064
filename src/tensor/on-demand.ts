import { GlassformerError } from "./errors.ts";

/**
 * Code that synchronous functions need, and most programs do not. The library's entry has it from the start; what runs without that entry (the
 * page's worker) loads it in an asynchronous function that comes before.
 */
export class OnDemand<T> {
  #code: T | undefined;
  readonly #name: string;
  readonly #import: () => Promise<T>;

  /** @param name what it is called in an error */
  constructor(name: string, load: () => Promise<T>) {
    this.#name = name;
    this.#import = load;
  }

  /** Makes it available now. */
  bring(code: T): void {
    this.#code = code;
  }

  async load(): Promise<void> {
    this.#code ??= await this.#import();
  }

  /** @throws GlassformerError if it is neither brought nor loaded */
  get code(): T {
    if (this.#code !== undefined) return this.#code;
    throw new GlassformerError(`${this.#name} is not loaded: import glassformer itself, or await its load() first.`);
  }
}
