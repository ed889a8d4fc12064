/**
 * A model as the functions of the lens see it: they work on anything that has this interface. `HookedTransformer` and
 * `HookedEncoderDecoder` do, and none of the functions needs to know them.
 */
import type { Engine } from "../engine/engine.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { CachedModel } from "./cached.ts";
import type { ModelGraph } from "./model-graph.ts";
import type { InputOptions } from "./model-input.ts";
import type { ForwardOptions, HookOptions, Output, ReturnType, RunBounds } from "./run-options.ts";
import type { Splices } from "./splices.ts";
import type { ModelInput } from "./tokens.ts";

/** A model that values are computed with: its parts, its passes as graphs, and its engine. */
export interface Model extends CachedModel {
  readonly engine: Engine;
  /** Parts that stand at its hook points. */
  readonly splices?: Splices | undefined;
  /** Decisions made for you while loading and processing, as sentences. */
  readonly notes: readonly string[];
  /** The forward pass on one input as a graph. */
  graph(input: ModelInput, options?: InputOptions & RunBounds): ModelGraph;
  /** Computes values in one run of the engine. */
  compute(values: readonly Tensor[], options?: { readonly signal?: AbortSignal | undefined }): Promise<Tensor[]>;
}

/** A model that runs with hooks: those that stay on it, and those of one run. */
export interface HookedModel extends Model {
  readonly isHooked: boolean;
  /** A run with hooks of its own. @see HookedRoot.runWithHooks */
  runWithHooks<R extends ReturnType = "logits">(
    input: ModelInput,
    options: ForwardOptions<R> & HookOptions,
  ): Promise<Output<R>>;
}
