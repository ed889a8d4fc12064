/** What a plan is made of: plain data. */
import type { Attrs } from "../graph/op.ts";
import type { OpName } from "../graph/ops/index.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { NDArray } from "../tensor/array.ts";
import type { KeptPart, SlotDType } from "./feeds.ts";
import type { KernelName } from "./kernels.ts";

/** A value: known by its number, with what compiling may know of it. */
export interface Slot {
  readonly id: number;
  readonly rank: number;
  readonly dtype: SlotDType;
}

export interface Step {
  readonly op: OpName | KernelName;
  /** Those that say what is computed, not those that only name something. */
  readonly attrs: Attrs;
  readonly inputs: readonly Slot[];
  readonly outputs: readonly Slot[];
}

/** A graph input. `source` is a leaf, or weights in a new layout: computed once and kept by the engine. */
export interface Input extends Slot {
  readonly source: Tensor;
  /** Which part of the source, if that is kept in fewer bits. */
  readonly part?: KeptPart;
}

/** A number baked into the structure. */
export interface Constant extends Slot {
  readonly array: NDArray;
}

/** What to compute, before it has a key. */
export interface Draft {
  readonly inputs: readonly Input[];
  readonly constants: readonly Constant[];
  readonly steps: readonly Step[];
  /** For each requested output, the slot that has it. */
  readonly outputs: readonly Slot[];
  /** How many numbers each slot's value has in this run, by the slot's number. The compiled graph does not depend on them. */
  readonly sizes: readonly number[];
}

/** Slots are numbered in the order in which they exist: what is fed or baked in comes before the step that first needs it. */
export interface Plan extends Draft {
  readonly key: string;
}
