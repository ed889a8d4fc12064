/**
 * The weights of a model from its files: each is read, put into TransformerLens' layout, and processed, a block at a time, so
 * that nothing is in memory twice.
 */
import type { Engine } from "../engine/engine.ts";
import { Tensor } from "../graph/tensor.ts";
import { readAll, type StoredTensors } from "../load/stored.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import { parseConfig, toTransformerLens } from "../models/config/parse.ts";
import type { WeightStep } from "../models/families/checkpoint.ts";
import type { Readers, ReadModel } from "../models/families/readers.ts";
import { WeightDraft } from "../models/processing/draft.ts";
import { type ProcessingFlags, processing } from "../models/processing/process-weights.ts";
import { recordingOf, weightBytes } from "../models/recording.ts";
import { keepWeight } from "../models/weights/keep.ts";
import { type NDArray, ndarray, sizeOf, type TypedData, zeros } from "../tensor/array.ts";
import { ArgumentError, WeightsError } from "../tensor/errors.ts";
import { needMemory } from "../tensor/free-memory.ts";
import type { KeptDType } from "../tensor/kept.ts";
import { shown } from "../tensor/show.ts";
import { counted } from "../tensor/words.ts";
import { ArrayReader } from "./array-reader.ts";

type Float32 = NDArray<"float32">;

/** What to read of a model, and how. */
export interface Reading {
  /** What the files are called, in errors. */
  readonly name: string;
  readonly repoName: string;
  readonly configJson: Readonly<Record<string, unknown>>;
  /** Those of its family. */
  readonly readers: Readers;
  readonly flags: Partial<ProcessingFlags>;
  readonly firstNLayers: number | undefined;
  /** How the weights are kept. */
  readonly dtype: KeptDType;
  readonly signal: AbortSignal | undefined;
  /** What multiplies matrices, where a weight is a product of two. */
  readonly engine: Engine | undefined;
}

/**
 * Reads and processes a model's weights.
 * @throws WeightsError for weights that are missing, unexpected, of the wrong shape or not finite; ArgumentError for layers that the
 * model does not have; MemoryError, before anything is read, for weights that do not fit in memory
 */
export async function readWeights(stored: StoredTensors, reading: Reading): Promise<ReadModel> {
  const { configJson, repoName, readers, name, flags, signal, dtype } = reading;
  const planned = readers.modelInSteps(configJson, stored.shapes, repoName);
  if (!planned) {
    const whole = readers.readModel(configJson, await readAll(stored, signal), repoName);
    return processedWhole(whole, reading);
  }
  const config = withLayers(planned.config, reading.firstNLayers);
  needWeightMemory(weightBytes(config, dtype), reading);
  const { config: after, notes, apply } = processing(config, flags);
  const weights = new Map<string, Float32>();
  for (const group of byBlock(planned.steps, config.nLayers)) {
    const made = await makeGroup(group, stored, planned.stored, reading);
    checkFinite(made, name);
    keepAll(apply(new WeightDraft(made, true)), after, dtype, weights);
  }
  return { family: planned.family, config: after, weights, notes: [...planned.notes, ...notes] };
}

/** @throws MemoryError if weights of this many bytes do not fit in memory */
export function needWeightMemory(bytes: number, { name, dtype }: Pick<Reading, "name" | "dtype">): void {
  needMemory({
    ...{ what: `Holding the weights of ${name}`, bytes },
    advice:
      dtype === "int4"
        ? "open a smaller model, or only its first layers (firstNLayers)"
        : 'open a smaller model, only its first layers (firstNLayers), or keep its weights in fewer bits (dtype "int4")',
  });
}

/** @throws MemoryError if the weights of a model of this configuration do not fit in memory; ArgumentError for layers that it does not have */
export function needMemoryOf(
  config: HookedTransformerConfig,
  reading: Pick<Reading, "name" | "dtype" | "firstNLayers">,
): void {
  needWeightMemory(weightBytes(withLayers(config, reading.firstNLayers), reading.dtype), reading);
}

/** Models of families that are not read weight by weight. */
function processedWhole(whole: ReadModel, { firstNLayers, flags, name, dtype }: Reading): ReadModel {
  const config = withLayers(whole.config, firstNLayers);
  const weights = new Map([...whole.weights].filter(([weight]) => isWithin(weight, config.nLayers)));
  checkFinite(weights, name);
  const { config: after, notes, apply } = processing(config, flags);
  const processed = keepAll(apply(new WeightDraft(weights, true)), after, dtype);
  return { family: whole.family, config: after, weights: processed, notes: [...whole.notes, ...notes] };
}

