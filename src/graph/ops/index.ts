/** Ops by their names. */
import type { Attrs, Op } from "../op.ts";
import * as records from "./records.ts";

export type OpName = keyof typeof records;

/** The attributes of an op. */
export type AttrsOf<K extends OpName> = (typeof records)[K] extends Op<infer A extends Attrs> ? A : never;

/** Records by name. An op's attributes are checked against their type where it is applied: `Tensor.apply`. */
export const ops: { readonly [K in OpName]: Op } = { ...records };
