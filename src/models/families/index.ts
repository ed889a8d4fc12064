/** Every model family, and the way from a `config.json` and a checkpoint to a configuration and weights. */

import type { NDArray } from "../../tensor/array.ts";
import { ConfigError, WeightsError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { recordingOf } from "../recording.ts";
import { checkArrays, checkWeights, type WeightArrays } from "../weights/check.ts";
import { apertus } from "./apertus.ts";
import { bert } from "./bert.ts";
import { bloom } from "./bloom.ts";
import { readCheckpoint, stepsOf, type WeightStep } from "./checkpoint.ts";
import { cohere, cohere2 } from "./cohere.ts";
import { falcon } from "./falcon.ts";
import type { ConfigJson, ModelFamily } from "./family.ts";
import { gemma, gemma2, gemma3 } from "./gemma.ts";
import { gptBigcode } from "./gpt-bigcode.ts";
import { gptNeo } from "./gpt-neo.ts";
import { gptNeox } from "./gpt-neox.ts";
import { gptOss } from "./gpt-oss.ts";
import { gpt2 } from "./gpt2.ts";
import { codegen, gptj } from "./gptj.ts";
import { granite } from "./granite.ts";
import { hookedTransformer } from "./hooked-transformer.ts";
import { llama, mistral } from "./llama.ts";
import { mingpt } from "./mingpt.ts";
import { mixtral } from "./mixtral.ts";
import { mpt } from "./mpt.ts";
import { neel } from "./neel.ts";
import { neelSoluOld } from "./neel-solu-old.ts";
import { notSupported, refuseKnownType } from "./not-computed.ts";
import { olmo, olmo2, olmo3 } from "./olmo.ts";
import { olmoe } from "./olmoe.ts";
import { opt } from "./opt.ts";
import { phi } from "./phi.ts";
import { phi3 } from "./phi3.ts";
import { qwen2, qwen3 } from "./qwen.ts";
import { qwen2Moe, qwen3Moe } from "./qwen-moe.ts";
import { smollm3 } from "./smollm3.ts";
import { stablelm } from "./stablelm.ts";
import { starcoder2 } from "./starcoder2.ts";
import { t5 } from "./t5.ts";
import { asPart, textConfigOf } from "./text-config.ts";
import { withoutWrapper } from "./wrapper.ts";
import { xglm } from "./xglm.ts";

export { MODEL_ALIASES, resolveModelName } from "./aliases.ts";
export type { ConfigJson, FamilyContext, ModelFamily } from "./family.ts";
export type { ListedModelName } from "./listed-models.ts";

export const FAMILIES: readonly ModelFamily[] = [
  neel,
  hookedTransformer,
  neelSoluOld,
  mingpt,
  gpt2,
  gptNeo,
  gptj,
  codegen,
  gptNeox,
  gptBigcode,
  llama,
  mistral,
  mixtral,
  qwen2,
  qwen2Moe,
  qwen3,
  qwen3Moe,
  olmoe,
  gptOss,
  gemma,
  gemma2,
  gemma3,
  olmo,
  olmo2,
  olmo3,
  cohere,
  cohere2,
  granite,
  apertus,
  phi,
  stablelm,
  starcoder2,
  bert,
  bloom,
  falcon,
  mpt,
  opt,
  phi3,
  smollm3,
  t5,
  xglm,
];

/** What `model_type` says in files of those families that it decides about. */
const MODEL_TYPES = FAMILIES.map(({ name }) => name)
  .filter((name) => FAMILIES.some((family) => family.matches({ model_type: name }, "")))
  .sort();

/** The longest configurations that were ever written have a few hundred fields. */
const MOST_FIELDS = 5000;

/**
 * The family that a `config.json` belongs to.
 *
 * @throws ConfigError if it is not one of ours; the message says what the file calls itself.
 */
export function familyOf(configJson: ConfigJson, repoName: string): ModelFamily {
  const count = Object.keys(configJson).length;
  if (count > MOST_FIELDS) {
    throw new ConfigError(`The config.json of ${repoName} has ${count} fields: that is not a model's configuration.`, {
      asked: repoName,
      found: count,
    });
  }
  const family = FAMILIES.find((f) => f.matches(configJson, repoName)) ?? familyWithin(configJson, repoName);
  if (family) return family;
  const declared = configJson.model_type ?? configJson.architecture;
  if (declared === undefined) {
    const { architectures } = configJson;
    throw new ConfigError(
      `The config.json of ${repoName} ${architectures === undefined ? "" : `has architectures ${shown(architectures)}, but `}names neither a model_type nor an architecture, and does not look like a model's. Supported: ${MODEL_TYPES.join(", ")}.`,
      { asked: repoName, found: Object.keys(configJson) },
    );
  }
  if (typeof declared !== "string") {
    const field = configJson.model_type === undefined ? "architecture" : "model_type";
    throw new ConfigError(
      `${field} in the config.json of ${repoName} is ${shown(declared)}, but it must be a string.`,
      {
        asked: field,
        found: declared,
      },
    );
  }
  refuseKnownType(declared, repoName);
  const within = textConfigOf(configJson)?.model_type as string | undefined;
  if (within === undefined) throw notSupported(`${repoName} is a model`, declared, MODEL_TYPES);
  refuseKnownType(within, repoName);
  throw notSupported(`${repoName}, of the type ${shown(declared)}, has a language model`, within, MODEL_TYPES);
}

/** The family of the language model in a model of several kinds of input. */
function familyWithin(configJson: ConfigJson, repoName: string): ModelFamily | undefined {
  const inner = textConfigOf(configJson);
  const family = inner && FAMILIES.find((f) => f.matches(inner, repoName));
  return family && asPart(family);
}

/** A model as read from a folder or a repository. */
export interface ReadModel {
  readonly family: string;
  readonly config: HookedTransformerConfig;
  /** In TransformerLens' layout and complete; arrays that needed no change are the checkpoint's own. */
  readonly weights: WeightArrays;
  /** Each decision made for you, as a sentence. */
  readonly notes: readonly string[];
}

/** A model whose weights can be read one by one. */
export interface ModelInSteps extends Omit<ReadModel, "weights"> {
  readonly steps: readonly WeightStep[];
  /** The name that an array of the steps has in the file. */
  stored(name: string): string;
}

/**
 * The configuration from only a `config.json`: what can be refused before any weights are read.
 * @throws ConfigError for one that cannot be run
 */
export function readConfig(configJson: ConfigJson, repoName: string): HookedTransformerConfig {
  return familyOf(configJson, repoName).config(configJson, { repoName, note: () => {} });
}

/**
 * Turns a model as it is stored into one as it is computed.
 *
 * @param raw the checkpoint's arrays by the checkpoint's names; not changed.
 * @param repoName Hugging Face id, or the folder's name.
 * @throws ConfigError for a `config.json` that cannot be run; WeightsError for a weight that is missing, unexpected or of
 * the wrong shape.
 */
export function readModel(configJson: ConfigJson, raw: ReadonlyMap<string, NDArray>, repoName: string): ReadModel {
  const { family, own, config, context, notes } = understood(configJson, raw, repoName);
  const layout = family.layout?.(config, (name) => own.has(name), configJson);
  const weights = layout ? readCheckpoint(own, config, layout) : family.weights!(own, config, context);
  checkWeights(config, weights);
  return { family: family.name, config, weights, notes };
}

/**
 * The same of a model that is not in memory, step by step; `undefined` for families that need all arrays together.
 * @param shapes of the checkpoint's arrays, by name
 * @throws as `readModel`
 */
export function modelInSteps(
  configJson: ConfigJson,
  shapes: ReadonlyMap<string, readonly number[]>,
  repoName: string,
): ModelInSteps | undefined {
  if (!familyOf(configJson, repoName).layout) return undefined;
  const named = new Map([...shapes].map(([name, shape]) => [name, { name, shape }]));
  const { family, own, config, notes } = understood(configJson, named, repoName);
  const layout = family.layout!(config, (name) => own.has(name), configJson);
  const steps = stepsOf(new Map([...own].map(([name, { shape }]) => [name, shape])), config, layout);
  return { family: family.name, config, steps, notes, stored: (name) => own.get(name)!.name };
}

/** The family, the configuration, and a checkpoint's arrays by the names that the family gives them. */
function understood<T>(configJson: ConfigJson, raw: ReadonlyMap<string, T>, repoName: string) {
  const family = familyOf(configJson, repoName);
  family.checkNames?.([...raw.keys()], configJson, repoName);
  const notes: string[] = [];
  const note = (sentence: string) => notes.push(sentence);
  const named = family.renamed ? new Map([...raw].map(([name, x]) => [family.renamed!(name), x])) : raw;
  const own = withoutOwnPrefix(withoutWrapper(named, family, note), family);
  const context = { repoName, weightNames: [...own.keys()], note };
  const config = family.config(configJson, context);
  checkLayers(config, context.weightNames);
  return { family, own, config, context, notes };
}

/** Checkpoints of GPT-2's language model say `transformer.h.0...`, those of the bare model `h.0...`. */
function withoutOwnPrefix<T>(raw: ReadonlyMap<string, T>, { prefix }: ModelFamily): ReadonlyMap<string, T> {
  if (prefix === undefined) return raw;
  return new Map([...raw].map(([name, x]) => [name.startsWith(prefix) ? name.slice(prefix.length) : name, x]));
}

/**
 * A file's arrays in TransformerLens' names and layout, made to fit a configuration:
 * without a wrapper's prefix and without masks, with zeros for missing biases.
 * @throws WeightsError for a weight that is missing, unexpected or of the wrong shape; ArgumentError for anything but a map of arrays
 */
export function ownWeights(
  config: HookedTransformerConfig,
  given: ReadonlyMap<string, NDArray>,
): Pick<ReadModel, "weights" | "notes"> {
  checkArrays(given);
  const notes: string[] = [];
  const note = (sentence: string) => notes.push(sentence);
  const embedding = recordingOf(config).structure.lookups[0].weight.label!;
  const own = withoutWrapper(given, { embedding }, note);
  checkLayers(config, [...own.keys()]);
  const weights = neel.weights(own, config, { repoName: config.modelName, note });
  checkWeights(config, weights);
  return { weights, notes };
}

/** @throws WeightsError if the configuration has layers that the checkpoint lacks. */
function checkLayers(config: HookedTransformerConfig, names: readonly string[]): void {
  let found = 0;
  for (const name of names) {
    const layer = /(?:^|\.)(?:h|blocks|layers)\.(\d{1,9})\./.exec(name)?.[1];
    if (layer !== undefined) found = Math.max(found, Number(layer) + 1);
  }
  if (found === 0 || found >= config.nLayers) return;
  throw new WeightsError(
    `The configuration says ${config.nLayers} layers, but the weights have ${found}. Correct one of them.`,
    { asked: config.nLayers, found },
  );
}
