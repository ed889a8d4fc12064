/**
 * Selecting early: a selection of positions or rows commutes with every op that works along them independently, so it
 * moves up the graph to the last op that mixes them. "Only the last position's logits" then computes one row of the
 * unembedding, and a padded batch costs only its real tokens, without code of their own anywhere.
 */
import type { Along, Attrs, Selection as SelectionOf } from "../op.ts";
import { ops } from "../ops/index.ts";
import type { Tensor } from "../tensor.ts";
import { topological } from "../walk.ts";

type Selection = SelectionOf<Tensor>;

/** The same outputs, computed with every selection as far up as it goes. */
export function selectEarly(outputs: readonly Tensor[]): readonly Tensor[] {
  const order = topological(outputs);
  if (!order.some((t) => selectionOf(t))) return outputs;
  const pushed = decide(order, new Set(outputs));
  if (pushed.size === 0) return outputs;
  return rebuild(order, outputs, pushed);
}

/** For each value needed only under one selection that its op lets through: what it then needs of its inputs. */
function decide(order: readonly Tensor[], outputs: ReadonlySet<Tensor>): Map<Tensor, Passed> {
  const demands = new Map<Tensor, Map<string, Selection | null>>();
  const ids = new Map<Tensor, number>();
  const demand = (t: Tensor, s: Selection | null) => {
    const known = demands.get(t) ?? new Map<string, Selection | null>();
    demands.set(t, known.set(keyOf(s, ids), s));
  };
  for (const output of outputs) demand(output, null);
  const pushed = new Map<Tensor, Passed>();
  for (const t of order.toReversed()) {
    const wanted = [...demands.get(t)!.values()];
    const only = wanted.length === 1 ? wanted[0] : null;
    const through = only && passes(t, only);
    if (through) {
      pushed.set(t, through);
      t.inputs.forEach((input, i) => {
        demand(input, through.asked[i]);
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

function rebuild(order: readonly Tensor[], outputs: readonly Tensor[], pushed: ReadonlyMap<Tensor, Passed>): Tensor[] {
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
      const inputs = t.inputs.map((x, i) => under(x, through.asked[i]));
      made.set(t, reapply(t, inputs, through));
    } else {
      const own = selectionOf(t);
      if (own) made.set(t, named(under(t.inputs[0], own), t.axes));
      else {
        const inputs = t.inputs.map((x) => made.get(x)!);
        made.set(t, inputs.every((x, i) => x === t.inputs[i]) ? t : t.on(inputs));
      }
    }
  }
  return outputs.map((t) => made.get(t)!);
}

function selectionOf(t: Tensor): Selection | null {
  // Of Tensors an op makes Tensors.
  return t.op === null ? null : (ops[t.op].selection(t.inputs, t.attrs, t) as Selection | null);
}

/** A part of a value. It keeps the name of the axis that it is taken from (query, pos): where it was asked for it gets its own. */
function select(t: Tensor, { takes, of }: Selection): Tensor {
  return "axis" in takes ? named(of(t, takes.axis), t.axes) : of(t, 0);
}

function named(t: Tensor, axes: readonly string[]): Tensor {
  return axes.every((axis, i) => t.axes[i] === axis) ? t : t.rename(axes);
}

function keyOf(s: Selection | null, ids: Map<Tensor, number>): string {
  if (!s) return "all";
  if (typeof s.by !== "string" && !ids.has(s.by)) ids.set(s.by, ids.size);
  const place = "axis" in s.takes ? `axis ${s.takes.axis}` : `rows ${s.takes.rows}`;
  return `${place} ${typeof s.by === "string" ? s.by : `#${ids.get(s.by)}`}`;
}

/** What an op needs under a selection of its result: its attributes there, and what is selected of each input. */
interface Passed {
  readonly attrs: Attrs;
  readonly asked: readonly (Selection | null)[];
}

/** `null` if the op does not let the selection through. */
function passes(t: Tensor, s: Selection): Passed | null {
  if (t.op === null || selectionOf(t)) return null;
  const op = ops[t.op];
  const along = (axis: number) => op.along(axis, t.inputs, t.attrs, t);
  if ("axis" in s.takes) {
    const axes = along(s.takes.axis);
    // A repeated input of size 1 has nothing to select from; where no input has, the op makes the axis itself.
    if (!axes?.some((axis) => axis !== null)) return null;
    return { attrs: t.attrs, asked: axes.map((axis) => (axis === null ? null : { ...s, takes: { axis } })) };
  }
  const lead: Along[] = [];
  for (let axis = 0; axis < s.takes.rows; axis++) {
    const axes = along(axis);
    if (!axes) return null;
    lead.push(axes);
  }
  const rows = op.rows(lead, t.inputs, t.attrs, t);
  return rows && { attrs: rows.attrs, asked: rows.from.map((from) => (from === "rows" ? s : null)) };
}

/** The op on what it needs. As ops count axes from the end, those behind the selected ones keep their numbers. */
function reapply(t: Tensor, inputs: readonly Tensor[], { attrs, asked }: Passed): Tensor {
  if (ops[t.op!].layout !== "name") return t.on(inputs, attrs);
  const { takes } = asked[0]!;
  const [x] = inputs;
  return named(x, "rows" in takes ? x.axes.map((axis, i) => (i === 0 ? axis : t.axes[i + takes.rows - 1])) : t.axes);
}
