/** What an engine needs of a runtime. */
import type { NDArray } from "../tensor/array.ts";
import type { Feed } from "./feeds.ts";

/** A compiled graph, ready to run. */
export interface Session {
  /**
   * Arrays by input name in, arrays in the order of the session's output names out.
   * @param fixed the names of inputs whose numbers stay the same for as long as their arrays live: weights
   */
  run(feeds: ReadonlyMap<string, Feed>, fixed?: ReadonlySet<string>): Promise<NDArray[]>;
  /** Frees what it holds; it is not run again. */
  release(): Promise<void>;
}

/** A runtime that takes ONNX bytes: onnxruntime-node, onnxruntime-web. */
export interface Backend {
  readonly name: string;
  /** The file of its runtime that is fetched before it can compute, as in a page, and that file's size. */
  readonly fetched?: { readonly file: string; readonly bytes: number } | undefined;
  /** Whether a run's inputs are copied into the runtime's memory, as WebAssembly's are. */
  readonly copiesFeeds?: boolean;
  /** Whether weights must be in float32, because the runtime computes wrongly with what is kept in fewer bits. */
  readonly wholeWeights?: boolean;
  /** Whether its Gelu is by erf even where tanh is asked for, so that onnxruntime's own FastGelu has to stand for that. */
  readonly geluByErf?: boolean;
  /** Whether its runs hold the thread that asks for them, as WebAssembly's do: a page then gets a turn between runs. */
  readonly holdsThread?: boolean;
  /** Whether it does a product of few rows faster with the weight as the first factor, as the native runtime does. */
  readonly weightsFirst?: boolean;
  /** Whether it may choose by numbers what it computes: a graphics processor would have to be waited for. */
  readonly branches?: boolean;
  /** Most sessions at one time. Default 32. */
  readonly maxSessions?: number;
  /** A compiled graph from ONNX bytes. @param outputs the names of what a run returns */
  createSession(model: Uint8Array, outputs: readonly string[]): Promise<Session>;
}
