/** What a session is fed: tensors, and the parts of weights that are kept in fewer bits. */
import type { DType, TypedData } from "../tensor/array.ts";

/** What a graph's values can hold: the dtypes of tensors, and those of weights that are kept in fewer bits. */
export type SlotDType = DType | "uint8" | "uint16" | "float16";

/** What a session is fed. */
export interface Feed {
  readonly dtype: SlotDType;
  readonly shape: readonly number[];
  readonly data: TypedData | Uint16Array;
}

/** What is fed of a weight that is kept in fewer bits. */
export type KeptPart = "codes" | "scales";
