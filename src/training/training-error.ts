import { GlassformerError } from "../tensor/errors.ts";

/** A training run that cannot continue: its loss, its gradient or a weight has become NaN or infinite. */
export class TrainingError extends GlassformerError {
  override name = "TrainingError";
  /** How many steps were done before the one that failed. */
  readonly step: number;
  /** The learning rate of the step that failed. */
  readonly loss: number;
  /** Where the last good checkpoint is. */
  readonly checkpoint: string | undefined;

  constructor(
    what: string,
    { step, loss, lr }: { readonly step: number; readonly loss: number; readonly lr: number },
    checkpoint: string | undefined,
  ) {
    const kept = checkpoint
      ? `The last good checkpoint is ${checkpoint}.`
      : "No checkpoint was saved: set saveDir and saveEvery.";
    super(
      `${what} at step ${step + 1}, where the learning rate was ${Number(lr.toPrecision(3))}. ${kept} Try a lower lr, more warmupSteps, or a maxGradNorm.`,
      { asked: step + 1, found: what },
    );
    this.step = step;
    this.loss = loss;
    this.checkpoint = checkpoint;
  }
}
