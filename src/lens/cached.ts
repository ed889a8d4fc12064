/** What is asked of captured values by those who take the residual stream apart. `ActivationCache` is what answers. */
import type { Tensor } from "../graph/tensor.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import type { Weights } from "../models/weights/weights.ts";
import type { TokenRules } from "../text/index.ts";
import type { AxisSlice } from "./axis-slice.ts";
import type { StackPart } from "./stack-parts.ts";

/** What a model is, as far as its captured values are read: nothing that runs. */
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
  /** `ln_final` alone: each component gets a scale of its own, as if it were the whole residual stream. */
  readonly recomputeLn?: boolean | undefined;
}

/** Captured values of a model's run. */
export interface Cached {
  readonly model: CachedModel;
  /** How many prompts and positions there are: sizes by the axes `batch` and `pos` that the values have. */
  readonly lead: ReadonlyMap<string, number>;
  has(name: string): boolean;
  /** Several values at once. @throws ArgumentError that names those which were not captured, and `what` they are for */
  need(what: string, names: readonly string[]): Tensor[];
  /** The same values of fewer prompts or positions. */
  at(cut: Cut): Cached;
  /** A value of the whole run, cut as these are. */
  cut(value: Tensor): Tensor;
  /** The norm before a layer, its MLP, or the unembedding; `undefined` in a model without norms. */
  normBefore(place: NormPlace): StackNorm | undefined;
}

/** How a norm passes on the components of its input. */
export interface StackNorm {
  /** The norm: `ln_final`, `blocks.0.ln1`. */
  readonly where: string;
  /** Whether the sum of what it gives is what it gives of the sum. */
  readonly linear: boolean;
  /** [component ... d_model] or [... d_model], as the norm passes it on. */
  apply(x: Tensor, cache: Cached): Tensor;
  /** The components' inner products with a direction after the norm, [component ...]. */
  dot(parts: readonly StackPart[], direction: Tensor, cache: Cached): Tensor;
}
