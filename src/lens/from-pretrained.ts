/** From a model's name to its configuration, processed weights and tokenizer. */
import { engineOn, startEngine, tryEngine, usualEngine } from "../engine/default.ts";
import { DEVICES, type Device } from "../engine/devices.ts";
import { Engine } from "../engine/engine.ts";
import type { Adapter } from "../load/adapter.ts";
import { parseJsonObject } from "../load/bytes.ts";
import { isAdapter } from "../load/file-kinds.ts";
import { type FilesOptions, filesAt, MODEL_FILES, type ModelFiles } from "../load/files.ts";
import { checkJson } from "../load/json-check.ts";
import { bundledModel, type bundledModels } from "../load/names.ts";
import { openDefault } from "../load/open.ts";
import type { StoredTensors } from "../load/stored.ts";
import { readText } from "../load/text-pieces.ts";
import { TotalProgress } from "../load/total-progress.ts";
import { openWeights } from "../load/weights.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import type { ListedModelName } from "../models/families/listed-models.ts";
import type { ReadModel } from "../models/families/readers.ts";
import { readersFor } from "../models/families/readers-for.ts";
import { resolveListed } from "../models/families/resolve-listed.ts";
import { FLAG_KINDS, NO_PROCESSING, type ProcessingFlags } from "../models/processing/process-weights.ts";
import { Weights } from "../models/weights/weights.ts";
import { untilAborted } from "../tensor/abort.ts";
import type { NDArray } from "../tensor/array.ts";
import {
  ArgumentError,
  ConfigError,
  FileFormatError,
  HubError,
  InputError,
  UnknownNameError,
  WeightsError,
} from "../tensor/errors.ts";
import { KEPT_DTYPES, type KeptDType } from "../tensor/kept.ts";
import {
  ANYTHING,
  either,
  FLAG,
  FUNCTION,
  instanceOf,
  type Kind,
  oneOf,
  SIGNAL,
  TEXT,
  WHOLE,
} from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { kindOf, shown } from "../tensor/show.ts";
import { firstOf } from "../tensor/words.ts";
import { TokenRules } from "../text/token-rules.ts";
import { Tokenizer } from "../text/tokenizer.ts";
import { atCheckpoint, checkpointsOf } from "./checkpoints.ts";
import { countedRuntime } from "./counted-runtime.ts";
import type { OpenedGguf } from "./gguf-model.ts";
import { needMemoryOfGguf, pendingFiles } from "./needed-files.ts";
import { findTokenizer, type TokenizerHints } from "./pretrained-tokenizer.ts";
import { needMemoryOf, readWeights } from "./read-weights.ts";
import { openStandaloneModel } from "./standalone-model.ts";

/** How to load and process a model: the processing's flags, where its files are, which checkpoint. */
export interface FromPretrainedOptions extends Partial<ProcessingFlags>, FilesOptions {
  /** The model's files, instead of those that its name stands for: a folder opened elsewhere, files in memory. */
  readonly files?: ModelFiles | undefined;
  /** Branch, tag or commit on the hub, which the name may also end with ("org/name@revision"); default: `main`. */
  readonly revision?: string | undefined;
  /** Which training checkpoint, by its place in the order of `getCheckpointLabels` (negative: from the end). */
  readonly checkpointIndex?: number | undefined;
  /** Which training checkpoint, by its label: tokens or steps seen. */
  readonly checkpointValue?: number | undefined;
  /** A weights file to use instead of the usual one: its path among the model's files. */
  readonly checkpoint?: string | undefined;
  /**
   * How matrices are kept in memory; all arithmetic is in float32. `float16` and `bfloat16` take half of what `float32` does, `int8` 0.28
   * and `int4` 0.16 of it: whole numbers with a scale for every 32. `glassformer models NAME --check` measures what it costs.
   */
  readonly dtype?: KeptDType | undefined;
  /**
   * A LoRA adapter that is added to the weights: its folder's path, its id on the hub, or its files. A model's name may also be an
   * adapter's, which says what model it is for.
   */
  readonly adapter?: string | ModelFiles | undefined;
  /** Only this many layers, from the first; later ones are left out. */
  readonly firstNLayers?: number | undefined;
  readonly tokenizer?: Tokenizer | undefined;
  readonly defaultPrependBos?: boolean | undefined;
  readonly defaultPaddingSide?: "left" | "right" | undefined;
  /** What computes: the processor by default. */
  readonly device?: Device | undefined;
  /** The engine to run on; default: the platform's. */
  readonly engine?: Engine | undefined;
}

