/** How the learning rate changes over a training run. */
import { ArgumentError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";

/** `cosine` falls to 0 over the whole training run; a function returns the factor of `lr` at each step, counted from 0. */
export type Schedule = "constant" | "linear" | "cosine" | ((step: number, steps: number) => number);

export interface ScheduleOptions {
  readonly lr: number;
  readonly schedule: Schedule;
  /** The number of steps over which the rate rises from 0. */
  readonly warmupSteps: number;
  readonly steps: number;
}

/**
 * The learning rate of a step (the first is 0): `lr · min(1, step / warmupSteps)`, as in TransformerLens, so that with a
 * warm-up the first step changes nothing; then according to the schedule over the remaining steps.
 */
export function learningRate(step: number, { lr, schedule, warmupSteps, steps }: ScheduleOptions): number {
  if (step < warmupSteps) return (lr * step) / warmupSteps;
  if (typeof schedule === "function") {
    const factor: unknown = schedule(step, steps);
    if (typeof factor === "number" && Number.isFinite(factor)) return lr * factor;
    throw new ArgumentError(
      `A schedule must return a number, the factor of lr, but at step ${step} it returned ${shown(factor)}.`,
      { asked: "schedule", found: factor },
    );
  }
  const done = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  if (schedule === "linear") return lr * (1 - done);
  return schedule === "cosine" ? (lr * (1 + Math.cos(Math.PI * done))) / 2 : lr;
}
