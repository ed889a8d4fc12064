/**
 * From a graph to a plan: pure data that says what to compute in which order, from which inputs. Equal values are one
 * step, hook points cost nothing, and weights that are only laid out differently become their own inputs, made once.
 * The plan's key is only its structure: no sizes, no numbers that are fed. One compiled session serves every run,
 * prompt and model with the same key.
 */
import { addIfFixed, unshaped } from "../graph/layouts.ts";
import type { Attrs, Op } from "../graph/op.ts";
import { type OpName, ops } from "../graph/ops/index.ts";
import { withinReach } from "../graph/rewrite/cone.ts";
import { selectEarly } from "../graph/rewrite/select.ts";
import type { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import { type NDArray, sizeOf } from "../tensor/array.ts";
import { keptOf } from "../tensor/kept.ts";
import type { Backend } from "./backend.ts";
import type { SlotDType } from "./feeds.ts";
import { fuse } from "./fuse.ts";
import { fuseNorms } from "./fuse-norms.ts";
import { joinRows } from "./join-rows.ts";
import { feedOf, keptAttrs, keptFactor, keptRows, partsOf, restsOnKept } from "./kept.ts";
import type { KernelName } from "./kernels.ts";
import { layoutKey } from "./layout.ts";
import { columnProduct, matrixProduct } from "./products.ts";
import type { Constant, Draft, Input, Plan, Slot, Step } from "./steps.ts";

/** The last plan of values, by the first of them: a job asks how much memory its runs take before it runs them. */
const plans = new WeakMap<Tensor, { readonly requested: readonly Tensor[]; readonly plan: Plan }>();

/** The plan of values, made once for the same ones. */
export function planOf(requested: readonly Tensor[]): Plan {
  if (requested.length === 0) return makePlan(requested);
  const known = plans.get(requested[0]);
  const isSame = known?.requested.length === requested.length && requested.every((t, i) => t === known.requested[i]);
  if (isSame) return known.plan;
  const plan = makePlan(requested);
  plans.set(requested[0], { requested: [...requested], plan });
  return plan;
}

/** @param runtime of a program, whose sizes may vary, and whose last digits may depend on the number of rows: what the backend does faster */
export function makePlan(requested: readonly Tensor[], runtime?: Pick<Backend, "weightsFirst">): Plan {
  // The shape of what leaves the graph is set outside it.
  const outputs = withinReach(selectEarly(requested)).map(unshaped);
  return numbered(joinRows(fuse(fuseNorms(draft(outputs, runtime !== undefined)), runtime?.weightsFirst === true)));
}

/** A step for each distinct value. @param sizesVary whether the plan's leaves are fed with other sizes */
function draft(outputs: readonly Tensor[], sizesVary: boolean): Draft {
  const order = topological(outputs);
  const fixed = new Set<Tensor>();
  const inputs: Input[] = [];
  const constants: Constant[] = [];
  const steps: Step[] = [];
  const sizes: number[] = [];
  const slots = new Map<Tensor, Slot>();
  const byKey = new Map<string, readonly Slot[]>();

  const slotFor = (shape: readonly number[], dtype: SlotDType): Slot => {
    const id = sizes.push(sizeOf(shape)) - 1;
    return { id, rank: shape.length, dtype };
  };
  /** The slots with the same key, made if the key is new. */
  const once = (key: string, make: () => readonly Slot[]): readonly Slot[] => {
    const known = byKey.get(key) ?? make();
    byKey.set(key, known);
    return known;
  };
  const input = (source: Tensor): Slot =>
    once(`in ${layoutKey(source)}`, () => {
      const slot = slotFor(source.shape, source.dtype);
      inputs.push({ ...slot, source });
      return [slot];
    })[0];
  const constant = (t: Tensor): Slot =>
    once(constantKey(t.array!), () => {
      const slot = slotFor(t.shape, t.dtype);
      constants.push({ ...slot, array: t.array! });
      return [slot];
    })[0];
  /** What is fed of a kept weight. */
  const parts = (leaf: Tensor): readonly Slot[] =>
    partsOf(keptOf(leaf.array)!).map(
      (part) =>
        once(`in ${layoutKey(leaf)} ${part}`, () => {
          const { shape, dtype } = feedOf(leaf, part);
          const slot = slotFor(shape, dtype);
          inputs.push({ ...slot, source: leaf, part });
          return [slot];
        })[0],
    );
  const kernel = (op: KernelName, attrs: Attrs, from: readonly Slot[], shape: readonly number[]): Slot =>
    once(stepKey(op, attrs, from), () => {
      const outputs = [slotFor(shape, "float32")];
      steps.push({ op, attrs, inputs: from, outputs });
      return outputs;
    })[0];
  /** A kept weight in float32, or a layout of it: made where a step needs it. */
  const unpacked = (t: Tensor): Slot => {
    if (t.op !== null) return step(t, t.op);
    const attrs = { ...keptAttrs(keptOf(t.array)!), shape: t.shape };
    return kernel("unpack", attrs, parts(t), t.shape);
  };
  const slotOf = (t: Tensor): Slot => {
    const leaf = () => (restsOnKept(t) ? unpacked(t) : input(t));
    const known = slots.get(t) ?? (t.role === "constant" ? constant(t) : leaf());
    slots.set(t, known);
    return known;
  };
  /** A step that takes a kept weight as it is kept. */
  const keptStep = (t: Tensor, op: OpName): Slot | undefined => {
    const factor = op === "matmul" ? keptFactor(t.inputs[1]) : undefined;
    if (factor) {
      const from = [slotOf(t.inputs[0]), ...parts(factor)];
      return kernel("keptProduct", keptAttrs(keptOf(factor.array)!), from, t.shape);
    }
    const table = op === "gather" ? keptRows(t) : undefined;
    if (!table) return undefined;
    const from = [...parts(table), slotOf(t.inputs[1])];
    return kernel("unpackRows", keptAttrs(keptOf(table.array)!), from, t.shape);
  };
  const step = (t: Tensor, op: OpName): Slot => {
    const kept = keptStep(t, op);
    if (kept) return kept;
    const record = ops[op];
    const from = t.inputs.map(slotOf);
    if (record.layout === "name") return from[0];
    const attrs = structureOf(record, t.attrs);
    return once(stepKey(op, attrs, from), () => {
      const results = Array.from({ length: record.outputs }, (_, i) => {
        const { shape, dtype } = i === t.output ? t : record.infer(t.inputs, t.attrs, i);
        return slotFor(shape, dtype);
      });
      steps.push({ op, attrs, inputs: from, outputs: results });
      return results;
    })[t.output];
  };
  /** Steps for values in order. Leaves, and weights in a new layout, become slots where a step needs them. */
  const stepsFor = (order: readonly Tensor[]) => {
    for (const t of order) {
      if (!addIfFixed(t, fixed) && t.op !== null) slots.set(t, step(t, t.op));
    }
  };
  for (const t of order) {
    const product = t.op === "einsum" ? matrixProduct(t) : sizesVary ? undefined : columnProduct(t);
    if (!product) stepsFor([t]);
    else {
      stepsFor(topological([product], slots));
      slots.set(t, slots.get(product)!);
    }
  }
  return { inputs, constants, steps, outputs: outputs.map(slotOf), sizes };
}

/** The plan of a draft: what no step needs is left out, and the rest is numbered. */
function numbered({ steps, outputs, sizes, ...given }: Draft): Plan {
  const leaves: (Input | Constant)[] = [];
  for (const leaf of [...given.inputs, ...given.constants]) leaves[leaf.id] = leaf;
  const inputs: Input[] = [];
  const constants: Constant[] = [];
  const slots: Slot[] = [];
  const lines: string[] = [];
  const finalSizes: number[] = [];
  const number = (slot: Slot): Slot => {
    const final = { id: finalSizes.push(sizes[slot.id]) - 1, rank: slot.rank, dtype: slot.dtype };
    slots[slot.id] = final;
    return final;
  };
  const slotOf = ({ id }: Slot): Slot => {
    if (slots[id]) return slots[id];
    const leaf = leaves[id];
    const slot = number(leaf);
    if ("array" in leaf) {
      constants.push({ ...slot, array: leaf.array });
      lines.push(constantKey(leaf.array));
    } else {
      inputs.push({ ...slot, source: leaf.source, ...(leaf.part && { part: leaf.part }) });
      lines.push(`in ${slot.dtype} ${slot.rank}`);
    }
    return slot;
  };
  const finalSteps = steps.map((step): Step => {
    const from = step.inputs.map(slotOf);
    lines.push(stepKey(step.op, step.attrs, from));
    return { op: step.op, attrs: step.attrs, inputs: from, outputs: step.outputs.map(number) };
  });
  const results = outputs.map(slotOf);
  lines.push(`out ${results.map((s) => s.id).join()}`);
  return { key: lines.join("\n"), inputs, constants, steps: finalSteps, outputs: results, sizes: finalSizes };
}

function constantKey({ dtype, shape, data }: NDArray): string {
  return `const ${dtype} [${shape}] ${Array.from(data, numberKey).join()}`;
}

/** A number as text with its sign: otherwise -0 would have the text of 0. */
const numberKey = (x: number): string => (Object.is(x, -0) ? "-0" : `${x}`);

function stepKey(op: Step["op"], attrs: Attrs, inputs: readonly Slot[]): string {
  let key: string = op;
  for (const name in attrs) key += ` ${name}=${attrs[name]}`;
  for (const { id } of inputs) key += ` ${id}`;
  return key;
}

/** Attributes without those that only name something. */
export function structureOf({ names }: Op, attrs: Attrs): Attrs {
  for (const name in attrs) {
    if (names[name]) return Object.fromEntries(Object.entries(attrs).filter(([key]) => !names[key]));
  }
  return attrs;
}
