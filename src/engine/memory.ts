/** How much memory a plan needs while it runs. */
import { ops } from "../graph/ops/index.ts";
import type { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import { sizeOf } from "../tensor/array.ts";
import { selectEarly } from "./select.ts";

/**
 * The most bytes that values which steps make hold at one time, at four bytes a number: each from its step until the last
 * step that uses it. Leaves are not counted, nor the engine's own overhead.
 */
export function peakBytes(outputs: readonly Tensor[]): number {
  const selected = selectEarly(outputs);
  const order = topological(selected);
  const owner = new Map<Tensor, Tensor>();
  const lastUse = new Map<Tensor, number>();
  order.forEach((t, i) => {
    // A point is what it names; a layout of weights is an input.
    owner.set(t, t.op === "point" ? owner.get(t.inputs[0])! : t);
    for (const x of t.inputs) lastUse.set(owner.get(x)!, i);
  });
  for (const t of selected) lastUse.set(owner.get(t)!, order.length);
  const endsAt = new Map<number, number>();
  let live = 0;
  let peak = 0;
  const fixed = new Set<Tensor>();
  order.forEach((t, i) => {
    const layout = t.op === null || (ops[t.op].layout && t.inputs.every((x) => fixed.has(x)));
    if (layout && (t.op !== null || t.role === "weight")) fixed.add(t);
    if (t.op !== null && t.op !== "point" && !fixed.has(t)) {
      const bytes = 4 * sizeOf(t.shape);
      live += bytes;
      const end = lastUse.get(t) ?? i;
      endsAt.set(end, (endsAt.get(end) ?? 0) + bytes);
      peak = Math.max(peak, live);
    }
    live -= endsAt.get(i) ?? 0;
  });
  return peak;
}
