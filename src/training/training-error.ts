import { GlassformerError } from "../tensor/errors.ts";

/** A training that cannot go on: its loss or its gradient is no number any more. */
export class TrainingError extends GlassformerError {
  override name = "TrainingError";
  /** Steps done before, all of them good. */
  readonly step: number;
  readonly loss: number;
  /** Where the last good checkpoint is. */
  readonly checkpoint: string | undefined;

  constructor(step: number, loss: number, gradNorm: number, lr: number, checkpoint: string | undefined) {
    const what = Number.isFinite(loss) ? `gradient became ${gradNorm}` : `loss became ${loss}`;
    const kept = checkpoint
      ? `The last good checkpoint is ${checkpoint}.`
      : "No checkpoint was kept: saveDir and saveEvery keep some.";
    super(
      `The ${what} at step ${step + 1}, where the learning rate was ${Number(lr.toPrecision(3))}. ${kept} Try a lower lr, more warmupSteps, or a maxGradNorm.`,
      { asked: step + 1, found: Number.isFinite(loss) ? gradNorm : loss },
    );
    this.step = step;
    this.loss = loss;
    this.checkpoint = checkpoint;
  }
}
