/** The options of `glassformer train`, in the groups that its help shows. */
import { type Command, Option } from "commander";
import { activations } from "../models/parts/activation.ts";
import { listed } from "../tensor/words.ts";
import { RECIPES, type Recipe, type TaskName } from "../training/data/recipes.ts";
import { OPTIMIZERS, type OptimizerName } from "../training/optimizer.ts";
import { count, finiteNumber, finiteNumbers, wholeNumber } from "./arguments.ts";
import { memoryOption } from "./memory-option.ts";

/** The options, as commander returns them. */
export interface TrainFlags {
  readonly out: string;
  readonly task?: Exclude<TaskName, "text">;
  readonly column?: string;
  readonly maxTexts?: number;
  readonly valid?: readonly string[];
  readonly holdOut?: number;
  readonly maxLength?: number;
  readonly repeat?: number;
  readonly tokenizer?: string;
  readonly vocabSize?: number;
  readonly p?: number;
  readonly share?: number;
  readonly length?: number;
  readonly model?: string;
  readonly config?: string;
  readonly nLayers?: number;
  readonly dModel?: number;
  readonly nHeads?: number;
  readonly dHead?: number;
  readonly dMlp?: number;
  readonly nCtx?: number;
  readonly actFn?: string;
  readonly normalizationType?: string;
  readonly attnOnly?: boolean;
  readonly initMode?: string;
  readonly steps?: number;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly optimizer: OptimizerName;
  readonly lr?: number;
  readonly schedule?: "constant" | "linear" | "cosine";
  readonly warmupSteps?: number;
  readonly betas?: readonly number[];
  readonly eps?: number;
  readonly weightDecay?: number;
  readonly momentum?: number;
  readonly maxGradNorm?: number;
  readonly freeze?: readonly string[];
  readonly seed?: number;
  readonly saveEvery?: number;
  readonly evalEvery?: number;
  readonly resume?: boolean;
  readonly report?: readonly string[];
  readonly json?: boolean;
  /** In bytes. */
  readonly memory?: number;
}

/** A flag, as typed. */
export const dashed = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The options that describe a new model. */
export const MODEL_FLAGS = [
  ...(["config", "nLayers", "dModel", "nHeads", "dHead", "dMlp", "nCtx", "actFn"] as const),
  ...(["normalizationType", "attnOnly", "initMode"] as const),
];

const tasks = Object.keys(RECIPES) as TaskName[];
const whole = (flags: string, description: string) => new Option(flags, description).argParser(count);
const number = (flags: string, description: string) => new Option(flags, description).argParser(finiteNumber);

/** "(default: 500; 2000 for modular-addition)": the values in the tasks' recipes. */
function told(of: (recipe: Recipe) => unknown): string {
  const show = (value: unknown) => (Array.isArray(value) ? value.join(" ") : String(value ?? "none"));
  const usual = show(of(RECIPES.text));
  const byValue = new Map<string, string[]>();
  for (const task of tasks) {
    const value = show(of(RECIPES[task]));
    if (value !== usual) byValue.set(value, [...(byValue.get(value) ?? []), task]);
  }
  return `(default: ${[usual, ...[...byValue].map(([value, some]) => `${value} for ${listed(some)}`)].join("; ")})`;
}

