/** The options of a training run, and their defaults. */
import type { Tensor } from "../graph/tensor.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import type { Loss } from "../lens/metric.ts";
import type { ModelFiles } from "../load/index.ts";
import { kindsOf } from "../options/kinds.ts";
import { settle as settleRecords } from "../options/settle.ts";
import type { NDArray } from "../tensor/array.ts";
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import { ANYTHING, COUNT, either, FUNCTION, listOf, OBJECT, SIGNAL, TEXT } from "../tensor/kinds.ts";
import { type Complete, checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import type { CheckpointStore } from "./checkpoint-store.ts";
import type { TrainingData } from "./data/batches.ts";
import { OPTIMIZERS, type OptimizerName } from "./optimizer.ts";
import { TRAINING_OPTIONS } from "./option-records.ts";
import type { Schedule } from "./schedule.ts";

/** How to train. Names are those of TransformerLens' `HookedTransformerTrainConfig` where it has them. */
export interface TrainOptions {
  readonly data: TrainingData;
  /** The total number of steps, including those before a `resume`. Give this or `numEpochs`. */
  readonly steps?: number | undefined;
  /** The number of passes over the data. */
  readonly numEpochs?: number | undefined;
  /** Rows per step. Default 32. Ignored if the data is a function. */
  readonly batchSize?: number | undefined;
  /** Default `adamw`. */
  readonly optimizer?: OptimizerName | undefined;
  /** The learning rate. Default 1e-3. */
  readonly lr?: number | undefined;
  /** How the learning rate changes after the warm-up. Default `constant`. */
  readonly schedule?: Schedule | undefined;
  /** The number of steps over which the learning rate rises from 0. Default 0. */
  readonly warmupSteps?: number | undefined;
  /** Decay rates of the running means of the gradient and of its square. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number] | undefined;
  /** Added to the root of the mean square. Default 1e-8. */
  readonly eps?: number | undefined;
  /** The same for all weights. Default 0.01 for `adamw` and 0 for the others, as in PyTorch. */
  readonly weightDecay?: number | undefined;
  /** For `sgd`. Default 0. */
  readonly momentum?: number | undefined;
  /** The largest norm of the whole gradient: a longer one is scaled down to it (PyTorch's `clip_grad_norm_`). */
  readonly maxGradNorm?: number | undefined;
  /** The seed of the order of the data's rows. Default 0. */
  readonly seed?: number | undefined;
  /**
   * The share of the rows that say their beginning twice, as `repeatRows` makes them; each step draws again which rows, and how much
   * of them. `heldOut` is left as it is. Default 0.
   */
  readonly repeat?: number | undefined;
  /** What to minimise, a single number. Default: the mean next-token loss in nats. */
  readonly loss?: Loss | undefined;
  /** Rows that are not trained on: the loss on them is measured now and then, with the model as it is at that step. */
  readonly heldOut?: NDArray<"int32"> | Tensor | undefined;
  /** Measure it after this many steps, and after the last one. Default: a tenth of all steps. */
  readonly evalEvery?: number | undefined;
  /** Weights that stay as they are: their names, or a test for names. */
  readonly frozen?: (readonly string[] | ((weight: string) => boolean)) | undefined;
  /**
   * Where to save checkpoints, together with the model's tokenizer, one folder each: a folder's path in Node, or a store. The last
   * step is always saved.
   */
  readonly saveDir?: string | CheckpointStore | undefined;
  /** Also save a checkpoint every this many steps. */
  readonly saveEvery?: number | undefined;
  /** Anything else that a checkpoint should say about the training run, as plain data: it is stored under `about` in `training.json`. */
  readonly about?: Readonly<Record<string, string | number | boolean | null>> | undefined;
  /** A checkpoint to resume from, or a folder of checkpoints, of which the last is used: weights, moments, steps done. */
  readonly resume?: string | ModelFiles | undefined;
}

/** What to do while training. */
export interface TrainControls {
  /** Stops the training run between two steps; what has been done is saved in `saveDir`, if there is one. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each step; if it returns a promise, the next step waits for it. */
  readonly onProgress?: ((progress: TrainProgress) => unknown) | undefined;
}

// For ANYTHING, `settle` and others check later, with better messages.
const OPTIONS: OptionKinds<TrainOptions> = {
  ...kindsOf(TRAINING_OPTIONS),
  ...{ data: ANYTHING, numEpochs: COUNT, optimizer: ANYTHING, heldOut: ANYTHING },
  schedule: either(TEXT, FUNCTION),
  loss: FUNCTION,
  frozen: either(listOf(TEXT, "names"), FUNCTION),
  saveDir: either(TEXT, OBJECT),
  about: OBJECT,
  resume: either(TEXT, OBJECT),
};

const CONTROLS: OptionKinds<TrainControls> = { signal: SIGNAL, onProgress: FUNCTION };

/** @throws ArgumentError for an option that `train` does not have, or a value that it cannot accept */
export function checkTrainOptions(options: TrainOptions, controls: TrainControls): void {
  checkOptions("train", options, OPTIONS);
  checkOptions("train's controls", controls, CONTROLS);
}

/** The progress of a training run. */
export interface TrainProgress {
  /** Steps done, and the total number of steps. */
  readonly step: number;
  readonly steps: number;
  /** The loss of this step's batch, before the step; in nats unless you pass your own loss. */
  readonly loss: number;
  /** The norm of the whole gradient before clipping. */
  readonly gradNorm: number;
  readonly lr: number;
  /** Tokens seen since this call began, and tokens per second. */
  readonly tokens: number;
  readonly tokensPerSecond: number;
  /** The loss on `heldOut` after this step, if it was measured. */
  readonly heldOut?: number;
  /** The checkpoint that was just written. */
  readonly checkpoint?: string | undefined;
  /** The model as it is after this step, for example to test it on other data. */
  model(): HookedTransformer;
}

/** Options with all defaults filled in. */
export type Settled = Complete<
  Pick<
    TrainOptions,
    | "data"
    | "batchSize"
    | "optimizer"
    | "lr"
    | "schedule"
    | "warmupSteps"
    | "betas"
    | "eps"
    | "momentum"
    | "seed"
    | "repeat"
  >
> & { readonly weightDecay: number; readonly frozen: (weight: string) => boolean };

/** @throws ArgumentError naming the option that is out of range, UnknownNameError for an unknown optimizer or weight. */
export function settle(options: TrainOptions, weightNames: readonly string[]): Settled {
  const { batchSize, lr, schedule, warmupSteps, seed } = TRAINING_OPTIONS;
  const optimizer = options.optimizer ?? TRAINING_OPTIONS.optimizer.default;
  if (!OPTIMIZERS.includes(optimizer)) {
    throw new UnknownNameError("optimizer", typeof optimizer === "string" ? optimizer : shown(optimizer), OPTIMIZERS);
  }
  // What does not apply to this optimizer is refused.
  settleRecords({ ...options, schedule: undefined, optimizer }, TRAINING_OPTIONS);
  const settled = {
    data: options.data,
    batchSize: options.batchSize ?? batchSize.default,
    optimizer,
    lr: options.lr ?? lr.default,
    schedule: options.schedule ?? schedule.default,
    warmupSteps: options.warmupSteps ?? warmupSteps.default,
    betas: options.betas ?? ([0.9, 0.999] as const),
    eps: options.eps ?? 1e-8,
    weightDecay: options.weightDecay ?? (optimizer === "adamw" ? 0.01 : 0),
    momentum: options.momentum ?? 0,
    seed: options.seed ?? seed.default,
    repeat: options.repeat ?? 0,
    frozen: frozenTest(options.frozen ?? [], weightNames),
  };
  if (typeof settled.schedule === "string" && !schedule.choices.includes(settled.schedule)) {
    throw new UnknownNameError("schedule", settled.schedule, schedule.choices);
  }
  if (options.evalEvery !== undefined && options.heldOut === undefined) {
    throw new ArgumentError("evalEvery says when to measure the loss on heldOut, but there is no heldOut: give one.", {
      asked: "evalEvery",
    });
  }
  if (options.saveEvery !== undefined && options.saveDir === undefined) {
    throw new ArgumentError("saveEvery says when to save a checkpoint, but no saveDir says where: give one.", {
      asked: "saveEvery",
    });
  }
  return settled;
}

/** The total number of steps. @throws ArgumentError unless exactly one of `steps` and `numEpochs` is given. */
export function stepsInAll({ steps, numEpochs }: TrainOptions, stepsPerEpoch: number | undefined): number {
  if ((steps === undefined) === (numEpochs === undefined)) {
    throw new ArgumentError("Give either steps or numEpochs, to say how long to train.", {
      asked: { steps, numEpochs },
    });
  }
  if (steps !== undefined) return steps;
  if (stepsPerEpoch === undefined) {
    throw new ArgumentError("Data from a function has no epochs: give steps.", {
      asked: "numEpochs",
      found: numEpochs,
    });
  }
  return numEpochs! * stepsPerEpoch;
}

function frozenTest(frozen: NonNullable<TrainOptions["frozen"]>, names: readonly string[]): (name: string) => boolean {
  if (typeof frozen === "function") return frozen;
  const unknown = frozen.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UnknownNameError("weight", unknown, names);
  return (name) => frozen.includes(name);
}
