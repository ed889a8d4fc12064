/**
 * Selecting early: a selection of positions or rows commutes with every op that works along them independently, so it
 * moves up the graph to the last op that mixes them. "Only the last position's logits" then computes one row of the
 * unembedding, and a padded batch costs only its real tokens, without code of their own anywhere.
 */
import type { Op } from "../graph/op.ts";
import { ops } from "../graph/ops/index.ts";
import { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";

/** Some elements along one axis (`gather` by a list, `slice`), or some rows of the leading axes (`gatherRows`). */
type Selection =
  | { readonly kind: "gather"; readonly axis: number; readonly index: Tensor }
  | { readonly kind: "slice"; readonly axis: number; readonly start: number; readonly end: number | null }
  | { readonly kind: "rows"; readonly index: Tensor; readonly k: number };

/** The same outputs, computed with every selection as far up as it goes. */
export function selectEarly(outputs: readonly Tensor[]): readonly Tensor[] {
  const order = topological(outputs);
  if (!order.some((t) => selectionOf(t))) return outputs;
  const pushed = decide(order, new Set(outputs));
  if (pushed.size === 0) return outputs;
  return rebuild(order, outputs, pushed);
}

/** For each value needed only under one selection that its op lets through: what it then needs of its inputs. */
function decide(order: readonly Tensor[], outputs: ReadonlySet<Tensor>): Map<Tensor, readonly (Selection | null)[]> {
  const demands = new Map<Tensor, Map<string, Selection | null>>();
  const ids = new Map<Tensor, number>();
  const demand = (t: Tensor, s: Selection | null) => {
    const known = demands.get(t) ?? new Map<string, Selection | null>();
    demands.set(t, known.set(keyOf(s, ids), s));
  };
  for (const output of outputs) demand(output, null);
  const pushed = new Map<Tensor, readonly (Selection | null)[]>();
  for (const t of order.toReversed()) {
    const wanted = [...demands.get(t)!.values()];
    const only = wanted.length === 1 ? wanted[0] : null;
    const through = only && t.op !== null ? passes(t, only) : undefined;
    if (through) {
      pushed.set(t, through);
      t.inputs.forEach((input, i) => {
        demand(input, through[i]);
      });
      continue;
    }
    const own = selectionOf(t);
    t.inputs.forEach((input, i) => {
      demand(input, own && i === 0 ? own : null);
    });
  }
  return pushed;
}

function rebuild(
  order: readonly Tensor[],
  outputs: readonly Tensor[],
  pushed: ReadonlyMap<Tensor, readonly (Selection | null)[]>,
): Tensor[] {
  const made = new Map<Tensor, Tensor>();
  const ids = new Map<Tensor, number>();
  const applied = new Map<string, Tensor>();
  /** What stands for `t` under a selection: itself if its op already works on the selection, else its selected part. */
  const under = (t: Tensor, s: Selection | null): Tensor => {
    const whole = made.get(t)!;
    if (!s || pushed.has(t)) return whole;
    if (!ids.has(t)) ids.set(t, ids.size);
    const key = `${ids.get(t)} ${keyOf(s, ids)}`;
    if (!applied.has(key)) applied.set(key, select(whole, s));
    return applied.get(key)!;
  };
  for (const t of order) {
    const through = pushed.get(t);
    if (through) {
      const inputs = t.inputs.map((x, i) => under(x, through[i]));
      made.set(t, reapply(t, inputs, through));
    } else {
      const own = selectionOf(t);
      if (own) made.set(t, named(under(t.inputs[0], own), t.axes));
      else if (t.op === null) made.set(t, t);
      else {
        const inputs = t.inputs.map((x) => made.get(x)!);
        made.set(t, inputs.every((x, i) => x === t.inputs[i]) ? t : Tensor.apply(t.op, inputs, t.attrs));
      }
    }
  }
  return outputs.map((t) => made.get(t)!);
}

function selectionOf(t: Tensor): Selection | undefined {
  if (t.op === "slice") return { kind: "slice", ...t.attrs, axis: t.attrs.axis + t.shape.length };
  if (t.op === "gatherRows") return { kind: "rows", index: t.inputs[1], k: t.inputs[1].shape[1] };
  if (t.op === "gather" && t.inputs[1].shape.length === 1 && t.inputs[1].op === null) {
    return { kind: "gather", axis: t.attrs.axis + t.shape.length, index: t.inputs[1] };
  }
  return undefined;
}

function select(t: Tensor, s: Selection): Tensor {
  if (s.kind === "slice") return t.slice(s.axis, s.start, s.end);
  if (s.kind === "rows") return t.gatherRows(s.index);
  // Higher up the part keeps the name of the axis it is taken from (query, pos); where it was asked for it gets its own.
  return named(t.gather(s.axis, s.index), t.axes);
}

function named(t: Tensor, axes: readonly string[]): Tensor {
  return axes.every((axis, i) => t.axes[i] === axis) ? t : t.rename(axes);
}

function keyOf(s: Selection | null, ids: Map<Tensor, number>): string {
  if (!s) return "all";
  if (s.kind === "slice") return `slice ${s.axis} ${s.start} ${s.end}`;
  if (!ids.has(s.index)) ids.set(s.index, ids.size);
  return s.kind === "gather" ? `gather ${s.axis} ${ids.get(s.index)}` : `rows ${ids.get(s.index)}`;
}

/** What a selection of the op's result asks of each input; `undefined` if the op does not let it through. */
function passes(t: Tensor, s: Selection): readonly (Selection | null)[] | undefined {
  const op: Op = ops[t.op!];
  if (selectionOf(t)) return undefined;
  if (s.kind !== "rows") {
    const along = op.along(s.axis, t.inputs, t.attrs, t);
    // A repeated input of size 1 has nothing to select from, but then the result's size comes from another.
    if (!along?.some((axis) => axis !== null)) return undefined;
    if (t.op === "splitAxis" || t.op === "repeat" || t.op === "unsqueeze") {
      if (along[0] === null) return undefined;
    }
    return along.map((axis) => (axis === null ? null : { ...s, axis }));
  }
  if (!rowOps.has(t.op!) || (t.op === "matmul" && t.inputs[1].shape.length !== 2)) return undefined;
  if (t.op === "gather" && t.attrs.axis + t.inputs[0].shape.length !== 0) return undefined;
  const lead = Array.from({ length: s.k }, (_, axis) => op.along(axis, t.inputs, t.attrs, t));
  if (lead.some((along) => along === undefined)) return undefined;
  const asked = t.inputs.map((input, i) => {
    const axes = lead.map((along) => along![i]);
    if (axes.every((axis, j) => axis === j)) return s;
    // Broadcast from the right: an input without any of the leading axes is the same for all rows; so is a weight.
    const shared = axes.every((axis) => axis === null);
    return shared && (t.op === "matmul" || t.op === "linear" || input.shape.length <= t.shape.length - s.k)
      ? null
      : undefined;
  });
  if (asked.some((a) => a === undefined) || asked.every((a) => a === null)) return undefined;
  return asked as (Selection | null)[];
}

/** Ops whose attributes mean the same on rows. */
const rowOps = new Set<string>([
  ...["add", "sub", "mul", "div", "pow", "maximum", "minimum", "equal", "lessThan", "and", "or", "not", "where"],
  ...[
    "neg",
    "abs",
    "sign",
    "exp",
    "log",
    "sqrt",
    "tanh",
    "sigmoid",
    "relu",
    "sin",
    "cos",
    "erf",
    "gelu",
    "cast",
    "point",
  ],
  ...[
    "sum",
    "mean",
    "max",
    "min",
    "logSumExp",
    "argmax",
    "softmax",
    "matmul",
    "linear",
    "gather",
    "pick",
    "crossEntropy",
  ],
  ...["splitAxis", "mergeAxes", "unsqueeze", "squeeze"],
]);

/** The op on selected inputs. As ops count axes from the end, those behind the selected ones keep their numbers. */
function reapply(t: Tensor, inputs: readonly Tensor[], asked: readonly (Selection | null)[]): Tensor {
  const { label: _label, ...attrs } = t.attrs;
  if (t.op === "point" && attrs.axes) {
    const rows = asked[0]?.kind === "rows" ? asked[0].k : 0;
    return inputs[0].rename(rows ? inputs[0].axes.map((a, i) => (i === 0 ? a : t.axes[i + rows - 1])) : t.axes);
  }
  return t.op === "point" ? inputs[0] : Tensor.apply(t.op!, inputs, attrs);
}
