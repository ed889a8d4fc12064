/** What compares numbers, for rows that may have NaN, which the runtime's comparisons do not know. */
import type { Emitter, Operand } from "../op.ts";

/** What is made of rows along an axis. */
type OfRows = (rows: string, axis: number) => string;

/**
 * What an operator that does not know NaN makes of the rows along the last axis, `[... n]` to `[...]` and `tail`. Only rows whose sum is NaN
 * can have one: they are taken out, mostly none, and done a second time by `odd`. Asking each number costs more than the comparison: of
 * 9.8 million, 29 ms against 10.
 */
export function overRows(emit: Emitter, x: Operand, of: OfRows, odd: OfRows, tail: readonly number[] = []): string {
  if (!emit.picksRows) return odd(x.name, x.rank - 1);
  const last = emit.int64([-1]);
  const rows = x.rank === 2 ? x.name : emit.node("Flatten", [x.name], { axis: x.rank - 1 });
  const isOdd = emit.node("IsNaN", [emit.node("ReduceSum", [rows, last], { keepdims: 0 })]);
  const at = emit.node("Transpose", [emit.node("Flatten", [emit.node("NonZero", [isOdd])], { axis: 0 })], {
    perm: [1, 0],
  });
  // The runtime's TopK ends the process if it gets no row.
  const one = emit.node("Expand", [
    emit.float(0),
    emit.node("Concat", [emit.int64([1]), emit.node("Shape", [rows], { start: 1 })], { axis: 0 }),
  ]);
  const again = odd(emit.node("Concat", [emit.node("GatherND", [rows, at]), one], { axis: 0 }), 1);
  const bounds = [emit.int64([0]), last, emit.int64([0])];
  const found = emit.node("ScatterND", [of(rows, 1), at, emit.node("Slice", [again, ...bounds])]);
  if (x.rank === 2) return found;
  const lead = emit.node("Shape", [x.name], { end: -1 });
  const shape = tail.length > 0 ? emit.node("Concat", [lead, emit.int64(tail)], { axis: 0 }) : lead;
  return emit.node("Reshape", [found, shape], { allowzero: 1 });
}

/** The same numbers, with Infinity for NaN. */
export function infiniteForNan(emit: Emitter, x: string): string {
  return emit.node("Where", [emit.node("IsNaN", [x]), emit.float(Infinity), x]);
}