/** Adds weights as they are to be kept. */
function keepAll(
  weights: ReadonlyMap<string, Float32>,
  config: HookedTransformerConfig,
  dtype: KeptDType,
  to = new Map<string, Float32>(),
): Map<string, Float32> {
  const specs = recordingOf(config).weights;
  for (const [name, array] of weights) to.set(name, keepWeight(specs.get(name)!, array, dtype));
  return to;
}

/** The steps of what comes before the blocks, of each block, and of what comes after them; without those of later layers. */
function byBlock(steps: readonly WeightStep[], nLayers: number): WeightStep[][] {
  const groups: WeightStep[][] = [];
  let key: number | undefined;
  for (const step of steps) {
    const { name } = step.spec;
    if (!isWithin(name, nLayers)) continue;
    const layer = layerOf(name) ?? -1;
    if (layer !== key) groups.push([]);
    key = layer;
    groups.at(-1)!.push(step);
  }
  return groups;
}

/** Arrays with fewer numbers are read whole. */
const SMALL = 1 << 20;

/** The weights of some steps. An array that several of them are made of is read once. */
async function makeGroup(
  steps: readonly WeightStep[],
  stored: StoredTensors,
  nameOf: (name: string) => string,
  { signal, engine }: Reading,
): Promise<Map<string, Float32>> {
  const reader = new ArrayReader(steps, stored, nameOf, signal);
  const weights = new Map<string, Float32>();
  for (const step of steps) {
    const { spec, from, last, make, makeRows } = step;
    if (makeRows && stored.readRows && sizeOf(spec.shape) > SMALL && reader.isForOne(from[0])) {
      const weight = zeros("float32", spec.shape);
      const take = (rows: TypedData, first: number) => makeRows(floats(from[0].name, rows), first, weight.data);
      await stored.readRows(nameOf(from[0].name), take, signal);
      weights.set(spec.name, weight);
      continue;
    }
    const arrays = await reader.take(from);
    const weight = await make(arrays, (a, b) => product(a, b, engine, signal));
    const isShared = reader.isShared(weight, step, arrays);
    weights.set(spec.name, isShared ? { ...weight, data: weight.data.slice() } : weight);
    for (const name of last) stored.forget?.(nameOf(name));
  }
  return weights;
}

/** `a · bᵀ` of [m k] and [n k], by an engine: the platform's, where there is no other. */
async function product(a: Float32, b: Float32, engine: Engine | undefined, signal: AbortSignal | undefined) {
  const value = Tensor.leaf(a, ["row", "inner"]).einsum("rk,ck->rc", Tensor.leaf(b, ["column", "inner"]));
  const [{ shape, data }] = engine ? await engine.run([value], { signal }) : [await value.compute({ signal })];
  return ndarray("float32", shape, data as Float32Array);
}

/** @throws WeightsError for numbers that are not floats */
function floats(name: string, numbers: TypedData): Float32Array {
  if (numbers instanceof Float32Array) return numbers;
  throw new WeightsError(`Weight "${name}" holds integers, not floating-point numbers.`, { asked: name });
}

function layerOf(weight: string): number | undefined {
  const layer = /^blocks\.(\d+)\./.exec(weight)?.[1];
  return layer === undefined ? undefined : Number(layer);
}

const isWithin = (weight: string, nLayers: number): boolean => (layerOf(weight) ?? -1) < nLayers;

/** A model's configuration, cut after its first layers. @throws ArgumentError for a number that it does not have. */
function withLayers(config: HookedTransformerConfig, count: number | undefined): HookedTransformerConfig {
  const { nLayers } = config;
  if (count === undefined) return config;
  if (!Number.isInteger(count) || count < 1 || count > nLayers) {
    throw new ArgumentError(
      `firstNLayers is ${shown(count)}, but it must be a whole number from 1 to ${nLayers}, as the model has ${counted(nLayers, "layer")}.`,
      {
        asked: count,
        found: nLayers,
      },
    );
  }
  return parseConfig({ ...toTransformerLens(config), n_layers: count });
}

/** Whether all numbers are finite. */
function areFinite(data: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i] * 0; // 0, unless a number is not finite
  return sum === 0;
}

/** @throws WeightsError naming the first weight that holds NaN or an infinity: no number computed with it would mean anything. */
function checkFinite(weights: ReadonlyMap<string, NDArray>, model: string): void {
  for (const [name, { data, dtype }] of weights) {
    if (dtype !== "float32") continue;
    if (areFinite(data as Float32Array)) continue;
    const at = data.findIndex((x: number) => !Number.isFinite(x));
    throw new WeightsError(
      `The weight "${name}" of ${model} holds ${data[at]} (at ${at} of ${data.length}): the file is damaged, or training diverged. Download it again, or use an earlier checkpoint.`,
      { asked: name, found: data[at] },
    );
  }
}
