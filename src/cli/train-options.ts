/** What `glassformer train` can be told, in groups as its help shows them. */
import { type Command, Option } from "commander";
import { ACTIVATIONS } from "../models/config-choices.ts";
import { RECIPES, type Recipe, type TaskName } from "../training/data/recipes.ts";
import { OPTIMIZERS, type OptimizerName } from "../training/optimizer.ts";
import { count, finiteNumber, finiteNumbers, wholeNumber } from "./arguments.ts";
import { memoryOption } from "./memory-option.ts";

/** The options as commander gives them. */
export interface TrainFlags {
  readonly out: string;
  readonly task?: Exclude<TaskName, "text">;
  readonly column?: string;
  readonly maxTexts?: number;
  readonly valid?: readonly string[];
  readonly holdOut?: number;
  readonly maxLength?: number;
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

/** A flag as it is typed. */
export const dashed = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Those that say what a new model is like. */
export const MODEL_FLAGS = [
  ...(["config", "nLayers", "dModel", "nHeads", "dHead", "dMlp", "nCtx", "actFn"] as const),
  ...(["normalizationType", "attnOnly", "initMode"] as const),
];

const tasks = Object.keys(RECIPES) as TaskName[];
const whole = (flags: string, description: string) => new Option(flags, description).argParser(count);
const number = (flags: string, description: string) => new Option(flags, description).argParser(finiteNumber);

/** "(default: 500; 2000 for modular-addition)": what the tasks' recipes have. */
function told(of: (recipe: Recipe) => unknown): string {
  const show = (value: unknown) => (Array.isArray(value) ? value.join(" ") : String(value ?? "none"));
  const usual = show(of(RECIPES.text));
  const byValue = new Map<string, string[]>();
  for (const task of tasks) {
    const value = show(of(RECIPES[task]));
    if (value !== usual) byValue.set(value, [...(byValue.get(value) ?? []), task]);
  }
  return `(default: ${[usual, ...[...byValue].map(([value, some]) => `${value} for ${some.join(" and ")}`)].join("; ")})`;
}

export function addTrainOptions(command: Command): Command {
  const groups: Readonly<Record<string, readonly Option[]>> = {
    "Data:": [
      new Option("--task <which>", "train on a task that is made as it is needed, instead of on files").choices(
        tasks.filter((task) => task !== "text"),
      ),
      new Option("--column <name>", 'field of .jsonl or column of .parquet that holds the text (default: "text")'),
      whole("--max-texts <n>", "of each file, the first texts alone"),
      new Option("--valid <file...>", "texts to measure the loss on; they are not trained on"),
      number(
        "--hold-out <share>",
        "share of the rows, the last ones, that is not trained on (default: 0.02 without --valid)",
      ),
      whole("--max-length <n>", "tokens of a row, BOS included (default: the model's context)"),
      new Option(
        "--tokenizer <from>",
        "a tokenizer.json, or a model that has one (default: one is made from the texts)",
      ),
      whole("--vocab-size <n>", "tokens of the tokenizer that is made, or of repeated-tokens (default: 4096; 64)"),
      whole("--p <n>", "of modular-addition: the modulus (default: 113)"),
      number("--share <x>", "of modular-addition: the share of all sums to learn from (default: 0.4)"),
      whole("--length <n>", "of repeated-tokens: tokens of the longest sequence (default: 32)"),
    ],
    "Model:": [
      new Option("--model <model>", "go on from this model's weights (default: random weights)"),
      new Option(
        "--config <file>",
        "a JSON file of TransformerLens' configuration fields; the options below come on top",
      ),
      whole("--n-layers <n>", `layers ${told(({ model }) => model.n_layers)}`),
      whole("--d-model <n>", `width of the residual stream ${told(({ model }) => model.d_model)}`),
      whole("--n-heads <n>", `heads of a layer ${told(({ model }) => model.n_heads)}`),
      whole("--d-head <n>", "width of a head (default: d_model / n_heads)"),
      whole("--d-mlp <n>", "neurons of a layer (default: 4 d_model)"),
      whole("--n-ctx <n>", "the context, in tokens (default: 256; a task's own)"),
      new Option("--act-fn <name>", `the MLPs' nonlinearity ${told(({ model }) => model.act_fn)}`).choices(ACTIVATIONS),
      new Option("--normalization-type <name>", `norms ${told(({ model }) => model.normalization_type)}`).choices([
        "LN",
        "LNPre",
        "none",
      ]),
      new Option("--attn-only", "no MLPs (repeated-tokens has none)"),
      new Option("--init-mode <name>", "how random weights are drawn (default: gpt2)").choices([
        ...["gpt2", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal"],
      ]),
    ],
    "Training:": [
      whole("--steps <n>", `steps in all, those before --resume included ${told(({ training }) => training.steps)}`),
      whole("--epochs <n>", "instead of --steps: how often to go over the data"),
      whole("--batch-size <n>", `rows of a step ${told(({ training }) => training.batchSize)}`),
      new Option("--optimizer <name>", "what makes a step of a gradient")
        .choices([...OPTIMIZERS])
        .default("adamw", '"adamw"'),
      number("--lr <x>", `learning rate ${told(({ training }) => training.lr)}`),
      new Option(
        "--warmup-steps <n>",
        `steps in which the rate rises ${told(({ warmup }) => (warmup ? `${100 * warmup} % of all` : "none"))}`,
      ).argParser(wholeNumber),
      new Option(
        "--schedule <name>",
        `how the learning rate goes on after that ${told(({ training }) => training.schedule)}`,
      ).choices(["constant", "linear", "cosine"]),
      new Option(
        "--betas <x...>",
        `decay of the means of the gradient and of its square ${told(({ training }) => training.betas)}`,
      ).argParser(finiteNumbers),
      number("--eps <x>", "added to the root of the squares' mean (default: 1e-8)"),
      number(
        "--weight-decay <x>",
        `pull of the weights towards 0 ${told(({ training }) => training.weightDecay)}; 0 unless adamw`,
      ),
      number("--momentum <x>", "of sgd (default: 0)"),
      number(
        "--max-grad-norm <x>",
        `longer gradients are shortened to it ${told(({ training }) => training.maxGradNorm)}`,
      ),
      new Option("--freeze <weight...>", "weights that stay as they are, by name"),
      new Option("--seed <n>", "of weights, batches and tasks (default: 0)").argParser(wholeNumber),
      memoryOption(),
    ],
    "Output:": [
      new Option("--out <folder>", "where checkpoints go; every command's --model opens it").makeOptionMandatory(),
      whole("--save-every <n>", "steps between checkpoints (default: a fifth of all)"),
      whole(
        "--eval-every <n>",
        "steps between looks at what is held out (default: a tenth of all; of a task, a fortieth)",
      ),
      new Option("--resume", "go on from the last checkpoint in --out, to the same numbers"),
      new Option("--report <file...>", "write the loss curve as a report: .html, .json, .csv, .svg, .png, .txt"),
      new Option("--json", "print the report as JSON instead of as text"),
    ],
  };
  for (const [heading, options] of Object.entries(groups)) {
    command.optionsGroup(heading);
    for (const option of options) command.addOption(option);
  }
  return command;
}