interface LoadedModel {
  readonly cfg: HookedTransformerConfig;
  readonly weights: ReadonlyMap<string, NDArray>;
  readonly tokenizer: Tokenizer | undefined;
  readonly notes: readonly string[];
}

export const noProcessing = NO_PROCESSING;

export const TOKENIZER: Kind = { accepts: (v) => v instanceof Tokenizer, describe: "a Tokenizer" };

/** A model's name: those that are known, which editors offer, and any other on the hub, folder or URL. */
export type ModelName = (typeof bundledModels)[number] | ListedModelName | (string & {});

/** The options of `fromPretrained`, and of the functions next to it. */
const OPTIONS: OptionKinds<FromPretrainedOptions> = {
  ...FLAG_KINDS,
  signal: SIGNAL,
  onProgress: FUNCTION,
  note: FUNCTION,
  files: MODEL_FILES,
  revision: TEXT,
  checkpoint: TEXT,
  adapter: either(TEXT, MODEL_FILES),
  checkpointIndex: WHOLE,
  checkpointValue: WHOLE,
  dtype: oneOf(KEPT_DTYPES),
  firstNLayers: ANYTHING,
  tokenizer: TOKENIZER,
  defaultPrependBos: FLAG,
  defaultPaddingSide: oneOf(["left", "right"]),
  device: oneOf(DEVICES),
  engine: instanceOf(Engine, "an Engine"),
};

/** The engine that the options ask for. @throws ArgumentError for a device next to an engine, which has one already */
function engineOf(options: FromPretrainedOptions): Engine | undefined {
  const { engine, device } = options;
  if (engine === undefined) return device && engineOn(device);
  if (device === undefined) return engine;
  throw new ArgumentError(
    `Pass device or engine, not both: an engine has its device, as in new Engine(nodeBackend({ device: "${device}" })).`,
    { asked: device, found: engine },
  );
}

/**
 * What the constructor of a model takes: configuration, weights, and the other parts.
 * @param check refuses a configuration of another kind of model than the caller makes
 */
export async function loadPretrained(name: ModelName, options: FromPretrainedOptions, check: ConfigCheck) {
  checkCall("fromPretrained", name, options);
  const engine = engineOf(options);
  // Where the runtime is there, a device that cannot be used is refused first of all.
  if (isOther(options.device) && !engine?.awaited) await tryEngine(engine!);
  const { cfg, weights, ...parts } = await loadParts(name, options, { check, engine: engine ?? usualEngine() });
  const { defaultPrependBos, defaultPaddingSide } = options;
  return [cfg, new Weights(cfg, weights), { ...parts, defaultPrependBos, defaultPaddingSide, engine }] as const;
}

const isOther = (device: Device | undefined) => device !== undefined && device !== "cpu";

type ConfigCheck = (cfg: HookedTransformerConfig) => void;

