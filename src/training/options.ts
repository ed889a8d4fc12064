/** The options of a training run, and their defaults. */
import type { Tensor } from "../graph/tensor.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import type { Loss } from "../lens/metric.ts";
import type { ModelFiles } from "../load/index.ts";
import type { NDArray } from "../tensor/array.ts";
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import { ANYTHING, either, FUNCTION, listOf, OBJECT, SIGNAL, TEXT, WHOLE } from "../tensor/kinds.ts";
import { type Complete, checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import type { CheckpointStore } from "./checkpoint-store.ts";
import { requireCount, type TrainingData } from "./data/batches.ts";
import { requireShare } from "./data/repeat-rows.ts";
import { OPTIMIZERS, type OptimizerName } from "./optimizer.ts";
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
  ...{ data: ANYTHING, steps: ANYTHING, numEpochs: ANYTHING, batchSize: ANYTHING, optimizer: ANYTHING, lr: ANYTHING },
  ...{ warmupSteps: ANYTHING, eps: ANYTHING, weightDecay: ANYTHING, momentum: ANYTHING, maxGradNorm: ANYTHING },
  ...{ repeat: ANYTHING, evalEvery: ANYTHING, saveEvery: ANYTHING, heldOut: ANYTHING },
  schedule: either(TEXT, FUNCTION),
  betas: listOf(ANYTHING, "numbers"),
  seed: WHOLE,
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

const RANGES: readonly (readonly [name: string, from: number, below: number])[] = [
  ["lr", 0, Infinity],
  ["eps", 0, Infinity],
  ["weightDecay", 0, Infinity],
  ["momentum", 0, 1],
  ["warmupSteps", 0, Infinity],
];

/** @throws ArgumentError naming the option that is out of range, UnknownNameError for an unknown optimizer or weight. */
export function settle(options: TrainOptions, weightNames: readonly string[]): Settled {
  const optimizer = options.optimizer ?? "adamw";
  if (!OPTIMIZERS.includes(optimizer)) {
    throw new UnknownNameError("optimizer", typeof optimizer === "string" ? optimizer : shown(optimizer), OPTIMIZERS);
  }
  const settled = {
    data: options.data,
    batchSize: requireCount("batchSize", options.batchSize ?? 32),
    optimizer,
    lr: options.lr ?? 1e-3,
    schedule: options.schedule ?? "constant",
    warmupSteps: options.warmupSteps ?? 0,
    betas: options.betas ?? ([0.9, 0.999] as const),
    eps: options.eps ?? 1e-8,
    weightDecay: options.weightDecay ?? (optimizer === "adamw" ? 0.01 : 0),
    momentum: options.momentum ?? 0,
    seed: options.seed ?? 0,
    repeat: requireShare("repeat", options.repeat ?? 0),
    frozen: frozenTest(options.frozen ?? [], weightNames),
  };
  const known = ["constant", "linear", "cosine"];
  if (typeof settled.schedule === "string" && !known.includes(settled.schedule)) {
    throw new UnknownNameError("schedule", settled.schedule, known);
  }
  for (const [name, from, below] of RANGES) within(name, settled[name as "lr"], from, below);
  if (settled.momentum > 0 && optimizer !== "sgd") {
    throw new ArgumentError(`momentum applies to optimizer "sgd", but this one is "${optimizer}": leave it out.`, {
      asked: "momentum",
    });
  }
  const ofAdam = (["betas", "eps"] as const).find((name) => options[name] !== undefined);
  if (ofAdam && optimizer === "sgd") {
    throw new ArgumentError(
      `${ofAdam} applies to optimizers "adamw" and "adam", but this one is "sgd": leave it out.`,
      {
        asked: ofAdam,
      },
    );
  }
  if (settled.betas.length !== 2) {
    throw new ArgumentError(`betas must have two numbers, [0.9, 0.999], not ${settled.betas.length}.`, {
      asked: settled.betas,
    });
  }
  for (const beta of settled.betas) within("betas", beta, 0, 1);
  if (options.maxGradNorm !== undefined) within("maxGradNorm", options.maxGradNorm, Number.MIN_VALUE, Infinity);
  if (options.saveEvery !== undefined) requireCount("saveEvery", options.saveEvery);
  if (options.evalEvery !== undefined) requireCount("evalEvery", options.evalEvery);
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
  if (steps !== undefined) return requireCount("steps", steps);
  if (stepsPerEpoch === undefined) {
    throw new ArgumentError("Data from a function has no epochs: give steps.", {
      asked: "numEpochs",
      found: numEpochs,
    });
  }
  return requireCount("numEpochs", numEpochs!) * stepsPerEpoch;
}

function within(name: string, value: number, from: number, below: number): void {
  if (typeof value === "number" && value >= from && value < below) return;
  const limit =
    below === Infinity
      ? `a number ${from === Number.MIN_VALUE ? "above 0" : `of at least ${from}`}`
      : `at least ${from} and less than ${below}`;
  throw new ArgumentError(`${name} must be ${limit}, not ${shown(value)}.`, { asked: name, found: value });
}

function frozenTest(frozen: NonNullable<TrainOptions["frozen"]>, names: readonly string[]): (name: string) => boolean {
  if (typeof frozen === "function") return frozen;
  const unknown = frozen.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UnknownNameError("weight", unknown, names);
  return (name) => frozen.includes(name);
}
