/**
 * Work on many rows in parts: as many at a time as fit a budget, so that memory does not grow with their number. What a
 * part needs is planned from the sizes of its graph, before it runs.
 */
import type { Engine } from "../engine/engine.ts";
import { peakBytes } from "../engine/memory.ts";
import { Tensor } from "../graph/tensor.ts";
import type { Model } from "../lens/model.ts";
import { emptyData, type NDArray } from "../tensor/array.ts";

/** Default for the bytes of values of a part whose rows are as wide as the vocabulary: more is not faster. */
const PART_BYTES = 64e6;
/** The same where each row is a pass through the model. */
const PASS_BYTES = 128e6;

/**
 * Default for the bytes of values that passes side by side hold at one time: 128 MB, or half of what the engine may take,
 * or of what is free.
 */
export const passBytes = ({ engine }: Pick<Model, "engine">): number =>
  engine.partBytes(engine.memoryBytes ?? PASS_BYTES);

/** Values of rows `from` to `to`, the rows along the first axis of each. */
export type RowValues = (from: number, to: number) => readonly Tensor[];

/** The same values, if the same rows are asked for again: what was made to see whether it fits is then what runs, and is planned once. */
export function keptOnce(values: RowValues): RowValues {
  let last: { readonly rows: string; readonly made: readonly Tensor[] } | undefined;
  return (from, to) => {
    const rows = `${from} ${to}`;
    if (last?.rows !== rows) last = { rows, made: values(from, to) };
    return last.made;
  };
}

/** So few rows mostly fit: whether they do is asked first. */
const FEW = 256;

/** How many of `count` rows fit a budget together, at least one, and how many bytes those are planned to take. */
export function rowsThatFit(
  values: RowValues,
  count: number,
  budget: number,
): { readonly together: number; readonly planned: number } {
  const planned = (rows: number) => peakBytes(values(0, rows));
  const all = count <= FEW ? planned(count) : Infinity;
  if (all <= budget || count === 1) return { together: count, planned: all };
  const one = planned(1);
  let each = count > 1 ? Math.max(planned(2) - one, 1) : one;
  for (;;) {
    const together = Math.max(1, Math.min(count, 1 + Math.floor((budget - one) / each)));
    const bytes = together > 1 ? planned(together) : one;
    if (bytes <= budget || together === 1) return { together, planned: bytes };
    // The peak is elsewhere with more rows. It only bends upwards, so what each row takes with this many is enough for fewer.
    each = (bytes - one) / (together - 1);
  }
}

/**
 * The sessions of one job whose parts have many structures. Each keeps the memory of its largest run; together they
 * stay within the budget, too.
 */
export class KeptSessions {
  private readonly engine: Engine;
  private readonly most: number;
  private readonly held: { readonly values: readonly Tensor[]; readonly bytes: number }[] = [];

  constructor(engine: Engine, most: number) {
    this.engine = engine;
    this.most = most;
  }

  /** What they keep together. */
  get bytes(): number {
    return this.held.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Makes room for runs of this size, in the session of these values: the oldest go. */
  async room(bytes: number, values: readonly Tensor[]): Promise<void> {
    while (this.held.length > 0 && this.bytes + bytes > this.most) await this.engine.forget(this.held.shift()!.values);
    this.held.push({ values, bytes });
  }
}

/** Options of `computeInParts`. */
export interface PartOptions {
  readonly signal?: AbortSignal | undefined;
  /** Most bytes of values at one time; default: 64 MB, and never more than is available. */
  readonly most?: number | undefined;
  /** Whether a part's graph may be of another structure than the one before, so that each session is let go of. */
  readonly varies?: boolean | undefined;
  /** Called after each part with the number of rows done. */
  readonly onDone?: ((done: number) => void) | undefined;
}

/** Values of `count` rows, computed part by part and put together along their first axis. */
export async function computeInParts(
  model: Pick<Model, "compute" | "engine">,
  count: number,
  rowValues: RowValues,
  { signal, most = PART_BYTES, varies = false, onDone }: PartOptions = {},
): Promise<Tensor[]> {
  const values = keptOnce(rowValues);
  const { together } = rowsThatFit(values, count, model.engine.partBytes(most));
  const whole: NDArray[] = [];
  const done: (readonly Tensor[])[] = [];
  let axes: readonly (readonly string[])[] = [];
  for (let from = 0; from < count; from += together) {
    const to = Math.min(count, from + together);
    const asked = values(from, to);
    const part = await model.compute(asked, { signal });
    onDone?.(to);
    if (together >= count) return part;
    // What sessions keep for their next run would add up over several such jobs.
    if (varies || from === 0 || to === count) done.push(asked);
    if (varies || to === count) for (const values of done.splice(0)) await model.engine.forget(values);
    axes = part.map((value) => value.axes);
    for (const [i, { dtype, shape, data }] of part.entries()) {
      const each = data.length / (to - from);
      whole[i] ??= { dtype, shape: [count, ...shape.slice(1)], data: emptyData(dtype, count * each) } as NDArray;
      whole[i].data.set(data as never, from * each);
    }
  }
  return whole.map((array, i) => Tensor.leaf(array, axes[i]));
}

/**
 * Neighbours in groups that run together: as many as stay below a cost, but at least one. Groups depend only on sizes, so
 * numbers are the same on every machine.
 * @param cost of a number of rows, each padded to a number of tokens
 */
export function groupsOf<T extends { readonly length: number }>(
  rows: readonly T[],
  cost: (count: number, longest: number) => number,
  most: number,
): T[][] {
  const groups: T[][] = [];
  let longest = 0;
  for (const row of rows) {
    const group = groups.at(-1);
    const longer = Math.max(longest, row.length);
    if (group && cost(group.length + 1, longer) <= most) {
      group.push(row);
      longest = longer;
    } else {
      groups.push([row]);
      longest = row.length;
    }
  }
  return groups;
}
