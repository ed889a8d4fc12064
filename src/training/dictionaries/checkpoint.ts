/** A checkpoint of a dictionary's training: the dictionary as others read it, and what its training resumes from. */
import {
  inFolder,
  type ModelFiles,
  memorySource,
  parseJsonObject,
  readSafetensors,
  trainedSteps,
  writeSafetensors,
} from "../../load/index.ts";
import { type NDArray, ndarray } from "../../tensor/array.ts";
import { ArgumentError, FileFormatError } from "../../tensor/errors.ts";
import type { StepState } from "../step.ts";

/** What a run is after some step. */
export interface DictionaryState {
  readonly step: StepState;
  readonly threshold: number;
  readonly inputScales: readonly number[];
  readonly stepsSince: Float32Array;
  readonly counts: Float32Array;
  /** The measures of each step so far. */
  readonly history: readonly Readonly<Record<string, number>>[];
}

const FORMAT = 1;
const TRAINING = "training.json";
const STATE = "training_state.safetensors";

/** The files of what has been trained; `training.json` and `training_state.safetensors`. */
export function dictionaryCheckpoint(
  files: ReadonlyMap<string, Uint8Array>,
  state: DictionaryState,
  settings: Readonly<Record<string, unknown>>,
): Map<string, Uint8Array> {
  const { step, threshold, inputScales, stepsSince, counts, history } = state;
  const vector = (data: Float32Array) => ndarray("float32", [data.length], data);
  const arrays = new Map<string, NDArray>([
    ...[...step.weights].map(([name, array]): [string, NDArray] => [`weights.${name}`, array]),
    ...[...step.memory].flatMap(([slot, all]) =>
      [...all].map(([name, array]): [string, NDArray] => [`${slot}.${name}`, array]),
    ),
    ["steps_since_fired", vector(stepsSince)],
    ["counts", vector(counts)],
  ]);
  const json = { format: FORMAT, settings, threshold, inputScale: inputScales, history };
  return new Map([
    ...files,
    [TRAINING, new TextEncoder().encode(`${JSON.stringify(json)}\n`)],
    [STATE, writeSafetensors(arrays)],
  ]);
}

/**
 * The last checkpoint in a folder.
 * @throws ArgumentError for a run with other settings, naming the first that differs; FileFormatError for anything else than a run's folder
 */
export async function readDictionaryCheckpoint(
  files: ModelFiles,
  settings: Readonly<Record<string, unknown>>,
): Promise<DictionaryState> {
  const last = trainedSteps(await files.list(), TRAINING).at(-1);
  if (!last) {
    throw new ArgumentError(`${files.name} has no checkpoint to resume from: leave out resume to start.`, {
      asked: files.name,
    });
  }
  const place = inFolder(files, last.folder);
  const where = `${place.name}/${TRAINING}`;
  const read = parseJsonObject(await place.readText(TRAINING), where);
  const { format, threshold, inputScale, history } = read;
  const inputScales = [inputScale].flat();
  const isNumbers = [threshold, ...inputScales].every((x) => typeof x === "number");
  if (format !== FORMAT || !isNumbers || !Array.isArray(history)) {
    throw new FileFormatError(`${where} is not from the training of a dictionary.`, { asked: where });
  }
  sameSettings(settings, read.settings as Record<string, unknown>, place.name);
  const source = await place.open(STATE);
  const arrays = await readSafetensors(memorySource(`${place.name}/${STATE}`, await source.read(0, source.size)));
  const under = (prefix: string) =>
    new Map([...arrays].filter(([key]) => key.startsWith(prefix)).map(([key, a]) => [key.slice(prefix.length), a]));
  const vector = (name: string) => arrays.get(name)!.data as Float32Array;
  return {
    step: {
      weights: under("weights."),
      memory: new Map(["exp_avg", "exp_avg_sq"].map((slot) => [slot, under(`${slot}.`)])),
    },
    ...{
      threshold: threshold as number,
      inputScales: inputScales as number[],
      history: history as DictionaryState["history"],
    },
    ...{ stepsSince: vector("steps_since_fired"), counts: vector("counts") },
  };
}

/** @throws ArgumentError for settings that differ, but for the number of steps */
function sameSettings(
  asked: Readonly<Record<string, unknown>>,
  found: Readonly<Record<string, unknown>>,
  where: string,
): void {
  for (const name of Object.keys(asked)) {
    if (name === "steps" || JSON.stringify(asked[name]) === JSON.stringify(found?.[name])) continue;
    throw new ArgumentError(
      `${where} was trained with ${name} ${JSON.stringify(found?.[name])}, not ${JSON.stringify(asked[name])}: continue with that, or start in another folder.`,
      { asked: asked[name], found: found?.[name] },
    );
  }
}
