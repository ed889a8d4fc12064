/**
 * Gradients at all layers in little memory. A forward and backward pass are one graph, so it can be cut: the residual streams
 * are computed first, then layers from the last to the first, a few at a time. What is inside them is computed again, and
 * only the gradient at the stream before them is passed on. If all layers fit the budget it is one run, and nothing is
 * computed twice.
 */
import { peakBytes } from "../engine/memory.ts";
import { Rewrite } from "../graph/rewrite/rewrite.ts";
import { Tensor } from "../graph/tensor.ts";
import type { Model } from "../lens/model.ts";
import { emptyData, type NDArray, zeros } from "../tensor/array.ts";
import { passBytes } from "./in-parts.ts";

/** Values of forward and backward passes, all of one graph. */
export interface LayerWork {
  readonly layers: number;
  /** What is wanted of layers `from` to `to`, rows along the first axis of each. */
  readonly values: (from: number, to: number) => readonly Tensor[];
  /** What is wanted of the whole. */
  readonly numbers: readonly Tensor[];
  /** What all layers read, made on the way forward. */
  readonly shared?: readonly Tensor[] | undefined;
  /** The stream before a layer, of each pass. */
  readonly streams: (layer: number) => readonly Tensor[];
  /** The gradient at the stream before a layer. */
  readonly gradient: (layer: number) => Tensor;
}

/** Values that stand for others: leaves, where a graph is cut. */
type Cuts = ReadonlyMap<Tensor, Tensor>;
type Group = readonly [from: number, to: number];

/** The values of all layers, put together along their first axis, and the numbers. */
export async function computeByLayers(
  model: Model,
  work: LayerWork,
  signal?: AbortSignal,
): Promise<{ readonly values: readonly Tensor[]; readonly numbers: readonly Tensor[] }> {
  const { layers, numbers } = work;
  const budget = passBytes(model);
  const whole = [...numbers, ...work.values(0, layers)];
  if (layers === 1 || peakBytes(whole) <= budget) {
    const found = await model.compute(whole, { signal });
    return { numbers: found.slice(0, numbers.length), values: found.slice(numbers.length) };
  }
  const groups = groupsThatFit(work, budget);
  const forward = madeForward(work, groups);
  const known = await model.compute([...numbers, ...forward], { signal });
  await model.engine.forget([...numbers, ...forward]);
  const cuts = new Map(forward.map((value, i) => [value, known[numbers.length + i]]));
  const parts: (readonly Tensor[])[] = [];
  for (const group of groups.toReversed()) {
    const asked = wantedOf(work, group, cuts);
    const found = await model.compute(asked, { signal });
    parts.unshift(found.slice(0, work.values(...group).length));
    if (group[0] > 0) cuts.set(work.gradient(group[0]), found.at(-1)!);
    // Groups between the ends have one structure, and one session; what each kind keeps for its next run would add up.
    if (parts.length === 1 || parts.length >= groups.length - 1) await model.engine.forget(asked);
  }
  const values = parts[0].map((_, i) => joined(parts.map((part) => part[i])));
  return { numbers: known.slice(0, numbers.length), values };
}

/** Layers, which together do not fit the budget, in groups of equal size: one in each if nothing else fits. */
function groupsThatFit(work: LayerWork, budget: number): readonly Group[] {
  const { layers } = work;
  for (let each = layers; ; ) {
    each = Math.ceil(each / 2);
    const groups = groupsOf(layers, each);
    const cuts = new Map(madeForward(work, groups).map((value) => [value, standIn(value)]));
    const fits = groups.toReversed().every((group) => {
      const planned = peakBytes(wantedOf(work, group, cuts));
      const gradient = group[0] > 0 ? work.gradient(group[0]) : undefined;
      if (gradient) cuts.set(gradient, standIn(gradient));
      return planned <= budget;
    });
    if (fits || each === 1) return groups;
  }
}

function groupsOf(layers: number, each: number): Group[] {
  const count = Math.ceil(layers / each);
  return Array.from({ length: count }, (_, i): Group => [i * each, Math.min(layers, (i + 1) * each)]);
}

/** What is computed before the backward pass begins, to cut the graph at. */
function madeForward({ streams, shared = [] }: LayerWork, groups: readonly Group[]): Tensor[] {
  return [...new Set([...shared, ...groups.slice(1).flatMap(([from]) => streams(from))])].filter(
    ({ computed }) => !computed,
  );
}

/** The result of a group: its layers' values, and the gradient for the group before it. */
function wantedOf({ values, gradient }: LayerWork, [from, to]: Group, cuts: Cuts): Tensor[] {
  const rewrite = new Rewrite();
  for (const [value, leaf] of cuts) rewrite.replace(value, leaf);
  return [...values(from, to), ...(from > 0 ? [gradient(from)] : [])].map((value) => rewrite.get(value));
}

/** A leaf of the same size, to plan with. */
function standIn({ dtype, shape, axes }: Tensor): Tensor {
  return Tensor.leaf(zeros(dtype, shape), axes);
}

/** Parts put together along their first axis. */
function joined(parts: readonly Tensor[]): Tensor {
  const [{ dtype, shape, axes }] = parts;
  const rows = parts.reduce((sum, part) => sum + part.shape[0], 0);
  const data = emptyData(
    dtype,
    parts.reduce((sum, part) => sum + part.data.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    data.set(part.data as never, at);
    at += part.data.length;
  }
  return Tensor.leaf({ dtype, shape: [rows, ...shape.slice(1)], data } as NDArray, axes);
}
