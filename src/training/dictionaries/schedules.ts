/** What changes from step to step of a dictionary's training: the learning rate, the weight of sparsity, and which features are dead. */
import { learningRate, type Schedule } from "../schedule.ts";
import { TRAINING_KINDS, type TrainingKindName } from "./kinds.ts";
import type { LossSettings } from "./settings.ts";

/** The learning rate over a run. */
export interface RateSettings {
  readonly lr: number;
  /** How it changes between warm-up and decay. */
  readonly schedule: Schedule;
  /** The steps during which it rises. */
  readonly warmUpSteps: number;
  /** The last steps, during which it falls to 0. */
  readonly decaySteps: number;
  readonly steps: number;
}

/**
 * The learning rate of a step (the first is 0): `lr (step + 1) / warmUpSteps` at first, so that unlike in a model's training the first step
 * changes something; then the schedule; over the last `decaySteps` it falls linearly, the last step being one above 0. Source: SAELens'
 * `get_lr_scheduler`.
 */
export function dictionaryRate(step: number, { lr, schedule, warmUpSteps, decaySteps, steps }: RateSettings): number {
  if (step < warmUpSteps) return (lr * (step + 1)) / warmUpSteps;
  const decayFrom = steps - decaySteps;
  const before = { lr, schedule, warmupSteps: 0, steps: Math.max(1, decayFrom - warmUpSteps) };
  const rate = learningRate(Math.min(step, decayFrom) - warmUpSteps, before);
  return step < decayFrom ? rate : rate * (1 - (step - decayFrom) / decaySteps);
}

/** The weight of sparsity in a step (the first is 0): `coefficient · min(1, step / warm-up)`. Source: SAELens' `CoefficientScheduler`. */
export function coefficientAt(step: number, kind: TrainingKindName, settings: LossSettings): number {
  const { coefficient } = TRAINING_KINDS[kind];
  if (coefficient === null) return 0;
  const isL1 = coefficient === "l1";
  const full = isL1 ? settings.l1Coefficient : settings.l0Coefficient;
  const warmUp = isL1 ? settings.l1WarmUpSteps : settings.l0WarmUpSteps;
  return step < warmUp ? (full * step) / warmUp : full;
}

/** Which features fire, over the steps of a run. */
export class Firing {
  /** Steps since each feature fired, [d_sae]. */
  readonly stepsSince: Float32Array;
  /** Tokens that each fired for, [d_sae]. */
  readonly counts: Float32Array;
  private readonly window: number;

  /** @param window a feature that has not fired for more steps is dead */
  constructor(dSae: number, window: number) {
    this.stepsSince = new Float32Array(dSae);
    this.counts = new Float32Array(dSae);
    this.window = window;
  }

  /** 1 for each dead feature, [d_sae]. */
  dead(): Float32Array<ArrayBuffer> {
    return Float32Array.from(this.stepsSince, (steps) => +(steps > this.window));
  }

  /** How many features are dead. */
  get deadCount(): number {
    return this.stepsSince.reduce((count, steps) => count + +(steps > this.window), 0);
  }

  /** Adds a step's counts, and returns features per token. */
  add(fired: Float32Array, tokens: number): number {
    let all = 0;
    fired.forEach((count, i) => {
      all += count;
      this.counts[i] += count;
      this.stepsSince[i] = count > 0 ? 0 : this.stepsSince[i] + 1;
    });
    return all / tokens;
  }
}