async function loadParts(
  name: string,
  given: FromPretrainedOptions,
  { check, engine }: { readonly check: ConfigCheck; readonly engine: Engine | undefined },
): Promise<LoadedModel> {
  const notes: string[] = [];
  const note = (sentence: string) => {
    if (notes.includes(sentence)) return;
    notes.push(sentence);
    given.note?.(sentence);
  };
  const total = new TotalProgress(given.onProgress);
  const options = { ...given, note, onProgress: total.report };
  const { opened, adapter } = await openBoth(name, options);
  const { files, checkpoint } = await atCheckpoint(opened, options);
  const skipped: string[] = [];
  const onSkipped = (tensor: string, why: string) => skipped.push(`The tensor ${shown(tensor)} was not read: ${why}.`);
  const { signal, onProgress } = options;
  const path = checkpoint ?? options.checkpoint;
  const { firstNLayers, dtype = "float32" } = options;
  const pending = await pendingFiles(
    files,
    { checkpoint: path, hasTokenizer: options.tokenizer !== undefined },
    options,
  );
  total.expect(files.name, pending);
  const sayRuntime = countedRuntime(total, engine);
  needMemoryOfGguf(pending, { name: files.name, dtype, firstNLayers });
  const gguf = await openStandaloneModel(files, path, { signal, onProgress });
  for (const sentence of gguf?.notes ?? []) note(sentence);
  const configJson = gguf?.configJson ?? (await readConfigJson(files, options));
  const readers = await readersFor(configJson, opened.name);
  const cfg = readers.readConfig(configJson, opened.name);
  check(cfg); // refused before the weights are downloaded and read, if possible
  needMemoryOf(cfg, { name: files.name, dtype, firstNLayers });
  const isTried = isOther(options.device) && engine?.awaited !== undefined;
  const started = (isTried ? tryEngine(engine) : startEngine(engine)).then(sayRuntime);
  started.catch(() => {}); // it is awaited below
  if (isTried) await untilAborted(started, signal);
  const base = gguf?.stored ?? (await openWeights(files, { signal, onProgress, checkpoint: path, note, onSkipped }));
  const stored = adapter ? await withAdapter(base, opened.name, adapter) : base;
  if (adapter) {
    note(`The adapter ${adapter.name} is added to the weights of ${opened.name}.`);
    const last = (path: string | undefined) => path?.split("/").at(-1);
    if (adapter.base !== undefined && last(adapter.base) !== last(opened.name)) {
      note(
        `The adapter says that it is for ${shown(adapter.base)}: make sure that this is the model it was trained on.`,
      );
    }
  }
  const read = await withSkipped(skipped, () =>
    readWeights(stored, {
      ...{ name: files.name, repoName: opened.name, configJson, readers, flags: flagsOf(options) },
      ...{ firstNLayers, dtype, signal },
      engine: options.engine,
    }),
  );
  const tokenizer =
    options.tokenizer ??
    (await ggufTokenizer(gguf, files, note, options)) ??
    (await tokenizerOrNote(files, read.config.tokenizerName, configJson, note, options));
  noteUnknownIds(tokenizer, read.config, note);
  if (sayRuntime && total.begun) {
    sayRuntime();
    await untilAborted(started, signal);
  }
  return { cfg: read.config, weights: read.weights, tokenizer, notes: [...read.notes, ...notes, ...skipped] };
}

/** Whether a name was refused, not what it stands for. */
function isOfName(error: unknown): error is Error {
  return [ArgumentError, ConfigError, UnknownNameError].some((kind) => error instanceof kind);
}

/** The files that a name, or the option `files`, stands for, at the revision that is asked for. */
function openNamed(name: string, options: FromPretrainedOptions): Promise<ModelFiles> {
  return options.files ? filesAt(options.files, options.revision) : openDefault(name, resolveListed, options);
}

/** A model's files, and the adapter that goes with them. @throws ConfigError for an adapter that does not name its model */
async function openBoth(
  name: string,
  options: FromPretrainedOptions,
): Promise<{ readonly opened: ModelFiles; readonly adapter: Adapter | undefined }> {
  const { signal, onProgress, adapter } = options;
  const opened = await openNamed(name, options);
  const isOne = isAdapter(await opened.list(options));
  if (adapter === undefined && !isOne) return { opened, adapter: undefined };
  if (adapter !== undefined && isOne) {
    throw new ArgumentError(
      `${opened.name} is an adapter, not a model: name the model, or leave out the option adapter.`,
      {
        asked: name,
        found: opened.name,
      },
    );
  }
  const named =
    typeof adapter === "string" ? await openDefault(adapter, (id) => id, { ...options, revision: undefined }) : adapter;
  const { openAdapter } = await import("../load/adapter.ts");
  const found = await openAdapter(named ?? opened, { signal, onProgress });
  if (!isOne) return { opened, adapter: found };
  if (found.base === undefined) {
    throw new ConfigError(
      `The adapter ${found.name} does not say what model it is for: name that model, and the adapter with the option adapter.`,
      { asked: name, found: found.base },
    );
  }
  // The adapter may name a revision, and its model be in a folder now.
  const base = await openDefault(found.base, resolveListed, { ...options, revision: undefined })
    .then((files) => filesAt(files, files.revisions && found.revision))
    .catch((error) => {
      if (!isOfName(error)) throw error;
      throw new ConfigError(
        `The adapter ${found.name} names ${shown(found.base)} as its model, which does not open by that name: name the model, and the adapter with the option adapter. (${error.message})`,
        { asked: name, found: found.base },
      );
    });
  if (!isAdapter(await base.list(options))) return { opened: base, adapter: found };
  throw new ConfigError(
    `The adapter ${found.name} is for ${found.base}, which is an adapter itself: merge one of them first.`,
    {
      asked: name,
      found: found.base,
    },
  );
}

