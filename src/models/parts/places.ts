/** Where the tokens of a run are. */
import type { Tensor } from "../../graph/tensor.ts";

/** Where the tokens of a run are. */
export interface Places {
  /** int32 [batch pos] of this run's tokens. */
  queries(): Tensor;
  /** int32 [batch pos] of those and of the earlier ones, whose keys are kept. */
  keys(): Tensor;
  /** bool [batch pos 1], false where a token is padding; `undefined` if none is. */
  kept(): Tensor | undefined;
}
