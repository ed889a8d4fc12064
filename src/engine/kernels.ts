/** Steps that stand for several ops, as the runtime does them in one go. Only plans have them, graphs do not. */
import type { Attrs, Emitter, Op, Operand } from "../graph/op.ts";
import { type OpName, ops } from "../graph/ops/index.ts";
import { ofFinite } from "../graph/ops/not-finite.ts";
import type { Backend } from "./backend.ts";
import { keptProduct, unpack, unpackRows } from "./kept.ts";

/** What of an op's record a step needs. */
type Kernel = Pick<Op, "onnx" | "scratch">;

/** `x wᵀ + b`: `[... k]`, `[n k]`, `[n]` to `[... n]`, or with `flat` to `[row n]`, for what only leaves the graph. */
const linear: Kernel = {
  onnx(emit: Emitter, [x, w, b]: readonly Operand[], { flat }: Attrs): string {
    if (x.rank === 2) return emit.node("Gemm", [x.name, w.name, b.name], { transB: 1 });
    if (flat) {
      const rows = emit.node("Flatten", [x.name], { axis: x.rank - 1 });
      return emit.node("Gemm", [rows, w.name, b.name], { transB: 1 });
    }
    // The runtime fuses this transpose into the product.
    const transposed = emit.node("Transpose", [w.name], { perm: [1, 0] });
    return emit.node("Add", [emit.node("MatMul", [x.name, transposed]), b.name]);
  },
  scratch: false,
};

/**
 * `x W` of few rows, as `(Wᵀ xᵀ)ᵀ`: `[... k]`, `[n k]` to `[... n]`, or with `flat` to `[row n]`; with a third input `[n]`, that added.
 * The runtime packs the second factor in every product: then that is x, and the weight is read once, as it lies. Its Gemm gains
 * nothing from it.
 */
const fewRows: Kernel = {
  onnx(emit: Emitter, [x, w, b]: readonly Operand[], { flat }: Attrs): string {
    const rows = x.rank === 2 ? x.name : emit.node("Flatten", [x.name], { axis: x.rank - 1 });
    const columns = emit.node("MatMul", [w.name, emit.node("Transpose", [rows], { perm: [1, 0] })]);
    const product = emit.node("Transpose", [columns], { perm: [1, 0] });
    const sum = b ? emit.node("Add", [product, b.name]) : product;
    if (x.rank === 2 || flat) return sum;
    const lead = emit.node("Shape", [x.name], { end: -1 });
    return emit.node("Reshape", [sum, emit.node("Concat", [lead, emit.int64([-1])], { axis: 0 })]);
  },
  scratch: false,
};

/** The same for a runtime that gains nothing by it: `x Wᵀ` as it is written. */
const transposedProduct: Kernel = {
  onnx(emit: Emitter, [x, w, ...b]: readonly Operand[], attrs: Attrs): string {
    if (b.length > 0) return linear.onnx(emit, [x, w, ...b], attrs) as string;
    const rows = attrs.flat ? emit.node("Flatten", [x.name], { axis: x.rank - 1 }) : x.name;
    return emit.node("MatMul", [rows, emit.node("Transpose", [w.name], { perm: [1, 0] })]);
  },
  scratch: false,
};

/** Products of several values, the first `count` inputs, with the same weight (and bias): one product of the rows of all. */
const joinedRows: Kernel = {
  onnx(emit: Emitter, inputs: readonly Operand[], { op, count }: Attrs): readonly string[] {
    const values = inputs.slice(0, count as number);
    const flat = values.map((x) => (x.rank === 2 ? x.name : emit.node("Flatten", [x.name], { axis: x.rank - 1 })));
    const all = { name: emit.node("Concat", flat, { axis: 0 }), rank: 2, dtype: "float32" } as const;
    const product = kernelOf(op as OpName | KernelName).onnx(emit, [all, ...inputs.slice(values.length)], {}) as string;
    const sizes = flat.map((rows) => emit.node("Shape", [rows], { start: 0, end: 1 }));
    const parts = emit.nodeOf(values.length, "Split", [product, emit.node("Concat", sizes, { axis: 0 })], { axis: 0 });
    return values.map((x, i) => {
      if (x.rank === 2) return parts[i];
      const shape = emit.node("Concat", [emit.node("Shape", [x.name], { end: -1 }), emit.int64([-1])], { axis: 0 });
      return emit.node("Reshape", [parts[i], shape]);
    });
  },
  scratch: false,
};