async function withAdapter(base: StoredTensors, name: string, adapter: Adapter): Promise<StoredTensors> {
  const lora = await import("../load/lora.ts");
  return lora.withAdapter(base, name, adapter);
}

/** The tokenizer in a GGUF file, unless there is one next to it. */
async function ggufTokenizer(
  gguf: OpenedGguf | undefined,
  files: ModelFiles,
  note: (sentence: string) => void,
  options: FromPretrainedOptions,
): Promise<Tokenizer | undefined> {
  if (!gguf || (await files.list(options)).includes("tokenizer.json")) return undefined;
  const tokenizer = gguf.tokenizer();
  for (const sentence of tokenizer?.notes ?? []) note(sentence);
  return tokenizer;
}

/** @throws ArgumentError for a name that is not a string, an option that does not exist, a value of the wrong kind */
function checkCall(of: string, name: unknown, options: FromPretrainedOptions): void {
  if (typeof name !== "string") {
    throw new ArgumentError(
      `${of} needs a model's name first: a folder's path, "org/name", or "${bundledModel}", not ${kindOf(name)}.`,
      { asked: name, nearest: bundledModel },
    );
  }
  checkOptions(of, options, OPTIONS);
}

function flagsOf(options: FromPretrainedOptions): Partial<ProcessingFlags> {
  const flags = Object.entries(options).filter(([name, value]) => name in FLAG_KINDS && value !== undefined);
  return Object.fromEntries(flags);
}

/** Most bytes of a `config.json`; the longest have some thousands. */
const LONGEST_CONFIG = 16_000_000;

/** @throws InputError if there is no `config.json`, saying what is there */
async function readConfigJson(files: ModelFiles, options: FilesOptions): Promise<Record<string, unknown>> {
  const paths = await files.list(options);
  // If there is nothing at all, opening it says where it was looked for.
  if (paths.length > 0 && !paths.includes("config.json")) {
    const alone = paths.some((path) => /\.(gguf|bin)$/i.test(path) && !path.startsWith("pytorch_model"));
    throw new InputError(
      `${files.name} has no config.json, which says what its weights mean (TransformerLens' cfg.to_dict() is one): it has ${firstOf(paths)}.${alone ? " A .gguf file, or a .bin of llama2.c's, opens by its own path." : ""}`,
      { asked: "config.json", found: paths },
    );
  }
  const what = `${files.name}/config.json`;
  const source = await files.open("config.json", options);
  const { size } = source;
  if (size > LONGEST_CONFIG) {
    throw new FileFormatError(`${what} has ${size} bytes: that is not a model's configuration.`, {
      asked: what,
      found: size,
    });
  }
  const text = await readText(source, options.signal);
  checkJson(text, what);
  return parseJsonObject(text, what);
}

/** The model's tokenizer, or a note on why it has none: without one the model still takes token ids. */
async function tokenizerOrNote(
  files: ModelFiles,
  tokenizerName: string | null,
  hints: TokenizerHints,
  note: (sentence: string) => void,
  options: FromPretrainedOptions,
): Promise<Tokenizer | undefined> {
  const use = "it takes token ids, or a tokenizer passed as `tokenizer`";
  try {
    const found = await findTokenizer(files, tokenizerName, hints, options);
    for (const sentence of found?.notes ?? []) note(sentence);
    if (!found)
      note(`The model has no tokenizer: ${files.name} has no tokenizer.json, nor any other tokenizer; ${use}.`);
    return found;
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    note(
      `The model has no tokenizer: "${tokenizerName}" could not be loaded (${error.message.replace(/\.$/, "")}); ${use}.`,
    );
    return undefined;
  }
}

