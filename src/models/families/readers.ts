/** A model's files read by their family: the way from a `config.json` and a checkpoint to a configuration and weights. */
import type { NDArray } from "../../tensor/array.ts";
import { ConfigError, WeightsError } from "../../tensor/errors.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { checkWeights, type WeightArrays } from "../weights/check.ts";
import { readCheckpoint, stepsOf, type WeightStep } from "./checkpoint.ts";
import type { ConfigJson, ModelFamily } from "./family.ts";
import { withoutWrapper } from "./wrapper.ts";

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

/** Finds the family that a `config.json` belongs to. @throws ConfigError if there is none */
export type FamilyOf = (configJson: ConfigJson, repoName: string) => ModelFamily;

/** What reads a model's files. */
export interface Readers {
  /**
   * The configuration from only a `config.json`: what can be refused before any weights are read.
   * @throws ConfigError for one that cannot be run
   */
  readConfig(configJson: ConfigJson, repoName: string): HookedTransformerConfig;
  /**
   * Turns a model as it is stored into one as it is computed.
   *
   * @param raw the checkpoint's arrays by the checkpoint's names; not changed.
   * @param repoName Hugging Face id, or the folder's name.
   * @throws ConfigError for a `config.json` that cannot be run; WeightsError for a weight that is missing, unexpected or of
   * the wrong shape.
   */
  readModel(configJson: ConfigJson, raw: ReadonlyMap<string, NDArray>, repoName: string): ReadModel;
  /**
   * The same of a model that is not in memory, step by step; `undefined` for families that need all arrays together.
   * @param shapes of the checkpoint's arrays, by name
   * @throws as `readModel`
   */
  modelInSteps(
    configJson: ConfigJson,
    shapes: ReadonlyMap<string, readonly number[]>,
    repoName: string,
  ): ModelInSteps | undefined;
}

/** What reads the files of the families that are found. */
export function readersOver(familyOf: FamilyOf): Readers {
  return {
    readConfig: (configJson, repoName) =>
      familyOf(configJson, repoName).config(configJson, { repoName, note: () => {} }),
    readModel(configJson, raw, repoName) {
      const { family, own, config, context, notes } = understood(
        familyOf(configJson, repoName),
        configJson,
        raw,
        repoName,
      );
      const layout = family.layout?.(config, (name) => own.has(name), configJson);
      const weights = layout ? readCheckpoint(own, config, layout) : family.weights!(own, config, context);
      checkWeights(config, weights);
      return { family: family.name, config, weights, notes };
    },
    modelInSteps(configJson, shapes, repoName) {
      const found = familyOf(configJson, repoName);
      if (!found.layout) return undefined;
      const named = new Map([...shapes].map(([name, shape]) => [name, { name, shape }]));
      const { family, own, config, notes } = understood(found, configJson, named, repoName);
      const layout = family.layout!(config, (name) => own.has(name), configJson);
      const steps = stepsOf(new Map([...own].map(([name, { shape }]) => [name, shape])), config, layout);
      return { family: family.name, config, steps, notes, stored: (name) => own.get(name)!.name };
    },
  };
}

/** The configuration, and a checkpoint's arrays by the names that the family gives them. */
function understood<T>(family: ModelFamily, configJson: ConfigJson, raw: ReadonlyMap<string, T>, repoName: string) {
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

/** @throws WeightsError if the configuration has layers that the checkpoint lacks. */
export function checkLayers(config: HookedTransformerConfig, names: readonly string[]): void {
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

/** The longest configurations that were ever written have a few hundred fields. */
const MOST_FIELDS = 5000;

/** @throws ConfigError for a file of more fields than any configuration has */
export function checkFieldCount(configJson: ConfigJson, repoName: string): void {
  const count = Object.keys(configJson).length;
  if (count <= MOST_FIELDS) return;
  throw new ConfigError(`The config.json of ${repoName} has ${count} fields: that is not a model's configuration.`, {
    asked: repoName,
    found: count,
  });
}
