/** What the runtime is fast at but has no NaN: it is asked for the numbers' sum first, which shows whether they have one. */
import type { Emitter, Operand } from "../op.ts";

/** A value that is made in one way for numbers without NaN, and in another for all. Both are the same without. */
export function withoutNan(
  emit: Emitter,
  x: Operand,
  dtype: Parameters<Emitter["either"]>[1],
  { fast, exact }: { readonly fast: () => string; readonly exact: () => string },
): string {
  return emit.branches ? emit.either(emit.node("IsNaN", [sum(emit, x)]), dtype, exact, fast) : exact();
}

/** One that is made in one way for finite numbers, and in another for all, on a runtime that may choose. Both are the same for the finite. */
export function ofFinite(
  emit: Emitter,
  x: Operand,
  { fast, exact }: { readonly fast: () => string; readonly exact: () => string },
): string {
  const all = sum(emit, x);
  // Infinity less Infinity is NaN.
  return emit.either(emit.node("IsNaN", [emit.node("Sub", [all, all])]), "float32", exact, fast);
}

/** The sum of all numbers, of rows first: that is done by all threads. */
function sum(emit: Emitter, { name, rank }: Operand): string {
  const rows = rank === 0 ? name : emit.node("ReduceSum", [name, emit.int64([-1])], { keepdims: 0 });
  return emit.node("ReduceSum", [rows], { keepdims: 0 });
}

/** The same numbers, with Infinity for NaN. */
export function infiniteForNan(emit: Emitter, x: string): string {
  return emit.node("Where", [emit.node("IsNaN", [x]), emit.float(Infinity), x]);
}