/** Notes that the tokenizer has tokens that the model lacks. transformers allows that too: most often no text needs them. */
function noteUnknownIds(
  tokenizer: Tokenizer | undefined,
  { dVocab }: HookedTransformerConfig,
  note: (sentence: string) => void,
): void {
  if (!tokenizer || tokenizer.largestId < dVocab) return;
  const example = shown(tokenizer.idToToken(tokenizer.largestId));
  note(
    `The tokenizer has ids up to ${tokenizer.largestId} (${example}), but the model's vocabulary has ${dVocab} tokens: a text with a token that the model lacks is an error.`,
  );
}

/** Adds to an error about missing weights which tensors of the file were not read, and why. */
async function withSkipped(skipped: readonly string[], read: () => Promise<ReadModel>): Promise<ReadModel> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof WeightsError) || skipped.length === 0) throw error;
    const { asked, found, nearest } = error;
    throw new WeightsError([error.message, ...skipped.slice(0, 5)].join(" "), { asked, found, nearest, cause: error });
  }
}

/**
 * The tokenizer of a model: the one that `fromPretrained` would load for it.
 * @param name as for `fromPretrained`
 * @throws InputError if it has none
 */
export async function loadTokenizer(name: ModelName, options: FromPretrainedOptions = {}): Promise<Tokenizer> {
  checkCall("loadTokenizer", name, options);
  return tokenizerOf(name, inTotal(options));
}

/** The same options, with the progress of all downloads as one. */
function inTotal(options: FromPretrainedOptions): FromPretrainedOptions {
  return { ...options, onProgress: new TotalProgress(options.onProgress).report };
}

async function tokenizerOf(name: ModelName, options: FromPretrainedOptions): Promise<Tokenizer> {
  const { opened } = await openBoth(name, options);
  const { files } = await atCheckpoint(opened, options);
  const paths = await files.list(options);
  const { signal, onProgress } = options;
  const isApart = paths.includes("tokenizer.json");
  const inFile = isApart ? undefined : await openStandaloneModel(files, options.checkpoint, { signal, onProgress });
  const own = inFile?.tokenizer();
  if (own) return own;
  const needed = paths.includes("config.json") && !paths.includes("tokenizer.json");
  const config = needed ? await readConfigJson(files, options) : {};
  const elsewhere = typeof config.tokenizer_name === "string" ? config.tokenizer_name : null;
  const found = await findTokenizer(files, elsewhere, config, options);
  if (found) return found;
  throw new InputError(`${name} has no tokenizer.json: name a model that has one.`, { asked: name, found: paths });
}

/**
 * How a model reads texts, without its weights: the rules that `fromPretrained` would give it.
 * @param name as for `fromPretrained`
 * @throws InputError if it has no tokenizer
 */
export async function loadTokenRules(name: string, given: FromPretrainedOptions = {}): Promise<TokenRules> {
  checkCall("loadTokenRules", name, given);
  const options = inTotal(given);
  const tokenizer = options.tokenizer ?? (await tokenizerOf(name, options));
  const { opened } = await openBoth(name, options);
  const { files } = await atCheckpoint(opened, options);
  const { signal, onProgress, defaultPrependBos, defaultPaddingSide } = options;
  const gguf = await openStandaloneModel(files, options.checkpoint, { signal, onProgress });
  const configJson = gguf?.configJson ?? (await readConfigJson(files, options));
  const { readConfig } = await readersFor(configJson, opened.name);
  const config = readConfig(configJson, opened.name);
  return new TokenRules({
    ...{ tokenizer, nCtx: config.nCtx, dVocab: config.dVocab, defaultPaddingSide },
    defaultPrependBos: defaultPrependBos ?? config.defaultPrependBos,
  });
}

/**
 * The labels of a model's training checkpoints, tokens or steps seen, in order: what `checkpointValue` takes. None for a
 * model without. Source: TransformerLens' `get_checkpoint_labels`.
 */
export async function getCheckpointLabels(name: ModelName, options: FromPretrainedOptions = {}): Promise<number[]> {
  checkCall("getCheckpointLabels", name, options);
  const files = await openNamed(name, options);
  return (await checkpointsOf(files, options)).map(({ label }) => label);
}
