/** Means that leave padding out. */
import { Tensor } from "../graph/tensor.ts";
import { ndarray } from "../tensor/array.ts";

/** The mean over prompts and positions that are text, with those axes of size 1. */
export function meanOverText(x: Tensor, mask: Tensor | undefined): Tensor {
  const pos = x.axes.includes("query") ? "query" : "pos";
  const over = ["batch", pos];
  if (!mask) return x.mean(over, true);
  const [batch, at] = over.map((axis) => x.axes.indexOf(axis));
  const shape = x.shape.map((n, i) => (i === batch || i === at ? n : 1));
  const text = Tensor.leaf(ndarray("bool", shape, mask.data as Uint8Array<ArrayBuffer>), x.axes);
  const count = text.cast("float32").sum(over, true);
  return x.where(text, x.constant(0)).sum(over, true).div(count);
}
