/** From the options of `glassformer train` to a model and what it is trained on. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { addAbortSignal } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { ByteSource } from "../load/bytes.ts";
import { memorySource, parseJsonObject, urlSource } from "../load/index.ts";
import { fileSource, openModelFiles } from "../load/node.ts";
import { unreadable } from "../load/node-file.ts";
import { resolveModelName } from "../models/families/index.ts";
import { initWeights } from "../models/init-weights.ts";
import { HookedTransformer, parseConfig, Tokenizer } from "../node.ts";
import { ArgumentError, InputError } from "../tensor/errors.ts";
import type { TokenRules } from "../text/index.ts";
import { holdOut, spreadRows } from "../training/data/held-out.ts";
import { RECIPES, type TaskName } from "../training/data/recipes.ts";
import { modularAddition, repeatedTokens } from "../training/data/synthetic.ts";
import { type TrainingTask, textTask } from "../training/data/tasks.ts";
import { readTexts } from "../training/data/texts.ts";
import { tokenizeAndConcatenate } from "../training/data/tokenize-and-concatenate.ts";
import { trainBpe } from "../training/data/train-bpe.ts";
import { isSystemError } from "./exit.ts";
import { MODEL_FLAGS, type TrainFlags } from "./train-options.ts";

export interface Setup {
  readonly model: HookedTransformer;
  readonly task: TrainingTask;
  readonly name: TaskName;
}

interface Context {
  readonly signal: AbortSignal;
  /** Tells what was read and decided, a line each. */
  readonly say: (line: string) => void;
}

/** Most rows that are looked at of what is held out. */
const MOST_HELD_OUT = 256;

/** @throws ArgumentError for options that contradict each other; whatever reading files and making models throws. */
export async function setUp(files: readonly string[], flags: TrainFlags, context: Context): Promise<Setup> {
  refuseContradictions(files, flags);
  const given = await givenModel(flags, context);
  if (flags.task) {
    const task = made[flags.task](flags);
    return {
      name: flags.task,
      task,
      model: given ?? new HookedTransformer(...(await fresh(flags.task, flags, task.sizes))),
    };
  }
  const texts = await textsOf(files, flags, context);
  const tokenizer = given ? needTokenizer(given, flags) : await tokenizerFor(texts, flags, context);
  const own = "tokenizer" in tokenizer ? tokenizer.tokenizer : tokenizer;
  const model =
    given ?? new HookedTransformer(...(await fresh("text", flags, { d_vocab: own.vocabSize })), { tokenizer: own });
  const maxLength = flags.maxLength ?? model.cfg.nCtx;
  const rowsOf = (list: readonly string[]) =>
    tokenizeAndConcatenate(list, tokenizer, { maxLength, signal: context.signal });
  const every = rowsOf(texts);
  const valid = flags.valid ? rowsOf(await textsOf(flags.valid, flags, context)) : undefined;
  const { rows, heldOut: last } = valid ? { rows: every, heldOut: valid } : holdOut(every, flags.holdOut ?? 0.02);
  const heldOut = last && spreadRows(last, MOST_HELD_OUT);
  context.say(
    `${rows.shape[0].toLocaleString("en")} rows of ${maxLength} tokens to train on, ${heldOut ? `${heldOut.shape[0]} held out` : "none held out"}`,
  );
  return { name: "text", model, task: textTask(rows, heldOut, model.cfg.dVocab) };
}

function refuseContradictions(files: readonly string[], flags: TrainFlags): void {
  const { task, model, resume, valid, holdOut, tokenizer, vocabSize } = flags;
  const refuse = (message: string, asked: string): never => {
    throw new ArgumentError(message, { asked });
  };
  if (task && files.length > 0) refuse(`--task ${task} makes its own data: leave out ${files[0]}, or --task.`, task);
  if (!task && files.length === 0) refuse("There is nothing to train on: name text files, or a --task.", "train");
  if (valid && holdOut !== undefined) refuse("--valid and --hold-out both say what is held out: give one.", "valid");
  if (holdOut !== undefined && !(holdOut >= 0 && holdOut < 1))
    refuse(`--hold-out is ${holdOut}, but it is a share from 0 to below 1.`, "holdOut");
  const kept = resume ? `--resume goes on with the model in ${flags.out}` : model && `--model takes ${model} as it is`;
  if (!kept) return;
  if (resume && model) refuse(`${kept}: leave out --model.`, model);
  const said = MODEL_FLAGS.find((flag) => flags[flag] !== undefined);
  if (said) refuse(`${kept}: leave out --${dashed(said)}.`, said);
  const ofTokenizer = tokenizer ? "tokenizer" : vocabSize !== undefined && !task ? "vocab-size" : undefined;
  if (ofTokenizer) refuse(`${kept}, and its tokenizer: leave out --${ofTokenizer}.`, ofTokenizer);
}

const dashed = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The model to go on from: that of the last checkpoint, or one that is named, with its weights as they are. */
async function givenModel({ resume, model, out }: TrainFlags, { signal }: Context) {
  if (!resume && model === undefined) return undefined;
  return HookedTransformer.fromPretrainedNoProcessing(resume ? out : model!, { signal });
}

