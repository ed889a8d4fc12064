/** Turns the options of `glassformer train` into those of `train`, and into the settings that reports show and checkpoints store. */
import type { Scalar } from "../finding/table.ts";
import { folderFiles } from "../load/node.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { readTrainingJson } from "../training/checkpoint.ts";
import { fingerprint } from "../training/data/fingerprint.ts";
import { RECIPES, type TaskName } from "../training/data/recipes.ts";
import type { TrainingTask } from "../training/data/tasks.ts";
import type { TrainOptions } from "../training/options.ts";
import type { TrainFlags } from "./train-options.ts";

type Settings = Record<string, Scalar>;

/** The options of `train`: from the flags, or else from the task's recipe. */
export function trainingOf(name: TaskName, task: TrainingTask, flags: TrainFlags): TrainOptions {
  const { training, warmup } = RECIPES[name];
  const { epochs, optimizer, out } = flags;
  const batchSize = flags.batchSize ?? training.batchSize;
  const perEpoch = typeof task.data === "function" ? undefined : Math.ceil(task.data.shape[0] / batchSize);
  if (epochs !== undefined && !perEpoch) {
    throw new ArgumentError(`--task ${name} generates its data as it goes, so it has no epochs: give --steps.`, {
      asked: epochs,
    });
  }
  const steps = flags.steps ?? (epochs === undefined ? training.steps : epochs * perEpoch!);
  const { eps, momentum, freeze: frozen, repeat, maxGradNorm = training.maxGradNorm } = flags;
  const settings = {
    repeat,
    eps,
    momentum,
    frozen,
    maxGradNorm,
    heldOut: task.heldOut,
    ...(flags.resume ? { resume: out } : {}),
  };
  return {
    ...(Object.fromEntries(
      Object.entries(settings).filter(([, value]) => value !== undefined),
    ) as Partial<TrainOptions>),
    ...{ data: task.data, loss: task.loss, steps, batchSize, optimizer, saveDir: out },
    saveEvery: flags.saveEvery ?? Math.ceil(steps / 5),
    ...(task.heldOut ? { evalEvery: flags.evalEvery ?? Math.ceil(steps / (name === "text" ? 10 : 40)) } : {}),
    lr: flags.lr ?? training.lr,
    schedule: flags.schedule ?? training.schedule,
    warmupSteps: flags.warmupSteps ?? Math.floor(warmup * steps),
    ...(optimizer === "sgd" ? {} : { betas: (flags.betas as [number, number] | undefined) ?? training.betas }),
    weightDecay: flags.weightDecay ?? (optimizer === "adamw" ? training.weightDecay : 0),
    seed: flags.seed ?? 0,
  };
}

/** How many passes over the data were made; `undefined` for data that is generated as it goes. */
export function epochsOf({ data }: TrainingTask, steps: number, batchSize: number): number | undefined {
  return typeof data === "function" ? undefined : steps / Math.ceil(data.shape[0] / batchSize);
}

function optimizerSettings(options: TrainOptions): Settings {
  const { optimizer, lr, schedule, warmupSteps, betas, weightDecay, maxGradNorm } = options;
  return {
    optimizer: optimizer!,
    lr: lr!,
    schedule: String(schedule),
    "warm-up steps": warmupSteps!,
    ...(optimizer === "sgd" ? { momentum: options.momentum ?? 0 } : { betas: betas!.join(" ") }),
    "weight decay": weightDecay!,
    "max gradient norm": maxGradNorm ?? null,
  };
}

/** The settings of a training run, as its report shows them. */
export function settingsOf(
  name: TaskName,
  files: readonly string[],
  { p = 113, share = 0.4, length = 32 }: TrainFlags,
  { data, heldOut }: TrainingTask,
  options: TrainOptions,
  steps: number,
): Settings {
  const ofTask = { text: {}, "modular-addition": { p, share }, "repeated-tokens": { length } };
  return {
    task: name === "text" ? files.join(" ") : name,
    ...ofTask[name],
    steps,
    "batch size": options.batchSize!,
    ...(typeof data === "function" ? {} : { rows: data.shape[0], "tokens per row": data.shape[1] }),
    "held-out rows": heldOut?.shape[0] ?? 0,
    ...(options.repeat === undefined ? {} : { "share repeated": options.repeat }),
    ...optimizerSettings(options),
    seed: options.seed!,
  };
}

