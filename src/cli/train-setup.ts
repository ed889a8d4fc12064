/** Turns the options of `glassformer train` into a model and the data to train it on. */
import { basename } from "node:path";
import { defaultEngine } from "../engine/default.ts";
import type { Engine } from "../engine/engine.ts";
import { storedConfig } from "../models/families/hooked-transformer.ts";
import { initWeights } from "../models/weights/init.ts";
import { HookedTransformer, type HookedTransformerConfig, parseConfig } from "../node.ts";
import { dashed } from "../options/written.ts";
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { counted } from "../tensor/words.ts";
import { TokenRules } from "../text/index.ts";
import { sameConfig } from "../training/checkpoint.ts";
import { holdOut, spreadRows } from "../training/data/held-out.ts";
import { RECIPES, type TaskName } from "../training/data/recipes.ts";
import { modularAddition, repeatedTokens } from "../training/data/synthetic.ts";
import { type TrainingTask, textTask } from "../training/data/tasks.ts";
import type { TrainOptions } from "../training/options.ts";
import { needTraining } from "../training/training-memory.ts";
import { engineWithin } from "./model-options.ts";
import { jsonFile, rowsOf, type SetupContext, textsOf, tokenizerFor } from "./train-data.ts";
import { MODEL_FLAGS, type TrainFlags } from "./train-options.ts";

export interface Setup {
  readonly model: HookedTransformer;
  readonly task: TrainingTask;
  readonly name: TaskName;
}

/** The most held-out rows that the loss is measured on. */
const MOST_HELD_OUT = 256;

/** The tasks that need no files. */
const taskMakers: { readonly [T in NonNullable<TrainFlags["task"]>]: (flags: TrainFlags) => TrainingTask } = {
  "modular-addition": ({ p = 113, share = 0.4, seed = 0 }) => modularAddition({ p, share, seed }),
  "repeated-tokens": ({ vocabSize = 64, length = 32, seed = 0, batchSize }) =>
    repeatedTokens({
      ...{ dVocab: vocabSize, length, shortest: Math.ceil(length / 2), seed },
      batchSize: batchSize ?? RECIPES["repeated-tokens"].training.batchSize,
    }),
};

/** @throws ArgumentError for options that contradict each other, and whatever reading files and making models throws. */
export async function setUp(files: readonly string[], flags: TrainFlags, context: SetupContext): Promise<Setup> {
  refuseContradictions(files, flags);
  const within = await engineWithin(flags.memory);
  const baseModel = await givenModel(flags, within);
  if (flags.task) {
    const task = taskMakers[flags.task](flags);
    const cfg = baseModel?.cfg ?? (await freshConfig(flags.task, flags, task.sizes));
    const engine = within.engine ?? defaultEngine();
    needTraining({ cfg, engine, ...plannedOf(flags.task, task, flags), hasWeights: baseModel !== undefined });
    return { name: flags.task, task, model: baseModel ?? new HookedTransformer(cfg, initWeights(cfg), within) };
  }
  const texts = await textsOf(files, flags, context);
  const rules = baseModel ? needTokenizer(baseModel, flags) : undefined;
  if (rules) await sameTokenizer(rules, flags, context);
  const tokenizer = rules?.tokenizer ?? (await tokenizerFor(texts, flags, context));
  const model = baseModel ?? (await freshModel(flags, tokenizer, within));
  const maxLength = flags.maxLength ?? model.cfg.nCtx;
  const rows = (list: readonly string[]) =>
    rowsOf(list, rules ?? new TokenRules({ tokenizer, nCtx: model.cfg.nCtx }), maxLength);
  const every = rows(texts);
  const valid = flags.valid && rows(await textsOf(flags.valid, flags, context));
  const split = valid ? { rows: every, heldOut: valid } : holdOut(every, flags.holdOut ?? 0.02);
  const heldOut = split.heldOut && spreadRows(split.heldOut, MOST_HELD_OUT);
  context.say(
    `${counted(split.rows.shape[0], "row")} of ${maxLength} tokens to train on, ${heldOut ? `${heldOut.shape[0]} held out` : "none held out"}`,
  );
  return { name: "text", model, task: textTask(split.rows, heldOut, model.cfg.dVocab) };
}

/** @throws ArgumentError for what the records of the options cannot say, because it is also about files */
function refuseContradictions(files: readonly string[], flags: TrainFlags): void {
  const { task, model, resume } = flags;
  const refuse = (message: string, asked: string): never => {
    throw new ArgumentError(message, { asked });
  };
  if (task && files.length > 0) refuse(`--task ${task} makes its own data: leave out ${files[0]}, or --task.`, task);
  if (!task && files.length === 0) refuse("There is nothing to train on: name text files, or a --task.", "train");
  if (resume || model === undefined) return;
  const said = ([...MODEL_FLAGS, "tokenizer"] as const).find((flag) => isGiven(flags, flag));
  if (said) refuse(`--model uses ${model} as it is: leave out ${dashed(said)}.`, said);
  if (flags.vocabSize !== undefined && !task)
    refuse(`--model uses ${model} with its own tokenizer: leave out --vocab-size.`, model);
}

/**
 * The model to start from: that of the last checkpoint, or the one that --model names, with its weights unprocessed.
 * @throws ConfigError if options contradict the checkpoint's model
 */
