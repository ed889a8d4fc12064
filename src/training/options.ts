/** What a training can be told, and what it makes of what it is not told. */
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
import { OPTIMIZERS, type OptimizerName } from "./optimizer.ts";
import type { Schedule } from "./schedule.ts";

/** How to train. Names are those of TransformerLens' `HookedTransformerTrainConfig` where it has them. */
export interface TrainOptions {
  readonly data: TrainingData;
  /** Steps in all, those before a `resume` included. Give this or `numEpochs`. */
  readonly steps?: number | undefined;
  /** How often to go over the data. */
  readonly numEpochs?: number | undefined;
  /** Rows of a step; 32 unless given. Not read where the data is a function. */
  readonly batchSize?: number | undefined;
  /** `adamw` unless given. */
  readonly optimizer?: OptimizerName | undefined;
  /** Learning rate; 1e-3 unless given. */
  readonly lr?: number | undefined;
  /** How the learning rate goes on after the warm-up; `constant` unless given. */
  readonly schedule?: Schedule | undefined;
  /** Steps over which the learning rate rises from 0; none unless given. */
  readonly warmupSteps?: number | undefined;
  /** Decay of the means of the gradient and of its square; [0.9, 0.999] unless given. */
  readonly betas?: readonly [number, number] | undefined;
  /** Added to the root of the squares' mean; 1e-8 unless given. */
  readonly eps?: number | undefined;
  /** Of all weights alike; 0.01 for `adamw` and 0 for the others unless given, as in PyTorch. */
  readonly weightDecay?: number | undefined;
  /** Of `sgd`; 0 unless given. */
  readonly momentum?: number | undefined;
  /** The longest that the whole gradient may be: a longer one is shortened to it (PyTorch's `clip_grad_norm_`). */
  readonly maxGradNorm?: number | undefined;
  /** Of the order of the data's rows; 0 unless given. */
  readonly seed?: number | undefined;
  /** What to make smaller, a single number; the mean next-token loss in nats unless given. */
  readonly loss?: Loss | undefined;
  /** Rows that are not trained on: the loss on them is asked for now and then, with the model as it is then. */
  readonly heldOut?: NDArray<"int32"> | Tensor | undefined;
  /** After how many steps that is, and after the last: a tenth of all unless given. */
  readonly evalEvery?: number | undefined;
  /** Weights that stay as they are: their names, or a test for names. */
  readonly frozen?: (readonly string[] | ((weight: string) => boolean)) | undefined;
  /**
   * Where checkpoints go, the model's tokenizer with them, one folder each: a folder's path in Node, or a store. The last
   * step is always kept.
   */
  readonly saveDir?: string | CheckpointStore | undefined;
  /** Keep a checkpoint every so many steps besides. */
  readonly saveEvery?: number | undefined;
  /** Whatever else a checkpoint is to say of the training, as plain data: `training.json` has it under `about`. */
  readonly about?: Readonly<Record<string, string | number | boolean | null>> | undefined;
  /** A checkpoint, or a folder of checkpoints whose last is meant, to go on from: weights, moments, steps done. */
  readonly resume?: string | ModelFiles | undefined;
}

/** What to do while training. */
export interface TrainControls {
  /** Stops the training between two steps; what is done is kept in `saveDir`, if there is one. */
  readonly signal?: AbortSignal | undefined;
  /** Told after each step; where it returns a promise, the next step waits for it. */
  readonly onProgress?: ((progress: TrainProgress) => unknown) | undefined;
}