/** The settings as a checkpoint recorded them, where it did. */
export function toldOf(settings: Settings, kept: Settings): Settings {
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, kept[key] ?? value]));
}

/** What a checkpoint records about a training run, so that a resumed run can be checked against it. */
export function aboutOf({ data, heldOut }: TrainingTask, options: TrainOptions, flags: TrainFlags): Settings {
  return {
    data: fingerprint(typeof data === "function" ? data(0) : data),
    "held out": heldOut ? fingerprint(heldOut) : null,
    "batch size": options.batchSize!,
    "share repeated": options.repeat ?? 0,
    seed: options.seed!,
    ...optimizerSettings(options),
    eps: options.eps ?? null,
    frozen: (options.frozen as readonly string[] | undefined)?.join(" ") ?? "none",
    // The learning rate falls over all steps, so a different number of steps means a different rate.
    ...(options.schedule === "constant" ? {} : { steps: options.steps! }),
    "begun from": flags.model ?? RANDOM,
    "vocab size": flags.vocabSize ?? null,
  };
}

const RANDOM = "random weights";
/** Settings that are given at the start and need not be repeated. */
const BEGINNING = ["begun from", "vocab size"];
/** The options that decide which rows there are, by task. */
const OF_ROWS: { readonly [T in TaskName]: string } = {
  text: "files, --hold-out, --valid, --max-length and --max-texts",
  "modular-addition": "--p, --share and --seed",
  "repeated-tokens": "--vocab-size, --length, --batch-size and --seed",
};

/** What the next checkpoint records: the current settings, and those of the start. */
export function aboutFromHere(before: Settings, about: Settings): Settings {
  return { ...about, ...Object.fromEntries(BEGINNING.map((key) => [key, before[key] ?? about[key]])) };
}

/** What a checkpoint says about its training run. */
export async function keptAbout(out: string): Promise<Settings> {
  return (await readTrainingJson(folderFiles(out))).training.about as Settings;
}

/**
 * The settings that have changed since the last checkpoint, one line each.
 * @throws ArgumentError if the data has changed: the held-out rows might then have been trained on
 */
export function checkAbout(name: TaskName, before: Settings, about: Settings, flags: TrainFlags): string[] {
  const { out, model } = flags;
  const differs = (key: string) => before[key] !== undefined && before[key] !== about[key];
  const other = ["data", "held out"].find(differs);
  if (other) {
    throw new ArgumentError(
      `${out} was trained on other rows, or with other rows held out: --resume needs the same ${OF_ROWS[name]} as before. To train it on something else, pass it as --model and name another --out.`,
      { asked: about[other], found: before[other] },
    );
  }
  if (model !== undefined && differs("begun from")) {
    throw new ArgumentError(`${out} was started from ${before["begun from"]}, not from ${model}: leave out --model.`, {
      asked: model,
      found: before["begun from"],
    });
  }
  if (flags.vocabSize !== undefined && differs("vocab size")) {
    throw new ArgumentError(
      `${out} was started with ${before["vocab size"] === null ? "no --vocab-size" : `--vocab-size ${before["vocab size"]}`}: leave out --vocab-size, or give the same number.`,
      { asked: flags.vocabSize, found: before["vocab size"] },
    );
  }
  if (differs("optimizer")) return []; // refused later, when the optimizer's state is read
  return Object.keys(about)
    .filter((key) => !BEGINNING.includes(key) && differs(key))
    .map((key) => `${key} is now ${about[key]}; it was ${before[key]}`);
}
