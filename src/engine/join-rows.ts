/**
 * Products with the same weight become one, of the rows of them all: of a few rows, reading the weight is what takes time. A clean
 * and a corrupted pass next to each other have such products, and so have copies of a part.
 */
import { sizeOf } from "../tensor/array.ts";
import { DraftIndex } from "./draft-index.ts";
import type { Draft, Slot, Step } from "./steps.ts";

/** Products of more rows take as long for each row alone, and with a smaller weight the time is in the steps around them. */
const MOST_ROWS = 128;
const LARGE = 1 << 18;
/** A product of fewer rows has last digits of its own. */
const FEWEST_ROWS = 4;

/** For each op that multiplies rows with a weight, the axis of the weight that is as long as a row. */
const ROW_AXIS: { readonly [op: string]: number } = { matmul: 0, fewRows: 1, linear: 1 };

/** The same values, from fewer products. */
export function joinRows(draft: Draft): Draft {
  const index = new DraftIndex(draft);
  const isProduct = ({ op, attrs, inputs: [x, w] }: Step): boolean => {
    const source = ROW_AXIS[op] === undefined || attrs.flat ? undefined : index.inputs[w.id]?.source;
    if (source?.shape.length !== 2 || source.dtype !== "float32" || sizeOf(source.shape) < LARGE) return false;
    const rows = draft.sizes[x.id] / source.shape[ROW_AXIS[op]];
    return rows >= FEWEST_ROWS && rows <= MOST_ROWS;
  };
  // Of how many products one after the other a value is made. Products for which it is the same do not need each other, and joined ones neither.
  const depths = new Int32Array(draft.sizes.length);
  const groups = new Map<string, Step[]>();
  const layers: { readonly products: Step[]; readonly others: Step[] }[] = [];
  for (const step of draft.steps) {
    let depth = 0;
    for (const { id } of step.inputs) depth = Math.max(depth, depths[id]);
    const product = isProduct(step);
    if (product) depth++;
    for (const { id } of step.outputs) depths[id] = depth;
    while (layers.length <= depth) layers.push({ products: [], others: [] });
    if (!product) {
      layers[depth].others.push(step);
      continue;
    }
    const [, ...same] = step.inputs;
    const key = `${depth} ${step.op} ${same.map(({ id }) => id)}`;
    const group = groups.get(key);
    if (group) group.push(step);
    else groups.set(key, [step]);
    layers[depth].products.push(step);
  }
  const joined = [...groups.values()].filter((group) => group.length > 1);
  if (joined.length === 0) return draft;
  const replaced = new Map<Step, readonly Step[]>();
  for (const group of joined) {
    const [{ op, inputs }] = group;
    const rows: Slot[] = group.map(({ inputs: [x] }) => x);
    for (const step of group) replaced.set(step, []);
    replaced.set(group[0], [
      {
        op: "joinedRows",
        attrs: { op, count: group.length },
        inputs: [...rows, ...inputs.slice(1)],
        outputs: group.flatMap(({ outputs }) => outputs),
      },
    ]);
  }
  const steps = layers.flatMap(({ products, others }) => [...products, ...others]);
  return { ...draft, steps: steps.flatMap((step) => replaced.get(step) ?? [step]) };
}