/** The same for such a runtime: a product for each. */
const productsApart: Kernel = {
  onnx(emit: Emitter, inputs: readonly Operand[], { op, count }: Attrs): readonly string[] {
    const [values, rest] = [inputs.slice(0, count as number), inputs.slice(count as number)];
    const kernel = op === "fewRows" ? transposedProduct : kernelOf(op as OpName | KernelName);
    return values.map((x) => kernel.onnx(emit, [x, ...rest], {}) as string);
  },
  scratch: false,
};

/** The columns of a value in several parts: `[... m+n+...]` to `[... m]`, `[... n]`, ... */
const parts: Kernel = {
  onnx(emit: Emitter, [x]: readonly Operand[], attrs: Attrs): readonly string[] {
    const sizes = attrs.sizes as readonly number[];
    return emit.nodeOf(sizes.length, "Split", [x.name, emit.int64(sizes)], { axis: -1 });
  },
  scratch: false,
};

/** A single row times the parts of a matrix's rows, `Σ_part x_part w_part`: `[... part*k]` of one row, `[part k n]` to `[... n]`. */
const tallProduct: Kernel = {
  onnx(emit: Emitter, [x, w]: readonly Operand[], attrs: Attrs): string {
    const lead = Array.from({ length: x.rank - 1 }, () => 0);
    const shape = emit.int64([...lead, attrs.count as number, 1, -1]);
    const products = emit.node("MatMul", [emit.node("Reshape", [x.name, shape]), w.name]);
    return emit.node("ReduceSum", [products, emit.int64([-3, -2])], { keepdims: 0 });
  },
  scratch: false,
};

/** `x / sqrt(mean(x²) + eps) w` along the last axis: `[... d]`, `[d]` to `[... d]`. onnxruntime's operator, in ONNX's own domain. */
const rmsNorm: Kernel = {
  onnx(emit: Emitter, [x, w]: readonly Operand[], { eps }: Attrs): string {
    return emit.node("SimplifiedLayerNormalization", [x.name, w.name], { axis: -1, epsilon: { float: eps as number } });
  },
  scratch: false,
};

/** GELU by tanh, as onnxruntime's own operator, which knows no other. */
const fastGelu: Kernel = { onnx: (emit, [x]) => emit.node("FastGelu", [x.name]), scratch: false };

/**
 * A value where a mask holds, and -Infinity elsewhere: `[...]`, `[...]` to `[...]` of the second. The runtime's Where goes over it three times
 * on one thread, a sum once, on all.
 */
const masked: Kernel = {
  onnx(emit: Emitter, [mask, x]: readonly Operand[]): string {
    const where = (shown: string) => emit.node("Where", [mask.name, shown, emit.float(-Infinity)]);
    if (!emit.branches) return where(x.name);
    const hidden = where(emit.float(0));
    return ofFinite(emit, x, { fast: () => emit.node("Add", [x.name, hidden]), exact: () => where(x.name) });
  },
  scratch: false,
};

const kernels = {
  rmsNorm,
  fastGelu,
  linear,
  masked,
  fewRows,
  joinedRows,
  parts,
  tallProduct,
  unpack: { onnx: unpack, scratch: false },
  unpackRows: { onnx: unpackRows, scratch: false },
  keptProduct: { onnx: keptProduct, scratch: false },
} satisfies Record<string, Kernel>;

export type KernelName = keyof typeof kernels;

const all: { readonly [K in OpName | KernelName]: Kernel } = { ...ops, ...kernels };

/** How a step is written, and what memory it takes on the way. */
export function kernelOf(op: OpName | KernelName): Kernel {
  return all[op];
}

/** What of a backend decides how steps are written. */
export type WrittenFor = Pick<Backend, "geluByErf" | "weightsFirst" | "branches">;

/** How a step is written for a backend. */
export function kernelOn(backend: WrittenFor, op: OpName | KernelName, attrs: Attrs): Kernel {
  if (op === "gelu" && attrs.approximate === "tanh" && backend.geluByErf) return fastGelu;
  if (op === "fewRows" && !backend.weightsFirst) return transposedProduct;
  if (op === "joinedRows" && !backend.weightsFirst) return productsApart;
  return kernelOf(op);
}
