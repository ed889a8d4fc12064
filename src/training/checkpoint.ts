/** Writes a checkpoint as files, and reads it back. */
import {
  inFolder,
  type ModelFiles,
  memorySource,
  parseJsonObject,
  readSafetensors,
  trainedSteps,
  writeSafetensors,
} from "../load/index.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import { storedConfig } from "../models/families/hooked-transformer.ts";
import type { NDArray } from "../tensor/array.ts";
import { ConfigError, FileFormatError, UnknownNameError, WeightsError } from "../tensor/errors.ts";
import { listed } from "../tensor/words.ts";
import type { Tokenizer } from "../text/index.ts";
import type { HeldOutLoss } from "./evaluate.ts";
import type { OptimizerName } from "./optimizer.ts";
import type { StepState } from "./step.ts";

/** The state of a training run after some step. */
export interface Checkpoint {
  readonly cfg: HookedTransformerConfig;
  readonly state: StepState;
  readonly optimizer: OptimizerName;
  /** The loss of each step done. */
  readonly losses: readonly number[];
  /** The held-out loss, each time it was measured. */
  readonly heldOut: readonly HeldOutLoss[];
  /** Anything else that is recorded about the training run. */
  readonly about?: Readonly<Record<string, unknown>> | undefined;
}

const FORMAT = 1;
/** All the state that optimizers have for a weight. */
const SLOTS = ["exp_avg", "exp_avg_sq", "momentum_buffer"];

/** The name of a checkpoint after this many steps. */
export const checkpointName = (steps: number): string => `step-${String(steps).padStart(7, "0")}`;

/**
 * `config.json` and `model.safetensors`, which `fromPretrained` opens, with the tokenizer's files if there is one;
 * `optimizer.safetensors` and `training.json`, from which training resumes. `config.json` lists the others.
 */
