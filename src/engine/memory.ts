/** How much memory a plan needs while it runs. */
import { NUMBER_BYTES } from "../graph/largest-value.ts";
import type { Tensor } from "../graph/tensor.ts";
import { kernelOf } from "./kernels.ts";
import { planOf } from "./plan.ts";
import type { Plan } from "./steps.ts";

/**
 * The most bytes that values which steps make hold at one time, at four bytes a number: each from its step until the last
 * step that uses it. Leaves are not counted, nor the engine's own overhead.
 */
export function peakBytes(outputs: readonly Tensor[]): number {
  return peakOf(planOf(outputs));
}

/** Computed once per plan: it is needed before a run and after it, and by each step of a training run. */
const peaks = new WeakMap<Plan, number>();

/** The same, of a plan. */
function peakOf(plan: Plan): number {
  const peak = peaks.get(plan) ?? peakOfSteps(plan);
  peaks.set(plan, peak);
  return peak;
}

function peakOfSteps({ steps, outputs, sizes }: Plan): number {
  const lastUse = new Map<number, number>();
  steps.forEach((step, i) => {
    for (const { id } of step.inputs) lastUse.set(id, i);
  });
  for (const { id } of outputs) lastUse.set(id, steps.length);
  const freed = new Float64Array(steps.length + 1);
  let live = 0;
  let peak = 0;
  steps.forEach(({ op, inputs, outputs }, i) => {
    for (const { id } of outputs) {
      const bytes = NUMBER_BYTES * sizes[id];
      live += bytes;
      freed[lastUse.get(id) ?? i] += bytes;
    }
    const scratch = kernelOf(op).scratch ? NUMBER_BYTES * Math.max(...inputs.map((x) => sizes[x.id])) : 0;
    peak = Math.max(peak, live + scratch);
    live -= freed[i];
  });
  return peak;
}

/**
 * What a process grows by, as a multiple of the bytes that a plan's values take at one time: outputs are copied out of the engine, and
 * where values were freed the next ones do not always fit. Measured: 0.6 to 1.35 times this.
 */
const GROWTH = 2;

/**
 * The most bytes that a run needs.
 * @param copied whether the engine also copies what it is fed
 */
export function runBytes(plan: Plan, copied: boolean): number {
  const feeds = copied ? plan.inputs.reduce((sum, { id }) => sum + NUMBER_BYTES * plan.sizes[id], 0) : 0;
  return GROWTH * peakOf(plan) + feeds;
}

/** The bytes that a session keeps from a run for its next one. */
export const keptBytes = peakOf;
