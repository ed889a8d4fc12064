/** `glassformer train-dictionary`: a sparse autoencoder or transcoder of a model's activations on texts, in a folder in SAELens' format. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { OptionRecords } from "../options/records.ts";
import type { Settled } from "../options/settle.ts";
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { counted } from "../tensor/words.ts";
import { DICTIONARY_OPTIONS } from "../training/dictionaries/options.ts";
import type { DictionaryProgress, TrainDictionaryControls } from "../training/dictionaries/run-options.ts";
import { ACTIVATIONS_INDEX, StoredActivations } from "../training/dictionaries/stored-activations.ts";
import { command } from "./command.ts";
import { guarded } from "./interrupt.ts";
import { MODEL_OPTION, OPENING_OPTIONS, openedWith } from "./model-options.ts";
import { checksumOfModel } from "./origin.ts";
import { type Terminal, type TextOutput, tell, widthOf } from "./terminal.ts";
import { rowsOf, textsOf } from "./train-data.ts";
import { stepsDoneIn } from "./training-folder.ts";
import { clock } from "./training-screen.ts";

const OPTIONS = {
  model: MODEL_OPTION,
  out: {
    type: "path",
    names: "folder",
    mandatory: true,
    description: "the folder for the dictionary and its checkpoints",
  },
  at: {
    type: "text",
    placeholder: "hook",
    description: "the hook point that it reads",
    defaultText: "blocks.0.hook_mlp_out",
  },
  makes: {
    type: "text",
    placeholder: "hook",
    description: "for a transcoder: the hook point that it makes",
    defaultText: "the one that it reads",
  },
  skip: { type: "flag", description: "for a transcoder: its input also goes to its output through a matrix" },
  crossLayer: {
    type: "flag",
    description:
      "transcoders of all layers, whose features write to every later layer too; --at and --makes are then of each block",
  },
  ...DICTIONARY_OPTIONS,
  maxLength: {
    type: "integer",
    least: 2,
    description: "tokens per row, including BOS",
    defaultText: "the model's context, at most 128",
  },
  column: {
    type: "text",
    placeholder: "name",
    description: "the field of .jsonl or column of .parquet with the text",
    defaultText: '"text"',
  },
  maxTexts: { type: "integer", least: 1, description: "use only the first n texts of each file" },
  saveEvery: { type: "integer", least: 1, description: "steps between checkpoints", defaultText: "a fifth of all" },
  resume: { type: "flag", description: "continue from the last checkpoint in --out" },
  ...OPENING_OPTIONS,
} as const satisfies OptionRecords;

type Flags = Settled<typeof OPTIONS>;

/** SAELens' length of rows. */
const USUAL_LENGTH = 128;

export const trainDictionaryCommand = command({
  name: "train-dictionary",
  group: "Models:",
  summary: "Train a sparse autoencoder or transcoder on a model's activations",
  description:
    "Runs a model over texts, and trains a dictionary of sparse features on what one of its hook points holds. It is saved in SAELens' format, transcoders across layers in circuit-tracer's. Each step's squared error, features per token (L0), explained variance and dead features are shown. Ctrl-C saves what has been done so far.",
  argument: {
    name: "file",
    several: true,
    description: 'texts: .txt, .jsonl or .parquet, by path or URL; "-" for stdin; or a folder of scan activations',
    is: "file",
  },
  options: OPTIONS,
  headings: { kind: "The dictionary and its training:", maxLength: "The texts:", saveEvery: "The run:" },
  examples: [
    "train-dictionary novels.txt --out my-dictionary --kind batchtopk --k 16",
    "train-dictionary novels.txt --out my-transcoder --at blocks.0.ln2.hook_normalized --makes blocks.0.hook_mlp_out",
    "train-dictionary novels.txt --out my-clt --cross-layer --at ln2.hook_normalized --makes hook_mlp_out --kind jumprelu",
  ],
  run: (flags, { args, terminal }) => run(flags, args, terminal),
});

async function run(flags: Flags, files: readonly string[], { stdout, stderr }: Terminal): Promise<void> {
  if (files.length === 0) {
    throw new ArgumentError("There is nothing to train on: name text files.", { asked: "train-dictionary" });
  }
  const say = (line: string) => tell(stderr, line);
  const begun = await stepsDoneIn(flags.out, flags.resume);
  const { HookedTransformer, trainCrossLayerTranscoder, trainDictionary } = await import("../node.ts");
  const model = await HookedTransformer.fromPretrained(flags.model, await openedWith(flags));
  if (!model.text) {
    throw new InputError(
      `${flags.model} has no tokenizer, so it cannot read texts: put a tokenizer.json next to its weights.`,
      {
        asked: flags.model,
      },
    );
  }
  const maxLength = flags.maxLength ?? Math.min(USUAL_LENGTH, model.cfg.nCtx);
  const stored = await storedIn(files, flags.model);
  const data = stored ?? rowsOf(await textsOf(files, flags, { say }), model.text, maxLength);
  say(
    data instanceof StoredActivations
      ? `${data.name}: activations of ${data.index.tokens.toLocaleString("en")} tokens`
      : `${counted(data.shape[0], "row")} of ${maxLength} tokens`,
  );
  if (begun > 0) {
    const finished = begun === flags.steps;
    say(finished ? `step ${begun} is the last: there is nothing left to do` : `resuming from step ${begun}`);
  }
  let listens = false;
  const screen = new DictionaryScreen(stderr, flags.batchSize!);
  const trained = await guarded(async ({ signal, listen }) => {
    signal.addEventListener("abort", () => say("Stopping after this step and saving. Press Ctrl-C again to stop now."));
    const controls: TrainDictionaryControls = {
      signal,
      onProgress(progress) {
        // Before the first step there is nothing to save.
        if (!listens) listen();
        listens = true;
        screen.update(progress);
      },
    };
    const shared = {
      ...{ ...ownOf(flags), data, saveDir: flags.out, saveEvery: flags.saveEvery ?? Math.ceil(flags.steps! / 5) },
      ...(flags.resume ? { resume: flags.out } : {}),
    };
    if (flags.crossLayer) return trainCrossLayerTranscoder(model, shared, controls);
    const metadata = {
      ...{ model_class_name: "HookedTransformer", model_from_pretrained_kwargs: {}, context_size: maxLength },
      ...{ prepend_bos: true, dataset_path: files.join(" ") },
    };
    return trainDictionary(model, { at: usualPoint(data), ...shared, metadata }, controls);
  });
  screen.end();
  if (trained.checkpoint) say(`Saved ${trained.checkpoint}.`);
  stdout.write(`${summary(trained.history)}\n`);
}