function needTokenizer(model: HookedTransformer, flags: TrainFlags): TokenRules {
  if (model.text) return model.text;
  throw new InputError(
    `${flags.resume ? flags.out : flags.model} has no tokenizer, so it cannot be trained on texts: put a tokenizer.json beside its weights.`,
    { asked: flags.model },
  );
}

/** A configuration and random weights: the recipe's, the file's on top, the options' on top of that. */
async function fresh(task: TaskName, flags: TrainFlags, sizes: Readonly<Record<string, number>>) {
  const file = flags.config === undefined ? {} : parseJsonObject(await textFile(flags.config), flags.config);
  const { nLayers, dModel, nHeads, dHead, dMlp, nCtx, actFn, attnOnly, initMode, normalizationType } = flags;
  const fields: Record<string, unknown> = { ...RECIPES[task].model, ...sizes };
  const asked: Record<string, unknown> = {
    ...file,
    ...present({ n_layers: nLayers, d_model: dModel, n_heads: nHeads, d_head: dHead, d_mlp: dMlp, n_ctx: nCtx }),
    ...present({ act_fn: actFn, attn_only: attnOnly, init_mode: initMode }),
    ...present({ normalization_type: normalizationType === "none" ? null : normalizationType }),
  };
  Object.assign(fields, asked);
  // An activation makes MLPs of an attention-only recipe.
  if (asked.act_fn !== undefined && asked.attn_only === undefined) fields.attn_only = false;
  if (fields.attn_only === false && fields.act_fn === undefined) fields.act_fn = "relu";
  const [width, heads] = [Number(fields.d_model), Number(fields.n_heads)];
  if (fields.d_head === undefined) {
    if (width % heads !== 0) {
      throw new ArgumentError(
        `d_model ${width} cannot be divided among ${heads} heads: choose another --n-heads, or give --d-head.`,
        { asked: heads, found: width },
      );
    }
    fields.d_head = width / heads;
  }
  const cfg = parseConfig({ seed: flags.seed, model_name: basename(flags.out), ...fields });
  return [cfg, initWeights(cfg)] as const;
}

function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The tasks that need no files. */
const made: { readonly [T in NonNullable<TrainFlags["task"]>]: (flags: TrainFlags) => TrainingTask } = {
  "modular-addition": ({ p = 113, share = 0.4, seed }) => modularAddition({ p, share, seed }),
  "repeated-tokens": ({ vocabSize = 64, length = 32, seed, batchSize }) =>
    repeatedTokens({
      ...{ dVocab: vocabSize, length, shortest: Math.ceil(length / 2), seed },
      batchSize: batchSize ?? RECIPES["repeated-tokens"].training.batchSize,
    }),
};

async function textsOf(paths: readonly string[], flags: TrainFlags, { signal, say }: Context): Promise<string[]> {
  const all: string[] = [];
  for (const path of paths) {
    const texts = await readTexts(await sourceOf(path, signal), {
      ...{ column: flags.column, maxTexts: flags.maxTexts, signal },
    });
    const letters = texts.reduce((n, text) => n + text.length, 0);
    say(
      `${path}: ${texts.length.toLocaleString("en")} ${texts.length === 1 ? "text" : "texts"}, ${letters.toLocaleString("en")} characters`,
    );
    if (texts.length === 0) throw new InputError(`${path} holds no text: it is empty.`, { asked: path });
    all.push(...texts);
  }
  return all;
}

/** A path, a URL, or "-" for standard input. */
async function sourceOf(path: string, signal: AbortSignal): Promise<ByteSource> {
  if (path === "-") return memorySource("Standard input", await buffer(addAbortSignal(signal, process.stdin)));
  return /^https?:\/\//.test(path) ? urlSource(path, { signal }) : fileSource(path);
}

async function textFile(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause) => {
    throw isSystemError(cause) ? unreadable(path, cause) : cause;
  });
}

/** The tokenizer of a file or of a model; or one that is made from the texts. */
async function tokenizerFor(texts: readonly string[], flags: TrainFlags, context: Context): Promise<Tokenizer> {
  const { tokenizer: from, vocabSize = 4096 } = flags;
  if (from === undefined) {
    const made = Tokenizer.fromJson(trainBpe(texts, { vocabSize }));
    context.say(`a tokenizer of ${made.vocabSize.toLocaleString("en")} tokens, made from the texts`);
    return made;
  }
  if (from.endsWith(".json")) return Tokenizer.fromJson(parseJsonObject(await textFile(from), from));
  const files = await openModelFiles(from, { resolve: resolveModelName });
  const paths = await files.list(context);
  if (!paths.includes("tokenizer.json")) {
    throw new InputError(`${from} has no tokenizer.json: name a model that has one, or the file itself.`, {
      asked: from,
    });
  }
  const read = async (path: string) => parseJsonObject(await files.readText(path, context), `${from}/${path}`);
  const config = paths.includes("tokenizer_config.json") ? await read("tokenizer_config.json") : undefined;
  return Tokenizer.fromJson(await read("tokenizer.json"), config);
}
