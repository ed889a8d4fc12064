/**
 * Numbers read in place: where those of a value lie that only changes the layout of leaves (transposes, new axes, stacks,
 * selections). Host maths on a stack of all layers' weights then copies no weight and runs nothing.
 */
import type { TypedData } from "../tensor/array.ts";
import { stridesOf } from "../tensor/array.ts";
import type { Held } from "./op.ts";
import { ops } from "./ops/index.ts";
import type { Tensor } from "./tensor.ts";

/** Element (i, j, ...) of the free axes is `data[start + offsets[0][i] + offsets[1][j] + ...]`. */
export interface HostView {
  readonly data: TypedData;
  readonly start: number;
  /** For each axis of the value, where its elements lie; `null` for an axis that was fixed at one index. */
  readonly offsets: readonly (Int32Array | null)[];
}

/** A value's numbers with some axes held, or `undefined` if they are not in memory under such a rule. */
export function hostView(t: Tensor, held: Held): HostView | undefined {
  if (t.op === null) return leafView(t, held);
  const view = ops[t.op].view(t.inputs, t.attrs, t, held);
  if (!view) return undefined;
  const below = hostView(
    t.inputs[view.input],
    view.axes.map(({ from, at = same }) => {
      const i = from === null ? 0 : held[from];
      return i === null ? null : at(i);
    }),
  );
  if (!below) return undefined;
  const offsets = t.shape.map((size, axis) => {
    if (held[axis] !== null) return null;
    const input = view.axes.findIndex(({ from }) => from === axis);
    if (input < 0) return new Int32Array(size); // an axis that no input has: nothing moves along it
    const whole = below.offsets[input]!;
    const { at } = view.axes[input];
    return at ? Int32Array.from({ length: size }, (_, k) => whole[at(k)]) : whole;
  });
  return { ...below, offsets };
}

const same = (i: number): number => i;

function leafView(t: Tensor, held: Held): HostView {
  const strides = stridesOf(t.shape);
  return {
    data: t.data,
    start: held.reduce<number>((sum, i, axis) => sum + (i ?? 0) * strides[axis], 0),
    offsets: held.map((i, axis) =>
      i === null ? Int32Array.from({ length: t.shape[axis] }, (_, k) => k * strides[axis]) : null,
    ),
  };
}