export function addTrainOptions(command: Command): Command {
  const groups: Readonly<Record<string, readonly Option[]>> = {
    "Data:": [
      new Option("--task <which>", "train on a synthetic task instead of on files").choices(
        tasks.filter((task) => task !== "text"),
      ),
      new Option("--column <name>", 'the field of .jsonl or column of .parquet with the text (default: "text")'),
      whole("--max-texts <n>", "use only the first n texts of each file"),
      new Option("--valid <file...>", "texts to measure the loss on, not to train on"),
      number(
        "--hold-out <share>",
        "share of the rows, taken from the end, to measure the loss on and not train on (default: 0.02 without --valid)",
      ),
      whole("--max-length <n>", "tokens per row, including BOS (default: the model's context)"),
      number(
        "--repeat <share>",
        "share of the rows that say their beginning twice, so that it pays to look back and copy; held-out rows are left as they are (default: 0)",
      ),
      new Option("--tokenizer <from>", "a tokenizer.json, or a model that has one (default: make one from the texts)"),
      whole("--vocab-size <n>", "vocabulary of the new tokenizer (default: 4096) or of repeated-tokens (default: 64)"),
      whole("--p <n>", "for modular-addition: the modulus (default: 113)"),
      number("--share <x>", "for modular-addition: the share of all sums to train on (default: 0.4)"),
      whole("--length <n>", "for repeated-tokens: length of the longest sequence, in tokens (default: 32)"),
    ],
    "Model:": [
      new Option("--model <model>", "start from this model's weights (default: random weights)"),
      new Option(
        "--config <file>",
        "a JSON file with TransformerLens' configuration fields; the options below override it",
      ),
      whole("--n-layers <n>", `number of layers ${told(({ model }) => model.n_layers)}`),
      whole("--d-model <n>", `width of the residual stream ${told(({ model }) => model.d_model)}`),
      whole("--n-heads <n>", `heads per layer ${told(({ model }) => model.n_heads)}`),
      whole("--d-head <n>", "width of a head (default: d_model / n_heads)"),
      whole("--d-mlp <n>", "neurons per layer (default: 4 d_model)"),
      whole("--n-ctx <n>", "the context, in tokens (default: 256; for a task, as long as it needs)"),
      new Option("--act-fn <name>", `the MLPs' nonlinearity ${told(({ model }) => model.act_fn)}`).choices(
        Object.keys(activations),
      ),
      new Option(
        "--normalization-type <name>",
        `kind of norms ${told(({ model }) => model.normalization_type)}`,
      ).choices(["LN", "LNPre", "none"]),
      new Option("--attn-only", "no MLPs (repeated-tokens has none)"),
      new Option("--init-mode <name>", "how random weights are drawn (default: gpt2)").choices([
        ...["gpt2", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal"],
      ]),
    ],
    "Training:": [
      whole("--steps <n>", `total steps, including those before --resume ${told(({ training }) => training.steps)}`),
      whole("--epochs <n>", "instead of --steps: the number of passes over the data"),
      whole("--batch-size <n>", `rows per step ${told(({ training }) => training.batchSize)}`),
      new Option("--optimizer <name>", "how a gradient becomes a step")
        .choices([...OPTIMIZERS])
        .default("adamw", '"adamw"'),
      number("--lr <x>", `learning rate ${told(({ training }) => training.lr)}`),
      new Option(
        "--warmup-steps <n>",
        `steps during which the rate rises ${told(({ warmup }) => (warmup ? `${100 * warmup} % of all` : "none"))}`,
      ).argParser(wholeNumber),
      new Option(
        "--schedule <name>",
        `how the rate changes after that ${told(({ training }) => training.schedule)}`,
      ).choices(["constant", "linear", "cosine"]),
      new Option(
        "--betas <x...>",
        `decay rates of the running means of the gradient and of its square ${told(({ training }) => training.betas)}`,
      ).argParser(finiteNumbers),
      number("--eps <x>", "added to the root of the mean square (default: 1e-8)"),
      number(
        "--weight-decay <x>",
        `how strongly the weights are pulled towards 0 ${told(({ training }) => training.weightDecay)}; only for adamw`,
      ),
      number("--momentum <x>", "for sgd (default: 0)"),
      number(
        "--max-grad-norm <x>",
        `gradients longer than this are scaled down to it ${told(({ training }) => training.maxGradNorm)}`,
      ),
      new Option("--freeze <weight...>", "names of weights that stay as they are"),
      new Option("--seed <n>", "seed of weights, batches and tasks (default: 0)").argParser(wholeNumber),
      memoryOption(),
    ],
    "Output:": [
      new Option(
        "--out <folder>",
        "where to save checkpoints; every command can open it with --model",
      ).makeOptionMandatory(),
      whole("--save-every <n>", "steps between checkpoints (default: a fifth of all steps)"),
      whole(
        "--eval-every <n>",
        "steps between measurements of the held-out loss (default: a tenth of all steps; for a task, a fortieth)",
      ),
      new Option(
        "--resume",
        "continue from the last checkpoint in --out, with the same results as an uninterrupted run",
      ),
      new Option(
        "--report <file...>",
        "files to write the loss curve to, as a report: .html, .json, .csv, .svg, .png or .txt",
      ),
      new Option("--json", "print the report as JSON instead of as text"),
    ],
  };
  for (const [heading, options] of Object.entries(groups)) {
    command.optionsGroup(heading);
    for (const option of options) command.addOption(option);
  }
  return command;
}