// Where it is ANYTHING, `settle` and others have better words.
const OPTIONS: OptionKinds<TrainOptions> = {
  ...{ data: ANYTHING, steps: ANYTHING, numEpochs: ANYTHING, batchSize: ANYTHING, optimizer: ANYTHING, lr: ANYTHING },
  ...{ warmupSteps: ANYTHING, eps: ANYTHING, weightDecay: ANYTHING, momentum: ANYTHING, maxGradNorm: ANYTHING },
  ...{ evalEvery: ANYTHING, saveEvery: ANYTHING, heldOut: ANYTHING },
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

/** @throws ArgumentError for an option that `train` does not have, or cannot take */
export function checkTrainOptions(options: TrainOptions, controls: TrainControls): void {
  checkOptions("train", options, OPTIONS);
  checkOptions("train's controls", controls, CONTROLS);
}

/** How far a training has come. */
export interface TrainProgress {
  /** Steps done, and steps in all. */
  readonly step: number;
  readonly steps: number;
  /** Of this step's batch, before the step; in nats unless it is a loss of your own. */
  readonly loss: number;
  /** The length of the whole gradient before it was clipped. */
  readonly gradNorm: number;
  readonly lr: number;
  /** Tokens seen since this call began, and how many a second. */
  readonly tokens: number;
  readonly tokensPerSecond: number;
  /** The loss on `heldOut` after this step, where it was asked for. */
  readonly heldOut?: number;
  /** The checkpoint that was just written. */
  readonly checkpoint?: string | undefined;
  /** The model as it is after this step: to see how it does on what it is not trained on. */
  model(): HookedTransformer;
}

/** Options with nothing left open. */
export type Settled = Complete<
  Pick<
    TrainOptions,
    "data" | "batchSize" | "optimizer" | "lr" | "schedule" | "warmupSteps" | "betas" | "eps" | "momentum" | "seed"
  >
> & { readonly weightDecay: number; readonly frozen: (weight: string) => boolean };

const RANGES: readonly (readonly [name: string, from: number, below: number])[] = [
  ["lr", 0, Infinity],
  ["eps", 0, Infinity],
  ["weightDecay", 0, Infinity],
  ["momentum", 0, 1],
  ["warmupSteps", 0, Infinity],
];

/** @throws ArgumentError naming the option that is out of its range, UnknownNameError for an optimizer or a weight. */
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
    frozen: frozenTest(options.frozen ?? [], weightNames),
  };
  const known = ["constant", "linear", "cosine"];
  if (typeof settled.schedule === "string" && !known.includes(settled.schedule)) {
    throw new UnknownNameError("schedule", settled.schedule, known);
  }
  for (const [name, from, below] of RANGES) within(name, settled[name as "lr"], from, below);
  if (settled.momentum > 0 && optimizer !== "sgd") {
    throw new ArgumentError(`momentum is of optimizer "sgd", and this one is "${optimizer}": leave it out.`, {
      asked: "momentum",
    });
  }
  const ofAdam = (["betas", "eps"] as const).find((name) => options[name] !== undefined);
  if (ofAdam && optimizer === "sgd") {
    throw new ArgumentError(`${ofAdam} is of optimizers "adamw" and "adam", and this one is "sgd": leave it out.`, {
      asked: ofAdam,
    });
  }
  if (settled.betas.length !== 2) {
    throw new ArgumentError(`betas has ${settled.betas.length} numbers, but it takes two: [0.9, 0.999].`, {
      asked: settled.betas,
    });
  }
  for (const beta of settled.betas) within("betas", beta, 0, 1);
  if (options.maxGradNorm !== undefined) within("maxGradNorm", options.maxGradNorm, Number.MIN_VALUE, Infinity);
  if (options.saveEvery !== undefined) requireCount("saveEvery", options.saveEvery);
  if (options.evalEvery !== undefined) requireCount("evalEvery", options.evalEvery);
  if (options.evalEvery !== undefined && options.heldOut === undefined) {
    throw new ArgumentError("evalEvery says when to ask for the loss on heldOut, and there is no heldOut: give one.", {
      asked: "evalEvery",
    });
  }
  if (options.saveEvery !== undefined && options.saveDir === undefined) {
    throw new ArgumentError("saveEvery says when to keep a checkpoint, but no saveDir says where: give one.", {
      asked: "saveEvery",
    });
  }
  return settled;
}

/** Steps in all. @throws ArgumentError unless exactly one of `steps` and `numEpochs` says it. */
export function stepsInAll({ steps, numEpochs }: TrainOptions, stepsPerEpoch: number | undefined): number {
  if ((steps === undefined) === (numEpochs === undefined)) {
    throw new ArgumentError("Give steps or numEpochs, one of the two: how long to train.", {
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
      ? `a number from ${from === Number.MIN_VALUE ? "above 0" : `${from} up`}`
      : `from ${from} to below ${below}`;
  throw new ArgumentError(`${name} is ${shown(value)}, but it must be ${limit}.`, { asked: name, found: value });
}

function frozenTest(frozen: NonNullable<TrainOptions["frozen"]>, names: readonly string[]): (name: string) => boolean {
  if (typeof frozen === "function") return frozen;
  const unknown = frozen.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UnknownNameError("weight", unknown, names);
  return (name) => frozen.includes(name);
}
