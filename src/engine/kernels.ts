/** Steps that stand for several ops, as the runtime does them in one go. Only plans have them, graphs do not. */
import type { Attrs, Emitter, Op, Operand } from "../graph/op.ts";
import { type OpName, ops } from "../graph/ops/index.ts";
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

const kernels = {
  linear,
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
