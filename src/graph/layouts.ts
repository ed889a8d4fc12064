/** Which values are only a new layout: the same numbers in other places, or in another shape. */
import type { Op } from "./op.ts";
import { ops } from "./ops/index.ts";
import type { Tensor } from "./tensor.ts";

/** Values of a graph, in order, that are weights in another layout: made by layout ops only from weights. */
export function weightLayouts(order: readonly Tensor[]): ReadonlySet<Tensor> {
  const fixed = new Set<Tensor>();
  for (const t of order) addIfFixed(t, fixed);
  return fixed;
}

/** Adds a value to those that are weights in some layout, if it is one of them; its inputs were asked about before. */
export function addIfFixed(t: Tensor, fixed: Set<Tensor>): boolean {
  const isFixed =
    t.op === null ? t.role === "weight" : ops[t.op].layout !== null && t.inputs.every((x) => fixed.has(x));
  if (isFixed) fixed.add(t);
  return isFixed;
}

/** What a value is made of by ops that leave the numbers in their order, so that only the shape changes. */
export function unshaped(t: Tensor): Tensor {
  let x = t;
  while (x.op !== null && keepsOrder(ops[x.op])) x = x.inputs[0];
  return x;
}

/** Whether a value is its input under another name: a hook point, or other names of axes. */
export const isName = (t: Tensor): boolean => t.op !== null && ops[t.op].layout === "name";

const keepsOrder = ({ layout }: Op): boolean => layout === "name" || layout === "shape";