async function givenModel(
  flags: TrainFlags,
  within: { readonly engine?: Engine },
): Promise<HookedTransformer | undefined> {
  if (!flags.resume && flags.model === undefined) return undefined;
  const name = flags.resume ? flags.out : flags.model!;
  const model = await HookedTransformer.fromPretrainedNoProcessing(name, within);
  if (flags.resume && MODEL_FLAGS.some((flag) => isGiven(flags, flag))) {
    // The same command was run again with --resume: its model options must agree with the checkpoint.
    const { dVocab, dVocabOut, nCtx } = model.cfg;
    const sizes = {
      d_vocab: dVocab,
      ...(dVocabOut === dVocab ? {} : { d_vocab_out: dVocabOut }),
      ...(flags.task ? { n_ctx: nCtx } : {}),
    };
    const requested = await freshConfig(flags.task ?? "text", flags, sizes);
    sameConfig(storedConfig(requested, false), storedConfig(model.cfg, false), flags.out);
  }
  return model;
}

/** @throws ArgumentError if the options name a different tokenizer from the checkpoint's */
async function sameTokenizer({ tokenizer }: TokenRules, flags: TrainFlags, context: SetupContext): Promise<void> {
  if (!flags.resume || flags.tokenizer === undefined) return;
  const named = await tokenizerFor([], flags, context);
  const json = (of: typeof named) => JSON.stringify(of.files.get("tokenizer.json"));
  if (json(named) === json(tokenizer)) return;
  throw new ArgumentError(`${flags.out} has a different tokenizer from ${flags.tokenizer}: leave out --tokenizer.`, {
    asked: flags.tokenizer,
    found: flags.out,
  });
}

function needTokenizer(model: HookedTransformer, flags: TrainFlags): TokenRules {
  if (model.text) return model.text;
  throw new InputError(
    `${flags.resume ? flags.out : flags.model} has no tokenizer, so it cannot be trained on texts: put a tokenizer.json next to its weights.`,
    { asked: flags.model },
  );
}

async function freshModel(
  flags: TrainFlags,
  tokenizer: TokenRules["tokenizer"],
  within: { readonly engine?: Engine },
): Promise<HookedTransformer> {
  const cfg = await freshConfig("text", flags, { d_vocab: tokenizer.vocabSize });
  return new HookedTransformer(cfg, initWeights(cfg), { tokenizer, ...within });
}

/** What decides how much memory the steps of a task need, known before its data is made. */
function plannedOf(name: TaskName, { data, loss, sizes }: TrainingTask, flags: TrainFlags) {
  const { training } = RECIPES[name];
  const { optimizer, momentum, freeze: frozen, maxGradNorm = training.maxGradNorm } = flags;
  const batchSize = flags.batchSize ?? training.batchSize;
  const settings = { momentum, frozen, maxGradNorm };
  const options = {
    ...{ data, loss, batchSize, optimizer },
    ...(present(settings) as Pick<TrainOptions, keyof typeof settings>),
  };
  const shape =
    typeof data === "function" ? [batchSize, sizes.n_ctx] : [Math.min(batchSize, data.shape[0]), data.shape[1]];
  return { options, shape };
}

/** A configuration: the recipe's and the task's sizes, overridden by the file's, overridden by the options'. */
async function freshConfig(
  task: TaskName,
  flags: TrainFlags,
  sizes: TrainingTask["sizes"],
): Promise<HookedTransformerConfig> {
  const file = flags.config === undefined ? {} : await jsonFile(flags.config);
  const { nLayers, dModel, nHeads, dHead, dMlp, nCtx, actFn, attnOnly, initMode, normalizationType } = flags;
  const overrides: Record<string, unknown> = {
    ...file,
    ...present({ n_layers: nLayers, d_model: dModel, n_heads: nHeads, d_head: dHead, d_mlp: dMlp, n_ctx: nCtx }),
    ...present({ act_fn: actFn, attn_only: attnOnly || undefined, init_mode: initMode }),
    ...present({ normalization_type: normalizationType === "none" ? null : normalizationType }),
  };
  for (const field of ["d_vocab", "d_vocab_out"]) {
    const needed = sizes[field] ?? sizes.d_vocab;
    if (overrides[field] !== undefined && overrides[field] !== needed) {
      throw new ArgumentError(
        `${flags.config} says ${field} ${overrides[field]}, but the training data has ${needed}: leave it out.`,
        { asked: overrides[field], found: needed },
      );
    }
  }
  const fields: Record<string, unknown> = { ...RECIPES[task].model, ...sizes, ...overrides };
  // Naming an activation gives an attention-only recipe MLPs.
  if (overrides.act_fn !== undefined && overrides.attn_only === undefined) fields.attn_only = false;
  if (fields.attn_only === false && fields.act_fn === undefined) fields.act_fn = "relu";
  if (fields.attn_only === true) delete fields.act_fn;
  const [width, heads] = [Number(fields.d_model), Number(fields.n_heads)];
  if (fields.d_head === undefined) {
    if (width % heads !== 0) {
      throw new ArgumentError(
        `d_model ${width} cannot be divided evenly among ${heads} heads: choose another --n-heads, or give --d-head.`,
        { asked: heads, found: width },
      );
    }
    fields.d_head = width / heads;
  }
  return parseConfig({ seed: flags.seed ?? 0, model_name: basename(flags.out), ...fields });
}

/** A flag that was left out is false. */
function isGiven(flags: TrainFlags, name: keyof TrainFlags): boolean {
  return flags[name] !== undefined && flags[name] !== false;
}

function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
