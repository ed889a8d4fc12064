/**
 * Weights that are kept in fewer bits (`src/tensor/kept.ts`) are fed as they are kept. A product takes them so, a lookup unpacks only
 * its rows, and everything else unpacks them first; float32 copies of them exist only while a step needs them.
 */
import { isName } from "../graph/layouts.ts";
import type { Attrs, Emitter, Operand } from "../graph/op.ts";
import { attrsOf, type Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import { BLOCK, FORMATS, type Kept, type KeptArray, keptOf } from "../tensor/kept.ts";
import type { Feed, KeptPart, SlotDType } from "./feeds.ts";

/** A leaf whose numbers are kept in fewer bits, or a layout of one. */
export function restsOnKept(t: Tensor): boolean {
  return topological([t]).some((x) => x.op === null && keptOf(x.array) !== undefined);
}

/** What is fed of a kept weight, in the order in which steps take it. */
export function partsOf({ dtype }: Kept): readonly KeptPart[] {
  return FORMATS[dtype].scaled ? ["codes", "scales"] : ["codes"];
}

/** A part's numbers. */
export function feedOf({ array }: Tensor, part: KeptPart): Feed {
  const { pre, post, codes, scales, dtype } = (array as KeptArray).kept;
  const rows = pre * post;
  if (part === "scales") return { dtype: "float32", shape: [rows, scales!.length / rows], data: scales! };
  return { dtype: codeDType(dtype), shape: [rows, codes.length / rows], data: codes };
}

/** What the runtime calls a format's codes; in JavaScript it has no bfloat16, which is the upper half of a float32. */
function codeDType(dtype: Kept["dtype"]): SlotDType {
  if (FORMATS[dtype].scaled) return "uint8";
  return dtype === "float16" ? "float16" : "uint16";
}

/** What a step knows of a kept weight. */
export function keptAttrs({ dtype, pre, k, post }: Kept): { dtype: string; pre: number; k: number; post: number } {
  return { dtype, pre, k, post };
}

/** The kept weight that is the second factor [k n] of a product, in the order in which its rows are kept. */
export function keptFactor(t: Tensor): Tensor | undefined {
  if (t.shape.length !== 2) return undefined;
  const found = axesOf(t);
  const kept = keptOf(found?.leaf.array);
  if (!found || !kept) return undefined;
  const { shape } = found.leaf;
  let [first, last] = [0, 0];
  let size = 1;
  while (first < shape.length && size < kept.pre) size *= shape[first++];
  for (last = first, size = 1; last < shape.length && size < kept.k; ) size *= shape[last++];
  const all = shape.map((_, axis) => axis);
  const inner = all.slice(first, last);
  const columns = [...all.slice(0, first), ...all.slice(last)];
  const [a, b] = found.axes;
  return a.join() === inner.join() && b.join() === columns.join() ? found.leaf : undefined;
}

/** The leaf that a value is a layout of, and which axes of the leaf each of its axes is made of; `undefined` for other values. */
function axesOf(t: Tensor): { readonly leaf: Tensor; readonly axes: readonly (readonly number[])[] } | undefined {
  if (t.op === null) return { leaf: t, axes: t.shape.map((_, axis) => [axis]) };
  const permuted = attrsOf(t, "permute");
  const merge = attrsOf(t, "mergeAxes");
  const from = permuted || merge || isName(t) ? axesOf(t.inputs[0]) : undefined;
  if (!from) return undefined;
  const { leaf, axes } = from;
  if (permuted) {
    const rank = axes.length;
    const moved = permuted.perm.map((axis) => axes[axis < 0 ? axis + rank : axis]);
    return { leaf, axes: [...axes.slice(0, rank - moved.length), ...moved] };
  }
  if (!merge) return from;
  const at = merge.axis + axes.length;
  return { leaf, axes: axes.toSpliced(at, merge.count, axes.slice(at, at + merge.count).flat()) };
}

/** The kept weight whose rows, along its first axis, a lookup picks. */
export function keptRows(t: Tensor): Tensor | undefined {
  let [x] = t.inputs;
  while (isName(x)) [x] = x.inputs;
  const kept = keptOf(x.array);
  const isFirst = attrsOf(t, "gather")?.axis === -x.shape.length;
  return kept && isFirst && x.shape.length === 2 && kept.post === 1 && kept.pre === x.shape[0] ? x : undefined;
}

/** Some rows [row k] of a kept weight in float32: those that an index says, or all. */
function rowsAsFloats(emit: Emitter, [codes, beside]: readonly Operand[], attrs: Attrs, index?: Operand): string {
  const { dtype, k } = attrs as { dtype: Kept["dtype"]; k: number };
  const { bits, scaled } = FORMATS[dtype];
  if (scaled) {
    const blockwise = { gather_axis: 0, quantize_axis: 1, block_size: BLOCK, bits };
    const rows = emit.node(
      "GatherBlockQuantized",
      [codes.name, index?.name ?? everyRow(emit, codes), beside.name],
      blockwise,
    );
    if (k % BLOCK === 0) return rows;
    return emit.node("Slice", [rows, emit.int64([0]), emit.int64([k]), emit.int64([-1])]);
  }
  const picked = index ? emit.node("Gather", [codes.name, index.name], { axis: 0 }) : codes.name;
  if (dtype === "float16") return emit.node("Cast", [picked], { to: FLOAT32 });
  const halves = emit.node("Cast", [picked], { to: UINT32 });
  const sixteen = emit.node("Cast", [emit.int64([16], [])], { to: UINT32 });
  const words = emit.node("BitShift", [halves, sixteen], { direction: "LEFT" });
  return emit.node("BitCast", [words], { to: FLOAT32 });
}
const FLOAT32 = 1;
const UINT32 = 12;

/** 0, 1, … to the number of rows. */
function everyRow(emit: Emitter, codes: Operand): string {
  const shape = emit.node("Shape", [codes.name]);
  const count = emit.node("Squeeze", [emit.node("Slice", [shape, emit.int64([0]), emit.int64([1])])]);
  return emit.node("Range", [emit.int64([0], []), count, emit.int64([1], [])]);
}

/** A kept weight in float32, [pre k post] under its own shape. */
export function unpack(emit: Emitter, parts: readonly Operand[], attrs: Attrs): string {
  const { pre, k, post, shape } = attrs as { pre: number; k: number; post: number; shape: readonly number[] };
  const rows = rowsAsFloats(emit, parts, attrs);
  if (post === 1) return emit.node("Reshape", [rows, emit.int64(shape)]);
  const apart = emit.node("Reshape", [rows, emit.int64([pre, post, k])]);
  return emit.node("Reshape", [emit.node("Transpose", [apart], { perm: [0, 2, 1] }), emit.int64(shape)]);
}

/** Rows of a kept weight: its parts, then the index. */
export function unpackRows(emit: Emitter, inputs: readonly Operand[], attrs: Attrs): string {
  return rowsAsFloats(emit, inputs.slice(0, -1), attrs, inputs.at(-1));
}

/** `x W` with a kept weight, [... k] to [... n]. */
export function keptProduct(emit: Emitter, [x, ...parts]: readonly Operand[], attrs: Attrs): string {
  const { dtype, pre, k, post } = attrs as { dtype: Kept["dtype"]; pre: number; k: number; post: number };
  const { bits, scaled } = FORMATS[dtype];
  if (!scaled) {
    // A slice that depends on x: the runtime would otherwise decode all weights first, and hold them together.
    const rank = emit.node("Size", [emit.node("Shape", [x.name])]);
    const end = emit.node("Reshape", [emit.node("Mul", [rank, emit.int64([2 ** 40])]), emit.int64([1])]);
    const name = emit.node("Slice", [parts[0].name, emit.int64([0]), end, emit.int64([0])]);
    const floats = rowsAsFloats(emit, [{ ...parts[0], name }], attrs);
    return emit.node("FusedMatMul", [x.name, floats], { transB: 1 });
  }
  const [codes, scales] = parts;
  const rows = pre * post;
  const blocks = emit.node("Reshape", [codes.name, emit.int64([rows, Math.ceil(k / BLOCK), (BLOCK * bits) / 8])]);
  // Accuracy level 1 is float32 arithmetic.
  const sizes = { K: k, N: rows, bits, block_size: BLOCK, accuracy_level: 1 };
  return emit.node("MatMulNBits", [x.name, blocks, scales.name], sizes);
}
