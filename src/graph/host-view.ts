/**
 * Numbers read in place: where those of a value lie that only lays leaves out anew (transposes, new axes, stacks,
 * selections). Host maths on a stack of all layers' weights then copies no weight and runs nothing.
 */
import type { TypedData } from "../tensor/array.ts";
import { stridesOf } from "../tensor/array.ts";
import type { Tensor } from "./tensor.ts";

/** Element (i, j, ...) of the free axes is `data[start + offsets[0][i] + offsets[1][j] + ...]`. */
export interface HostView {
  readonly data: TypedData;
  readonly start: number;
  /** For each axis of the value, where its elements lie; `null` for an axis that was held at one index. */
  readonly offsets: readonly (Int32Array | null)[];
}

/** An index for each axis to hold, `null` for each to leave free. */
type Held = readonly (number | null)[];

/** A value's numbers with some axes held, or `undefined` if they are not in memory under such a rule. */
export function hostView(t: Tensor, held: Held): HostView | undefined {
  if (t.op === null) return leafView(t, held);
  const [x] = t.inputs;
  const at = "axis" in t.attrs ? t.attrs.axis + x.shape.length : 0;
  switch (t.op) {
    case "point":
      return hostView(x, held);
    case "permute": {
      const { perm } = t.attrs;
      const lead = x.shape.length - perm.length;
      const order = t.shape.map((_, i) => (i < lead ? i : perm[i - lead] + x.shape.length));
      const below = hostView(x, held.map((_, i) => held[order.indexOf(i)]) as Held);
      return below && { ...below, offsets: order.map((i) => below.offsets[i]) };
    }
    case "unsqueeze": {
      const below = hostView(x, held.toSpliced(at + 1, 1));
      const own = held[at + 1] === null ? new Int32Array(1) : null;
      return below && { ...below, offsets: below.offsets.toSpliced(at + 1, 0, own) };
    }
    case "squeeze": {
      const below = hostView(x, held.toSpliced(at, 0, 0));
      return below && { ...below, offsets: below.offsets.toSpliced(at, 1) };
    }
    case "repeat":
      return along(x, held, at, () => 0, t.shape[at]);
    case "slice": {
      const start = t.attrs.start < 0 ? t.attrs.start + x.shape[at] : t.attrs.start;
      return along(x, held, at, (i) => start + i, t.shape[at]);
    }
    case "gather": {
      const index = t.inputs[1].array;
      if (index?.shape.length !== 1) return undefined;
      const size = x.shape[at];
      return along(x, held, at, (i) => (index.data[i] < 0 ? index.data[i] + size : index.data[i]), t.shape[at]);
    }
    case "concat": {
      let i = held[at];
      if (i === null) return undefined;
      for (const part of t.inputs) {
        if (i < part.shape[at]) return hostView(part, held.with(at, i));
        i -= part.shape[at];
      }
      return undefined;
    }
    default:
      return undefined;
  }
}

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

/** The view of a selection along one axis: element i is element `from(i)` of `x`. */
function along(x: Tensor, held: Held, axis: number, from: (i: number) => number, size: number): HostView | undefined {
  const i = held[axis];
  if (i !== null) return hostView(x, held.with(axis, from(i)));
  const below = hostView(x, held);
  const whole = below?.offsets[axis];
  if (!below || !whole) return undefined;
  return {
    ...below,
    offsets: below.offsets.with(
      axis,
      Int32Array.from({ length: size }, (_, k) => whole[from(k)]),
    ),
  };
}
