/** Weights in new layouts, made only by layout ops: what distinguishes two layouts, and which need no copy. */
import { unshaped } from "../graph/layouts.ts";
import { ops } from "../graph/ops/index.ts";
import type { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import { identityOf } from "../tensor/kept.ts";

let nextId = 0;
const ids = new WeakMap<object, number>();

/** A number for each array, for as long as the array lives. */
function idOf(data: object): number {
  if (!ids.has(data)) ids.set(data, nextId++);
  return ids.get(data)!;
}

interface Layout {
  readonly key: string;
  readonly keeper: object;
}

const layouts = new WeakMap<Tensor, Layout>();
/** Short keys by what a layout is made of, next to the weight that it is kept with: a long chain of ops has no longer key. */
const shortKeys = new WeakMap<object, Map<string, string>>();

/** Equal for the same ops on the same weights. */
export function layoutKey(t: Tensor): string {
  return layoutOf(t).key;
}

/** The weight that a layout is kept with: the layout goes when the weight goes. */
export function keeper(t: Tensor): object {
  return layoutOf(t).keeper;
}

function layoutOf(t: Tensor): Layout {
  for (const x of topological([t], layouts)) layouts.set(x, described(x));
  return layouts.get(t)!;
}

/** A layout whose inputs are known. */
function described(t: Tensor): Layout {
  if (t.op === null) {
    const keeper = identityOf(t.array!);
    return { key: `${idOf(keeper)}[${t.shape}]`, keeper };
  }
  const inputs = t.inputs.map((x) => layouts.get(x)!);
  if (ops[t.op].layout === "name") return inputs[0];
  const { keeper } = inputs[0];
  const known = shortKeys.get(keeper) ?? new Map<string, string>();
  shortKeys.set(keeper, known);
  const made = `${t.op}${JSON.stringify(t.attrs)}(${inputs.map((x) => x.key)})`;
  const key = known.get(made) ?? `layout ${nextId++}`;
  known.set(made, key);
  return { key, keeper };
}

const made = new WeakMap<Tensor, Map<string, Tensor>>();

/** A weight laid out in a way that has a name: the same value each time, so that its key is computed once. */
export function laidOutOnce(weight: Tensor, how: string, make: (weight: Tensor) => Tensor): Tensor {
  const known = made.get(weight) ?? new Map<string, Tensor>();
  made.set(weight, known);
  const layout = known.get(how) ?? make(weight);
  known.set(how, layout);
  return layout;
}

/** The weight under a layout that leaves its numbers in their order, so that it needs no copy; otherwise `undefined`. */
export function uncopied(t: Tensor): Tensor | undefined {
  const x = unshaped(t);
  return x.op === null ? x : undefined;
}
