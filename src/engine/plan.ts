/**
 * From a graph to a plan: pure data that says what to compute in which order, from which inputs. Equal values are one
 * step, hook points cost nothing, and weights that are only laid out differently become inputs of their own, made once.
 * The plan's key is its structure alone: no sizes, no numbers that are fed. One compiled session serves every run,
 * prompt and model with the same key.
 */
import { unshaped, weightLayouts } from "../graph/layouts.ts";
import type { Attrs, Op } from "../graph/op.ts";
import { type OpName, ops } from "../graph/ops/index.ts";
import { selectEarly } from "../graph/rewrite/select.ts";
import type { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import { type DType, type NDArray, sizeOf } from "../tensor/array.ts";
import { layoutKey } from "./layout.ts";

/** A value: known by its number, with what compiling may know of it. */
export interface Slot {
  readonly id: number;
  readonly rank: number;
  readonly dtype: DType;
}

export interface Step {
  readonly op: OpName;
  /** Those that say what is computed, without those that only name something. */
  readonly attrs: Attrs;
  readonly inputs: readonly Slot[];
  readonly outputs: readonly Slot[];
}

/** A graph input. `source` is a leaf, or weights laid out anew: computed once and kept by the engine. */
export interface Input extends Slot {
  readonly source: Tensor;
}

/** A number baked into the structure. */
export interface Constant extends Slot {
  readonly array: NDArray;
}

export interface Plan {
  readonly key: string;
  readonly inputs: readonly Input[];
  readonly constants: readonly Constant[];
  readonly steps: readonly Step[];
  /** For each requested output, the slot that has it. */
  readonly outputs: readonly Slot[];
  /** How many numbers each slot's value has in this run, by the slot's number. What is compiled does not depend on them. */
  readonly sizes: readonly number[];
}

export function makePlan(requested: readonly Tensor[]): Plan {
  // The shape of what leaves the graph is set outside it.
  const outputs = selectEarly(requested).map(unshaped);
  const order = topological(outputs);
  const fixed = weightLayouts(order);
  const inputs: Input[] = [];
  const constants: Constant[] = [];
  const steps: Step[] = [];
  const slots = new Map<Tensor, Slot>();
  const byLayout = new Map<string, Slot>();
  const byKey = new Map<string, readonly Slot[]>();
  const keys: string[] = [];
  const sizes: number[] = [];
  let count = 0;

  const input = (source: Tensor): Slot => {
    const layout = layoutKey(source);
    const known = byLayout.get(layout);
    if (known) return known;
    const slot = { id: count++, rank: source.shape.length, dtype: source.dtype };
    sizes.push(sizeOf(source.shape));
    inputs.push({ ...slot, source });
    byLayout.set(layout, slot);
    keys.push(`in ${slot.dtype} ${slot.rank}`);
    return slot;
  };

  const constant = (t: Tensor): Slot => {
    const key = `const ${t.dtype} [${t.shape}] ${Array.from(t.data, numberKey).join()}`;
    const known = byKey.get(key);
    if (known) return known[0];
    const slot = { id: count++, rank: t.shape.length, dtype: t.dtype };
    sizes.push(sizeOf(t.shape));
    constants.push({ ...slot, array: t.array! });
    byKey.set(key, [slot]);
    keys.push(key);
    return slot;
  };

  const step = (t: Tensor, op: OpName): Slot => {
    const record = ops[op];
    const from = t.inputs.map((x) => slots.get(x)!);
    if (record.layout === "name") return from[0];
    const key = `${op}${attrsKey(record, t.attrs)} ${from.map((s) => s.id).join()}`;
    const known = byKey.get(key);
    if (known) return known[t.output];
    const made = Array.from({ length: record.outputs }, (_, i) => {
      const { shape, dtype } = i === t.output ? t : record.infer(t.inputs, t.attrs, i);
      sizes.push(sizeOf(shape));
      return { id: count++, rank: shape.length, dtype };
    });
    steps.push({ op, attrs: structureOf(record, t.attrs), inputs: from, outputs: made });
    byKey.set(key, made);
    keys.push(key);
    return made[t.output];
  };

  const needed = neededOf(outputs, fixed);
  for (const t of order) {
    if (!needed.has(t)) continue;
    if (fixed.has(t)) slots.set(t, input(t));
    else if (t.op !== null) slots.set(t, step(t, t.op));
    else slots.set(t, t.role === "constant" ? constant(t) : input(t));
  }
  const found = outputs.map((t) => slots.get(t)!);
  keys.push(`out ${found.map((s) => s.id).join()}`);
  return { key: keys.join("\n"), inputs, constants, steps, outputs: found, sizes };
}

/** A number as text, its sign too: the text of -0 is that of 0. */
const numberKey = (x: number): string => (Object.is(x, -0) ? "-0" : `${x}`);

/** Attributes that say what is computed, as text. */
function attrsKey({ names }: Op, attrs: Attrs): string {
  let key = "";
  for (const name in attrs) if (!names[name]) key += ` ${name}=${attrs[name]}`;
  return key;
}

/** Attributes without those that only name something. */
export function structureOf({ names }: Op, attrs: Attrs): Attrs {
  return Object.fromEntries(Object.entries(attrs).filter(([name]) => !names[name]));
}

/** What the outputs need, where fixed layouts need nothing further. */
function neededOf(outputs: readonly Tensor[], fixed: ReadonlySet<Tensor>): Set<Tensor> {
  const needed = new Set<Tensor>();
  const stack = [...outputs];
  for (let t = stack.pop(); t; t = stack.pop()) {
    if (needed.has(t)) continue;
    needed.add(t);
    if (!fixed.has(t)) for (const x of t.inputs) stack.push(x); // a spread would overflow the call stack
  }
  return needed;
}
