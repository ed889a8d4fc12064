/** The options of `glassformer train`, in the groups that its help shows. */
import { activations } from "../models/parts/activation.ts";
import { INIT_MODES } from "../models/weights/init-modes.ts";
import type { Condition, OptionRecords } from "../options/records.ts";
import type { Settled } from "../options/settle.ts";
import { listed } from "../tensor/words.ts";
import { RECIPES, type Recipe, type TaskName } from "../training/data/recipes.ts";
import { TRAINING_OPTIONS } from "../training/option-records.ts";
import { MEMORY_OPTION } from "./model-options.ts";

const tasks = Object.keys(RECIPES) as TaskName[];
type SyntheticTask = Exclude<TaskName, "text">;

/** "500; 2000 for modular-addition": the values in the tasks' recipes. */
function told(of: (recipe: Recipe) => unknown): string {
  const show = (value: unknown) => (Array.isArray(value) ? value.join(" ") : String(value ?? "none"));
  const usual = show(of(RECIPES.text));
  const byValue = new Map<string, string[]>();
  for (const task of tasks) {
    const value = show(of(RECIPES[task]));
    if (value !== usual) byValue.set(value, [...(byValue.get(value) ?? []), task]);
  }
  return [usual, ...[...byValue].map(([value, some]) => `${value} for ${listed(some)}`)].join("; ");
}

/** A count, at least 1. */
const count = (description: string, defaultText?: string, only: readonly Condition[] = []) =>
  ({ type: "integer", least: 1, description, only, ...(defaultText === undefined ? {} : { defaultText }) }) as const;

const OF_TEXTS = [{ option: "task", is: [undefined], which: "makes its own data" }] as const;
const OF_SUMS = [{ option: "task", is: ["modular-addition"] }] as const;
const OF_REPETITIONS = [{ option: "task", is: ["repeated-tokens"] }] as const;
const OF_MLPS = [{ option: "attnOnly", is: [false], which: "makes no MLPs" }] as const;

const DATA_OPTIONS = {
  task: {
    type: "choice",
    choices: tasks.filter((task) => task !== "text") as unknown as readonly [SyntheticTask, ...SyntheticTask[]],
    description: "train on a synthetic task instead of on files",
  },
  column: {
    type: "text",
    placeholder: "name",
    description: "the field of .jsonl or column of .parquet with the text",
    defaultText: '"text"',
    only: OF_TEXTS,
  },
  maxTexts: count("use only the first n texts of each file", undefined, OF_TEXTS),
  valid: { type: "paths", description: "texts to measure the loss on, not to train on", only: OF_TEXTS },
  holdOut: {
    type: "number",
    placeholder: "share",
    least: 0,
    below: 1,
    description: "share of the rows, taken from the end, to measure the loss on and not train on",
    defaultText: "0.02 without --valid",
    only: [...OF_TEXTS, { option: "valid", is: [undefined], which: "also says what to hold out" }],
  },
  maxLength: count("tokens per row, including BOS", "the model's context", OF_TEXTS),
  repeat: { ...TRAINING_OPTIONS.repeat, only: OF_TEXTS },
  tokenizer: {
    type: "model",
    placeholder: "from",
    description: "a tokenizer.json, or a model that has one",
    defaultText: "make one from the texts",
    only: OF_TEXTS,
  },
  vocabSize: count("vocabulary of the new tokenizer or of repeated-tokens", "4096; 64 for repeated-tokens", [
    { option: "task", not: ["modular-addition"], which: "takes its vocabulary from --p" },
    { option: "tokenizer", is: [undefined], which: "names an existing one" },
  ]),
  p: count("for modular-addition: the modulus", "113", OF_SUMS),
  share: {
    type: "number",
    description: "for modular-addition: the share of all sums to train on",
    defaultText: "0.4",
    only: OF_SUMS,
  },
  length: count("for repeated-tokens: length of the longest sequence, in tokens", "32", OF_REPETITIONS),
} as const satisfies OptionRecords;

