/** Rules for rows that several ops share. */
import type { Meta } from "../axes.ts";
import type { Along, Rows } from "../op.ts";

/** Whether the first axes of the result are those of an input, in order. */
export const isLed = (lead: readonly Along[], input: number): boolean =>
  lead.every((along, axis) => along[input] === axis);

/** Whether an input does not vary along the first axes of the result. */
const isFree = (lead: readonly Along[], input: number): boolean => lead.every((along) => along[input] === null);

/**
 * The rule of ops whose attributes mean the same on rows: some inputs give their rows, the others have none of the first
 * axes, so that they broadcast against rows as they are.
 */
export function sameOnRows<A>(lead: readonly Along[], inputs: readonly Meta[], attrs: A, out: Meta): Rows<A> | null {
  return rowsWhere(lead, inputs, attrs, (x) => x.shape.length <= out.shape.length - lead.length);
}

/** The same, where `fits` says which inputs without the first axes may stay as they are. */
export function rowsWhere<A>(
  lead: readonly Along[],
  inputs: readonly Meta[],
  attrs: A,
  fits: (x: Meta, input: number) => boolean,
): Rows<A> | null {
  const from: ("rows" | "whole")[] = [];
  for (const [i, x] of inputs.entries()) {
    if (isLed(lead, i)) from.push("rows");
    else if (isFree(lead, i) && fits(x, i)) from.push("whole");
    else return null;
  }
  return from.includes("rows") ? { attrs, from } : null;
}
