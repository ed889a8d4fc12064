/**
 * Selecting early: a selection of positions or rows commutes with every op that works along them independently, so it
 * moves up the graph to the last op that mixes them. "Only the last position's logits" then computes one row of the
 * unembedding, and a padded batch costs only its real tokens, without code of their own anywhere.
 */
import { sizeOf } from "../../tensor/array.ts";
import type { Along, Attrs, Selection as SelectionOf } from "../op.ts";
import { ops } from "../ops/index.ts";
import type { Tensor } from "../tensor.ts";
import { topological } from "../walk.ts";

type Selection = SelectionOf<Tensor>;

/**
 * A value of which several parts are read, such as two tokens' logits, is computed part by part if they are no more than this, and together
 * at most this share of it.
 */
const MOST_PARTS = 4;
const MOST_SHARE = 0.5;

/** A selection of a selection waits for that one to move up first: this many times. */
const ROUNDS = 4;

/** The same outputs, computed with every selection as far up as it goes. */
export function selectEarly(requested: readonly Tensor[]): readonly Tensor[] {
  let outputs = requested;
  for (let round = 0; round < ROUNDS; round++) {
    const order = topological(outputs);
    if (!order.some((t) => selectionOf(t))) return outputs;
    const keyOf = keys();
    const pushed = decide(order, new Set(outputs), keyOf);
    if (pushed.size === 0) return outputs;
    outputs = rebuild(order, outputs, pushed, keyOf);
  }
  return outputs;
}

/** Of values that are needed only under selections which their op lets through: what it then needs of its inputs, by each selection's key. */
type Pushed = ReadonlyMap<Tensor, ReadonlyMap<string, Passed>>;

function decide(order: readonly Tensor[], outputs: ReadonlySet<Tensor>, keyOf: Keys): Pushed {
  const demands = new Map<Tensor, Map<string, Selection | null>>();
  const demand = (t: Tensor, s: Selection | null) => {
    const known = demands.get(t) ?? new Map<string, Selection | null>();
    demands.set(t, known.set(keyOf(s), s));
  };
  for (const output of outputs) demand(output, null);
  const pushed = new Map<Tensor, Map<string, Passed>>();
  for (const t of order.toReversed()) {
    const parts = throughOp(t, demands.get(t)!);
    if (parts) {
      pushed.set(t, parts);
      for (const { asked } of parts.values()) t.inputs.forEach((input, i) => void demand(input, asked[i]));
      continue;
    }
    const own = selectionOf(t);
    t.inputs.forEach((input, i) => {
      demand(input, own && i === 0 ? own : null);
    });
  }
  return pushed;
}

/** What an op needs for each of the selections under which its value is needed; `undefined` if it has to make the whole. */
function throughOp(t: Tensor, wanted: ReadonlyMap<string, Selection | null>): Map<string, Passed> | undefined {
  if (wanted.size > MOST_PARTS) return undefined;
  const parts = new Map<string, Passed>();
  for (const [key, s] of wanted) {
    const passed = s && passes(t, s);
    if (!passed) return undefined;
    parts.set(key, passed);
  }
  if (wanted.size === 1) return parts;
  const together = [...wanted.values()].reduce((sum, s) => sum + sizeOf(select(t, s!).shape), 0);
  return together <= MOST_SHARE * sizeOf(t.shape) ? parts : undefined;
}

function rebuild(order: readonly Tensor[], outputs: readonly Tensor[], pushed: Pushed, keyOf: Keys): Tensor[] {
  const wholes = new Map<Tensor, Tensor>();
  const parts = new Map<Tensor, Map<string, Tensor>>();
  /** What stands for `t` under a selection: what its op makes of selected inputs, or else its selected part. */
  const under = (t: Tensor, s: Selection | null): Tensor => {
    if (!s) return wholes.get(t)!;
    const known = parts.get(t) ?? new Map<string, Tensor>();
    parts.set(t, known);
    const key = keyOf(s);
    const part = known.get(key) ?? select(wholes.get(t)!, s);
    known.set(key, part);
    return part;
  };
  for (const t of order) {
    const through = pushed.get(t);
    if (through) {
      const made = new Map<string, Tensor>();
      for (const [key, passed] of through) {
        const inputs = t.inputs.map((x, i) => under(x, passed.asked[i]));
        made.set(key, reapply(t, inputs, passed));
      }
      parts.set(t, made);
    } else {
      const own = selectionOf(t);
      if (own) wholes.set(t, named(under(t.inputs[0], own), t.axes));
      else {
        const inputs = t.inputs.map((x) => wholes.get(x)!);
        wholes.set(t, inputs.every((x, i) => x === t.inputs[i]) ? t : t.on(inputs));
      }
    }
  }
  return outputs.map((t) => wholes.get(t)!);
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

/** A text that is the same for the same selections. */
type Keys = (s: Selection | null) => string;

function keys(): Keys {
  const ids = new Map<unknown, number>();
  return (s) => {
    if (!s) return "all";
    if (typeof s.by !== "string" && !ids.has(s.by)) ids.set(s.by, ids.size);
    const place = "axis" in s.takes ? `axis ${s.takes.axis}` : `rows ${s.takes.rows}`;
    return `${place} ${typeof s.by === "string" ? s.by : `#${ids.get(s.by)}`}`;
  };
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