/** The options that describe a new model. */
const NEW_MODEL_OPTIONS = {
  config: {
    type: "path",
    names: "file",
    description: "a JSON file with TransformerLens' configuration fields; the options below override it",
  },
  nLayers: count(
    "number of layers",
    told(({ model }) => model.n_layers),
  ),
  dModel: count(
    "width of the residual stream",
    told(({ model }) => model.d_model),
  ),
  nHeads: count(
    "heads per layer",
    told(({ model }) => model.n_heads),
  ),
  dHead: count("width of a head", "d_model / n_heads"),
  dMlp: count("neurons per layer", "4 d_model", OF_MLPS),
  nCtx: count("the context, in tokens", "256; for a task, as long as it needs"),
  actFn: {
    type: "choice",
    placeholder: "name",
    choices: Object.keys(activations) as [string, ...string[]],
    description: "the MLPs' nonlinearity",
    defaultText: told(({ model }) => model.act_fn),
    only: OF_MLPS,
  },
  normalizationType: {
    type: "choice",
    placeholder: "name",
    choices: ["LN", "LNPre", "none"],
    description: "kind of norms",
    defaultText: told(({ model }) => model.normalization_type),
  },
  attnOnly: { type: "flag", description: "no MLPs (repeated-tokens has none)" },
  initMode: {
    type: "choice",
    placeholder: "name",
    choices: INIT_MODES.filter((mode) => mode !== "muP") as unknown as readonly [string, ...string[]],
    description: "how random weights are drawn",
    defaultText: "gpt2",
  },
} as const satisfies OptionRecords;

export const MODEL_FLAGS = Object.keys(NEW_MODEL_OPTIONS) as (keyof typeof NEW_MODEL_OPTIONS)[];

/** Of the library's options, with what the recipes say instead of its defaults. */
const recipe = <T extends object>({ default: _, ...record }: T & { readonly default?: unknown }, defaultText: string) =>
  ({ ...record, defaultText }) as Omit<T, "default"> & { readonly defaultText: string };

const { betas, lr, schedule, batchSize, weightDecay, maxGradNorm, warmupSteps } = TRAINING_OPTIONS;

const HOW_OPTIONS = {
  steps: {
    ...TRAINING_OPTIONS.steps,
    defaultText: told(({ training }) => training.steps),
    only: [{ option: "epochs", is: [undefined], which: "also says how long to train" }],
  },
  epochs: count("instead of --steps: the number of passes over the data"),
  batchSize: recipe(
    batchSize,
    told(({ training }) => training.batchSize),
  ),
  optimizer: TRAINING_OPTIONS.optimizer,
  lr: recipe(
    lr,
    told(({ training }) => training.lr),
  ),
  warmupSteps: recipe(
    warmupSteps,
    told(({ warmup }) => (warmup ? `${100 * warmup} % of all` : "none")),
  ),
  schedule: recipe(
    schedule,
    told(({ training }) => training.schedule),
  ),
  betas: recipe(
    betas,
    told(({ training }) => training.betas),
  ),
  eps: TRAINING_OPTIONS.eps,
  weightDecay: recipe(weightDecay, `${told(({ training }) => training.weightDecay)}; 0 for adam and sgd`),
  momentum: TRAINING_OPTIONS.momentum,
  maxGradNorm: recipe(
    maxGradNorm,
    told(({ training }) => training.maxGradNorm),
  ),
  freeze: { type: "texts", placeholder: "weight", description: "names of weights that stay as they are" },
  seed: TRAINING_OPTIONS.seed,
  memory: MEMORY_OPTION,
} as const satisfies OptionRecords;

const OUTPUT_OPTIONS = {
  out: {
    type: "path",
    names: "folder",
    mandatory: true,
    description: "where to save checkpoints; every command can open it with --model",
  },
  saveEvery: { ...TRAINING_OPTIONS.saveEvery, defaultText: "a fifth of all steps" },
  evalEvery: {
    ...TRAINING_OPTIONS.evalEvery,
    defaultText: "a tenth of all steps; for a task, a fortieth",
    only: [{ option: "holdOut", not: [0], which: "holds nothing out" }],
  },
  resume: {
    type: "flag",
    description: "continue from the last checkpoint in --out, with the same results as an uninterrupted run",
  },
  report: {
    type: "paths",
    description:
      "files to write the loss curve to, as a report: .html, .json, .csv, .svg, .png or .txt; or a folder, figs/, for every picture and table on its own",
  },
  json: { type: "flag", description: "print the report as JSON instead of as text" },
} as const satisfies OptionRecords;

export const TRAIN_OPTIONS = {
  ...DATA_OPTIONS,
  model: { type: "model", description: "start from this model's weights", defaultText: "random weights" },
  ...NEW_MODEL_OPTIONS,
  ...HOW_OPTIONS,
  ...OUTPUT_OPTIONS,
} as const satisfies OptionRecords;

/** Headings in the help, each by the first option under it. */
export const TRAIN_HEADINGS = { task: "Data:", model: "Model:", steps: "Training:", out: "Output:" };

/** The options, checked against each other. */
export type TrainFlags = Settled<typeof TRAIN_OPTIONS>;
