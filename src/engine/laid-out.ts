/**
 * Weights in new layouts: their numbers copied to other places, each once. It is done here and not by the runtime, which would hold what it
 * makes twice, and of a transposed unembedding takes twice as long. Measured: [512 48262] in 75 ms, 40 of which are new memory; 145 ms by
 * onnxruntime, 52 of which are its Transpose.
 */
import { ops } from "../graph/ops/index.ts";
import { attrsOf, type Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import { type DType, emptyData, type NDArray, sizeOf, stridesOf, type TypedData } from "../tensor/array.ts";

/** Where numbers lie: element (i, j, ...) is `data[start + i strides[0] + j strides[1] + ...]`. */
interface Lying {
  readonly data: TypedData;
  readonly start: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Numbers that are at most copied between two turns of the page, in about 10 ms. */
const TURN = 1 << 21;

/** What layout ops make of weights, as an array, in steps between which others may have their turn. */
export function* laidOut(layout: Tensor): Generator<undefined, NDArray> {
  const known = new Map<Tensor, Lying>();
  for (const t of topological([layout])) {
    known.set(
      t,
      yield* lying(
        t,
        t.inputs.map((x) => known.get(x)!),
      ),
    );
  }
  const { data } = yield* inOrder(layout.dtype, known.get(layout)!);
  return { dtype: layout.dtype, shape: layout.shape, data } as NDArray;
}

/** Where a value's numbers lie, copied only if they cannot stay where its inputs' are. */
function* lying(t: Tensor, inputs: readonly Lying[]): Generator<undefined, Lying> {
  const { op, shape, dtype } = t;
  if (op === null) return contiguous(t.array!.data, shape);
  const [x] = inputs;
  if (ops[op].layout === "name") return x;
  if (op === "concat") return yield* joined(dtype, shape, inputs, attrsOf(t, "concat")!.axis + shape.length);
  const held = shape.map(() => null);
  const view = ops[op].view(t.inputs, t.attrs, t, held);
  if (!view) return contiguous((yield* inOrder(dtype, x)).data, shape);
  const strides = shape.map(() => 0);
  let { start } = x;
  for (const [axis, { from, at = (i: number) => i }] of view.axes.entries()) {
    start += at(0) * x.strides[axis];
    if (from !== null) strides[from] += (at(1) - at(0)) * x.strides[axis];
  }
  return { data: x.data, start, shape, strides };
}

const contiguous = (data: TypedData, shape: readonly number[]): Lying => ({
  ...{ data, shape },
  start: 0,
  strides: stridesOf(shape),
});

/** The numbers in their order in an array of their own, the same one if that is how they lie. */
function* inOrder(dtype: DType, x: Lying): Generator<undefined, Lying> {
  const strides = stridesOf(x.shape);
  const isWhole = x.data.length === sizeOf(x.shape);
  if (isWhole && x.shape.every((size, axis) => size === 1 || x.strides[axis] === strides[axis])) return x;
  const to = contiguous(emptyData(dtype, sizeOf(x.shape)), x.shape);
  yield* copy(x, to);
  return to;
}

/** Values one after the other along an axis. */
function* joined(
  dtype: DType,
  shape: readonly number[],
  inputs: readonly Lying[],
  axis: number,
): Generator<undefined, Lying> {
  const whole = contiguous(emptyData(dtype, sizeOf(shape)), shape);
  let start = 0;
  for (const x of inputs) {
    yield* copy(x, { ...whole, start });
    start += x.shape[axis] * whole.strides[axis];
  }
  return whole;
}

/** An axis of what is copied: its size, and how far apart its elements lie there and here. */
interface Axis {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/** Copies all numbers of `from` to the same places of `to`, along the fewest axes that do it. */
function* copy(from: Lying, to: Lying): Generator<undefined, void> {
  const axes = axesOf(from, to);
  const inner = axes.pop() ?? { size: 1, from: 1, to: 1 };
  // Where neighbours there are not neighbours here, blocks are read and written that both fit into the cache.
  const tile = inner.from === 1 ? -1 : axes.findIndex((axis) => axis.from === 1);
  const [across] = tile < 0 ? [] : axes.splice(tile, 1);
  axes.reverse();
  const lines = sizeOf(axes.map(({ size }) => size));
  let copied = 0;
  for (let line = 0; line < lines; line++) {
    let [read, write] = [from.start, to.start];
    let rest = line;
    for (const axis of axes) {
      const i = rest % axis.size;
      rest = (rest - i) / axis.size;
      read += i * axis.from;
      write += i * axis.to;
    }
    const step = across ? BLOCK * Math.max(1, Math.floor(TURN / inner.size / BLOCK)) : 1;
    for (let first = 0; first < (across?.size ?? 1); first += step) {
      if (across) {
        const size = Math.min(step, across.size - first);
        copyAcross(from.data, read + first, to.data, write + first * across.to, inner, { ...across, size });
      } else copyLine(from.data, read, to.data, write, inner);
      copied += inner.size * step;
      if (copied < TURN / 2) continue;
      copied = 0;
      yield;
    }
  }
}

/** The axes along which numbers are copied, the one along which they lie densest here last; two that are one at both ends are one. */
function axesOf({ shape, strides }: Lying, to: Lying): Axis[] {
  const all = shape
    .map((size, i): Axis => ({ size, from: strides[i], to: to.strides[i] }))
    .filter(({ size }) => size !== 1)
    .toSorted((a, b) => b.to - a.to);
  const merged: Axis[] = [];
  for (const axis of all) {
    const outer = merged.at(-1);
    if (outer && outer.from === axis.size * axis.from && outer.to === axis.size * axis.to) {
      merged[merged.length - 1] = { ...axis, size: outer.size * axis.size };
    } else merged.push(axis);
  }
  return merged;
}

function copyLine(data: TypedData, read: number, out: TypedData, write: number, { size, from, to }: Axis): void {
  if (from === 1 && to === 1) {
    out.set(data.subarray(read, read + size), write);
    return;
  }
  for (let i = 0; i < size; i++) out[write + i * to] = data[read + i * from];
}

/** Numbers of a cache line. */
const BLOCK = 16;

/** Lines that lie across there: of each block, four at a time are read along `across` and written next to each other. */
function copyAcross(
  data: TypedData,
  read: number,
  out: TypedData,
  write: number,
  { size, from, to }: Axis,
  across: Axis,
): void {
  for (let block = 0; block < across.size; block += BLOCK) {
    const end = Math.min(block + BLOCK, across.size);
    let i = 0;
    for (; i + 3 < size; i += 4) {
      let r0 = read + block + i * from;
      let r1 = r0 + from;
      let r2 = r1 + from;
      let r3 = r2 + from;
      let w = write + block * across.to + i * to;
      for (let j = block; j < end; j++) {
        out[w] = data[r0++];
        out[w + to] = data[r1++];
        out[w + 2 * to] = data[r2++];
        out[w + 3 * to] = data[r3++];
        w += across.to;
      }
    }
    for (; i < size; i++) {
      for (let j = block; j < end; j++) out[write + j * across.to + i * to] = data[read + j + i * from];
    }
  }
}
