/** Where the tokens of a run are. */
import type { Tensor } from "../../graph/tensor.ts";

/** How many of the earlier positions' keys a layer keeps: those that a later query can see, and at least one. */
export function keptKeys(window: number | null, earlier: number): number {
  return window === null ? earlier : Math.min(earlier, Math.max(window - 1, 1));
}

/** Where the tokens of a run are. */
export interface Places {
  /** int32 [batch pos] of this run's tokens. */
  queries(): Tensor;
  /** int32 [batch pos] of those and of the earlier ones whose keys a layer with this window keeps; null: all. */
  keys(window: number | null): Tensor;
  /** bool [batch pos 1], false where a token is padding; `undefined` if none is. */
  kept(): Tensor | undefined;
}