export function checkpointFiles(checkpoint: Checkpoint, tokenizer: Tokenizer | undefined): Map<string, Uint8Array> {
  const { cfg, state, optimizer, losses, heldOut, about } = checkpoint;
  const json = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`);
  const memory = [...state.memory].flatMap(([slot, arrays]) =>
    [...arrays].map(([name, array]): [string, NDArray] => [`${slot}.${name}`, array]),
  );
  const others: [string, Uint8Array][] = [
    ["model.safetensors", writeSafetensors(state.weights)],
    ["optimizer.safetensors", writeSafetensors(new Map(memory))],
    ["training.json", json({ format: FORMAT, optimizer, steps: losses.length, losses, heldOut, about })],
    ...[...(tokenizer?.files ?? [])].map(([name, content]): [string, Uint8Array] => [name, json(content)]),
  ];
  // A page that opens the folder cannot list it.
  const config = { ...storedConfig(cfg, tokenizer !== undefined), files: others.map(([name]) => name) };
  return new Map([["config.json", json(config)], ...others]);
}

/** What a checkpoint says about its training run. */
interface TrainingJson extends Pick<Checkpoint, "losses" | "heldOut"> {
  readonly optimizer: unknown;
  readonly about: Readonly<Record<string, unknown>>;
}

/**
 * What the checkpoint in a folder, or the last one in it, says about its training run, and the other files.
 * @throws UnknownNameError if there is none, FileFormatError if it is not from a training run.
 */
export async function readTrainingJson(
  files: ModelFiles,
): Promise<{ readonly training: TrainingJson; readonly place: ModelFiles }> {
  const paths = await files.list();
  const last = trainedSteps(paths, "training.json").at(-1);
  if (!last && !paths.includes("training.json")) {
    throw new UnknownNameError(
      "checkpoint",
      files.name,
      [],
      "It has no training.json, which a training run writes there.",
    );
  }
  const place = last ? inFolder(files, last.folder) : files;
  const where = `${place.name}/training.json`;
  const {
    format,
    losses,
    heldOut = [],
    optimizer,
    about = {},
  } = parseJsonObject(await place.readText("training.json"), where);
  const numbers = (list: unknown) => Array.isArray(list) && list.every((x) => typeof x === "number");
  const asked = Array.isArray(heldOut) && numbers(heldOut.map((h) => h?.loss)) && numbers(heldOut.map((h) => h?.step));
  if (format !== FORMAT || !numbers(losses) || !asked) {
    throw new FileFormatError(`${where} is not from a training run.`, { asked: where });
  }
  return { training: { losses, heldOut, optimizer, about } as TrainingJson, place };
}

/**
 * The checkpoint in a folder, or the last one in it.
 * @throws UnknownNameError if there is none, FileFormatError if one of its files is broken, ConfigError or WeightsError
 * if it belongs to another model or another optimizer.
 */
export async function readCheckpoint(
  files: ModelFiles,
  cfg: HookedTransformerConfig,
  weights: ReadonlyMap<string, NDArray>,
  optimizer: OptimizerName,
  slots: readonly string[],
): Promise<Checkpoint & { readonly place: string }> {
  const { training, place } = await readTrainingJson(files);
  const where = `${place.name}/`;
  const read = async (path: string) => parseJsonObject(await place.readText(path), where + path);
  if (training.optimizer !== optimizer) {
    throw new ConfigError(
      `The checkpoint ${where} was made with ${training.optimizer}, and its moments mean nothing to ${optimizer}. Continue with ${training.optimizer}.`,
      { asked: optimizer, found: training.optimizer },
    );
  }
  sameConfig(storedConfig(cfg, false), await read("config.json"), where);
  const arrays = async (path: string) => readSafetensors(memorySource(where + path, await wholeFile(place, path)));
  const stored = await arrays("model.safetensors");
  const moments = await arrays("optimizer.safetensors");
  const kept = SLOTS.filter((slot) => [...moments.keys()].some((key) => key.startsWith(`${slot}.`)));
  if ((kept.length > 0 || moments.size === 0) && kept.join() !== slots.join()) {
    throw new ConfigError(
      `The checkpoint ${where} has ${listed(kept) || "nothing"} for each weight, but ${optimizer} with these settings needs ${listed(slots) || "nothing"}: continue with the momentum that it was made with.`,
      { asked: slots, found: kept },
    );
  }
  const take = (from: ReadonlyMap<string, NDArray>, prefix: string, file: string) =>
    new Map([...weights].map(([name, { shape }]) => [name, sameShape(from, prefix + name, shape, where + file)]));
  const memory = new Map(slots.map((slot) => [slot, take(moments, `${slot}.`, "optimizer.safetensors")]));
  return {
    cfg,
    optimizer,
    place: place.name,
    losses: training.losses,
    heldOut: training.heldOut,
    state: { weights: take(stored, "", "model.safetensors"), memory },
  };
}

async function wholeFile(files: ModelFiles, path: string): Promise<Uint8Array> {
  const source = await files.open(path);
  return source.read(0, source.size);
}

/** Names, seeds, tokenizers and lists of files may differ; what is computed may not. */
const INCIDENTAL = ["model_name", "tokenizer_name", "seed", "original_architecture", "default_prepend_bos", "files"];

/** @throws ConfigError naming the first relevant field that differs. */
export function sameConfig(expected: Record<string, unknown>, found: Record<string, unknown>, where: string): void {
  const fields = new Set([...Object.keys(expected), ...Object.keys(found)]);
  for (const field of fields) {
    if (INCIDENTAL.includes(field) || JSON.stringify(expected[field]) === JSON.stringify(found[field])) continue;
    throw new ConfigError(
      `The checkpoint ${where} has a different configuration: its ${field} is ${JSON.stringify(found[field])}, the model's is ${JSON.stringify(expected[field])}. Resume with the model that it was made from.`,
      { asked: expected[field], found: found[field] },
    );
  }
}

function sameShape(from: ReadonlyMap<string, NDArray>, name: string, shape: readonly number[], file: string): NDArray {
  const array = from.get(name);
  if (array && array.dtype === "float32" && array.shape.join() === shape.join()) return array;
  throw new WeightsError(
    array
      ? `"${name}" of ${file} is [${array.shape}], but the model's is [${shape}].`
      : `${file} has no "${name}", which the model has.`,
    { asked: name, found: array?.shape },
  );
}