/** The hook point that is read unless another is named: the only one that was saved, or this. */
function usualPoint(data: unknown): string {
  const hooks = data instanceof StoredActivations ? Object.keys(data.index.hooks) : [];
  return hooks.length === 1 ? hooks[0] : "blocks.0.hook_mlp_out";
}

/** Stored activations, if a folder of them is named. @throws ArgumentError for those of another model, or next to other files */
async function storedIn(files: readonly string[], model: string): Promise<StoredActivations | undefined> {
  const folder = files.find((file) => existsSync(join(file, ACTIVATIONS_INDEX)));
  if (folder === undefined) return undefined;
  if (files.length > 1) {
    throw new ArgumentError(`${folder} holds activations, which are the only data of a run: name it alone.`, {
      asked: files,
    });
  }
  const stored = await StoredActivations.open(folder);
  const weights = (await checksumOfModel(model))?.sha256 ?? null;
  if (stored.index.weights === weights) return stored;
  throw new ArgumentError(
    `${folder} has activations of another model, ${stored.index.model}: name it with --model, or scan with ${model}.`,
    { asked: model, found: stored.index.model },
  );
}

/** The options that `trainDictionary` has, as they were given or as their defaults are. */
function ownOf(flags: Flags) {
  const { at, makes, skip } = flags;
  if (skip && flags.crossLayer) {
    throw new ArgumentError("--skip is for a transcoder of one layer: leave it out, or leave out --cross-layer.", {
      asked: "skip",
    });
  }
  const own = Object.keys(DICTIONARY_OPTIONS) as (keyof typeof DICTIONARY_OPTIONS)[];
  const given = Object.fromEntries(own.filter((name) => flags[name] !== undefined).map((name) => [name, flags[name]]));
  return {
    ...(at === undefined ? {} : { at }),
    ...(makes === undefined ? {} : { makes }),
    ...(skip ? { skip } : {}),
    ...given,
  };
}

/** The means of the last steps: those of one batch are noisy. */
const LAST = 50;
const EXPLAINED = "explained_variance";

function summary(history: readonly Readonly<Record<string, number>>[]): string {
  const last = history.slice(-LAST);
  const mean = (name: string) => last.reduce((sum, step) => sum + step[name], 0) / last.length;
  const layers = Object.keys(last[0]).filter((name) => name.startsWith(`${EXPLAINED}_`));
  return [
    `After ${counted(history.length, "step")}, the means of the last ${last.length}:`,
    `  squared error       ${mean("mse_loss").toPrecision(4)}`,
    `  explained variance  ${mean(EXPLAINED).toFixed(3)}`,
    ...layers.map((name) => `    of layer ${name.slice(EXPLAINED.length + 1).padEnd(9)} ${mean(name).toFixed(3)}`),
    `  features per token  ${mean("l0").toFixed(1)}`,
    `  dead features       ${(100 * mean("dead")).toFixed(1)} %`,
  ].join("\n");
}

const REDRAW_AFTER_MS = 250;
/** How many lines a run prints where there is no terminal to redraw. */
const LINES = 20;

/** A run on stderr: a line that is redrawn in a terminal, a line now and then elsewhere. */
class DictionaryScreen {
  private readonly output: TextOutput;
  private readonly batchSize: number;
  private readonly start = performance.now();
  private drawnAt = Number.NEGATIVE_INFINITY;
  private first: number | undefined;

  constructor(output: TextOutput, batchSize: number) {
    this.output = output;
    this.batchSize = batchSize;
  }

  update({ step, steps, measures }: DictionaryProgress): void {
    this.first ??= step - 1;
    const now = performance.now();
    const due = this.output.isTTY ? now - this.drawnAt > REDRAW_AFTER_MS : step % Math.ceil(steps / LINES) === 0;
    if (!due && step !== steps) return;
    this.drawnAt = now;
    const seconds = (now - this.start) / 1000;
    const each = seconds / (step - this.first);
    const parts = [
      `step ${step} of ${steps}`,
      `error ${measures.mse_loss.toPrecision(4)}`,
      `L0 ${measures.l0.toFixed(1)}`,
      `explained ${measures.explained_variance.toFixed(3)}`,
      `dead ${(100 * measures.dead).toFixed(0)} %`,
      ...(step < steps ? [`${clock(each * (steps - step))} left`] : []),
      `${Math.round(this.batchSize / each).toLocaleString("en")} tokens/s`,
    ];
    while (parts.length > 1 && parts.join(", ").length >= widthOf(this.output)) parts.pop();
    const line = parts.join(", ");
    this.output.write(this.output.isTTY ? `\r\x1b[2K${line}` : `${line}\n`);
  }

  end(): void {
    if (this.output.isTTY && this.first !== undefined) this.output.write("\n");
  }
}
