/** What computes values, as its callers see it. */

export interface EvaluateOptions {
  readonly signal?: AbortSignal | undefined;
  /** What is being run and what would need less, for the error if it does not fit into memory. */
  readonly sized?: Sized | undefined;
}

/** A run in words: "Running 8 × 1024 tokens", and what to do if that is too much. */
export interface Sized {
  readonly what: string;
  readonly advice: string;
}

/** A value as far as running it goes: it is made of others. */
export interface Runnable {
  readonly inputs: readonly Runnable[];
}

/** Computes values: an engine. */
export interface Runner {
  /** The values as leaves, in order. */
  run(values: readonly Runnable[], options: EvaluateOptions): Promise<Runnable[]>;
}
