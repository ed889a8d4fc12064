/**
 * Products with the same weight become one, of the rows of them all: of a few rows, reading the weight is what takes time. A clean
 * and a corrupted pass next to each other have such products, and so have copies of a part.
 */
import { sizeOf } from "../tensor/array.ts";
import { DraftIndex } from "./draft-index.ts";
import { LARGE } from "./fuse.ts";
import type { Draft, Step } from "./steps.ts";

/** Of more rows, and of a weight that is not large, reading the weight is a smaller part of a product. */
const MOST_ROWS = 128;
/** A product of fewer rows has last digits of its own. */
const FEWEST_ROWS = 4;
/** Products are joined up to this many rows in all, so that the memory of many passes next to each other is that of a few. */
const MOST_TOGETHER = 2 * MOST_ROWS;

/** For each op that multiplies rows with a weight, the axis of the weight that is as long as a row. */
const ROW_AXIS: { readonly [op: string]: number } = { matmul: 0, fewRows: 1, linear: 1 };

/** The same values, from fewer products. */
export function joinRows(draft: Draft): Draft {
  const index = new DraftIndex(draft);
  /** The rows of a product that may be joined; of any other step 0. */
  const rowsOf = ({ op, attrs, inputs: [x, w] }: Step): number => {
    const source = ROW_AXIS[op] === undefined || attrs.flat ? undefined : index.inputs[w.id]?.source;
    if (source?.shape.length !== 2 || source.dtype !== "float32" || sizeOf(source.shape) < LARGE) return 0;
    const rows = draft.sizes[x.id] / source.shape[ROW_AXIS[op]];
    return rows >= FEWEST_ROWS && rows <= MOST_ROWS ? rows : 0;
  };
  // Of how many products one after the other a value is made. Products for which it is the same do not need each other, and joined ones neither.
  const depths = new Int32Array(draft.sizes.length);
  const open = new Map<string, { rows: number; readonly products: Step[] }>();
  const groups = new Map<Step, readonly Step[]>();
  for (const step of draft.steps) {
    let depth = 0;
    for (const { id } of step.inputs) depth = Math.max(depth, depths[id]);
    const rows = rowsOf(step);
    if (rows > 0) depth++;
    for (const { id } of step.outputs) depths[id] = depth;
    if (rows === 0) continue;
    const [, ...same] = step.inputs;
    const key = `${depth} ${step.op} ${same.map(({ id }) => id)}`;
    let group = open.get(key);
    if (!group || group.rows + rows > MOST_TOGETHER) open.set(key, (group = { rows: 0, products: [] }));
    group.rows += rows;
    group.products.push(step);
    groups.set(step, group.products);
  }
  const steps = draft.steps.flatMap((step): Step[] => {
    const group = groups.get(step) ?? [step];
    if (group.length === 1) return [step];
    return step === group[0] ? [joined(group)] : [];
  });
  return steps.length === draft.steps.length ? draft : { ...draft, steps: afterNeeded(steps) };
}

function joined(products: readonly Step[]): Step {
  const [{ op, inputs }] = products;
  return {
    op: "joinedRows",
    attrs: { op, count: products.length },
    inputs: [...products.map(({ inputs: [x] }) => x), ...inputs.slice(1)],
    outputs: products.flatMap(({ outputs }) => outputs),
  };
}

/** Each step after those whose values it takes, and otherwise as they were. */
function afterNeeded(steps: readonly Step[]): Step[] {
  const makers = new Map(steps.flatMap((step) => step.outputs.map(({ id }): [number, Step] => [id, step])));
  const ordered = new Set<Step>();
  for (const step of steps) {
    const waiting = [step];
    while (waiting.length > 0) {
      const last = waiting[waiting.length - 1];
      const needed = last.inputs.flatMap(({ id }) => makers.get(id) ?? []).filter((maker) => !ordered.has(maker));
      if (needed.length === 0) ordered.add(waiting.pop()!);
      else waiting.push(...needed.toReversed());
    }
  }
  return [...ordered];
}
