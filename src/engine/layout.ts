/** Weights laid out anew by layout ops alone: what tells two layouts apart, and which need no copy. */
import { Tensor } from "../graph/tensor.ts";

const ids = new WeakMap<object, number>();
let nextId = 0;

/** A number for each array, for as long as the array lives. */
function idOf(data: object): number {
  if (!ids.has(data)) ids.set(data, nextId++);
  return ids.get(data)!;
}

const keys = new WeakMap<Tensor, string>();

/** Equal for the same ops on the same weights. */
export function layoutKey(t: Tensor): string {
  const known = keys.get(t);
  if (known) return known;
  const key =
    t.op === null
      ? `${idOf(t.array!.data)}[${t.shape}]`
      : t.op === "point"
        ? layoutKey(t.inputs[0])
        : `${t.op}${JSON.stringify(t.attrs)}(${t.inputs.map(layoutKey).join()})`;
  keys.set(t, key);
  return key;
}

/** The weight that a layout is kept with: it goes when the weight goes. */
export function keeper(t: Tensor): object {
  return t.op === null ? t.array!.data : keeper(t.inputs[0]);
}

const reshapes: ReadonlySet<string> = new Set(["point", "splitAxis", "mergeAxes", "unsqueeze", "squeeze"]);

/** Whether an op leaves the numbers in their order, so that only the shape changes. */
export function keepsOrder(op: string): boolean {
  return reshapes.has(op);
}

/** The weight under a layout that leaves its numbers in their order, so that it needs no copy; else `undefined`. */
export function uncopied(t: Tensor): Tensor | undefined {
  if (t.op === null) return t;
  return keepsOrder(t.op) ? uncopied(t.inputs[0]) : undefined;
}

/** The same layout on leaves that count as feeds, so that a plan computes it instead of asking for it. */
export function computedLayout(t: Tensor): Tensor {
  if (t.op === null) return Tensor.leaf(t.array!, t.axes);
  return Tensor.apply(t.op, t.inputs.map(computedLayout), t.attrs);
}
