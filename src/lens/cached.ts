/** What decompositions of the residual stream need of captured values. `ActivationCache` implements it. */
import type { Tensor } from "../graph/tensor.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import type { Weights } from "../models/weights/weights.ts";
import type { TokenRules } from "../text/token-rules.ts";
import type { AxisSlice } from "./axis-slice.ts";
import type { StackPart } from "./stack-parts.ts";

/** A model as far as reading its captured values needs it: nothing that runs. */
export interface CachedModel {
  readonly cfg: HookedTransformerConfig;
  readonly weights: Weights;
  readonly text: TokenRules | undefined;
  readonly hookNames: readonly string[];
}

/** Which prompts and positions: an index drops the axis, a list or a range keeps it. */
export interface Cut {
  readonly batch?: AxisSlice | undefined;
  readonly pos?: AxisSlice | undefined;
}

/** Which norm. */
export interface NormPlace {
  /** The norm before that layer; `ln_final` for the number of layers (the default). */
  readonly layer?: number | undefined;
  /** The norm before that layer's MLP instead of before its attention. */
  readonly mlpInput?: boolean | undefined;
  /** Only for `ln_final`: each component gets its own scale, as if it were the whole residual stream. */
  readonly recomputeLn?: boolean | undefined;
}

/** Captured values of a model's run. */
export interface Cached {
  readonly model: CachedModel;
  /** How many prompts and positions there are: the sizes of the values' axes `batch` and `pos`. */
  readonly lead: ReadonlyMap<string, number>;
  has(name: string): boolean;
  /** Several values. @throws ArgumentError that names those that were not captured, and `what` they are for */
  need(what: string, names: readonly string[]): Tensor[];
  /** The same values of fewer prompts or positions. */
  at(cut: Cut): Cached;
  /** A value of the whole run, cut as these are. */
  cut(value: Tensor): Tensor;
  /** The norm before a layer, its MLP, or the unembedding; `undefined` in a model without norms. */
  normBefore(place: NormPlace): StackNorm | undefined;
}

/** How a norm transforms the components of its input. */
export interface StackNorm {
  /** The norm: `ln_final`, `blocks.0.ln1`. */
  readonly where: string;
  /** Whether it is linear: the sum of its results is its result for the sum. */
  readonly linear: boolean;
  /** [component ... d_model] or [... d_model], as the norm transforms it. */
  apply(x: Tensor, cache: Cached): Tensor;
  /** The components' inner products with a direction after the norm, [component ...]. */
  dot(parts: readonly StackPart[], direction: Tensor, cache: Cached): Tensor;
}
