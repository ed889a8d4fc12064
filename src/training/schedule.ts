/** How the learning rate goes over a training. */
import { ArgumentError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";

/** `cosine` falls to 0 over the whole training; a function gives the factor of `lr` at each step, counted from 0. */
export type Schedule = "constant" | "linear" | "cosine" | ((step: number, steps: number) => number);

export interface ScheduleOptions {
  readonly lr: number;
  readonly schedule: Schedule;
  /** Steps over which the rate rises from 0. */
  readonly warmupSteps: number;
  readonly steps: number;
}

/**
 * The learning rate of a step (the first is 0): `lr · min(1, step / warmupSteps)`, as in TransformerLens, so that with a
 * warm-up the first step changes nothing; then as the schedule has it over the steps that are left.
 */
export function learningRate(step: number, { lr, schedule, warmupSteps, steps }: ScheduleOptions): number {
  if (step < warmupSteps) return (lr * step) / warmupSteps;
  if (typeof schedule === "function") {
    const factor: unknown = schedule(step, steps);
    if (typeof factor === "number" && Number.isFinite(factor)) return lr * factor;
    throw new ArgumentError(
      `A schedule gives a number, the factor of lr, and at step ${step} this one gave ${shown(factor)}.`,
      { asked: "schedule", found: factor },
    );
  }
  const done = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  if (schedule === "linear") return lr * (1 - done);
  return schedule === "cosine" ? (lr * (1 + Math.cos(Math.PI * done))) / 2 : lr;
}
