/** Every model family, and the way from a `config.json` and a checkpoint to a configuration and weights. */
import type { NDArray } from "../../tensor/array.ts";
import { ConfigError } from "../../tensor/errors.ts";
import { nearest } from "../../tensor/nearest.ts";
import type { HookedTransformerConfig } from "../config.ts";
import type { ConfigJson, ModelFamily } from "./family.ts";
import { gpt2 } from "./gpt2.ts";
import { hookedTransformer } from "./hooked-transformer.ts";
import { mingpt } from "./mingpt.ts";
import { neel } from "./neel.ts";
import { neelSoluOld } from "./neel-solu-old.ts";
import { checkWeights, type WeightArrays } from "./weights.ts";

export { MODEL_ALIASES, resolveModelName } from "./aliases.ts";
export type { ConfigJson, FamilyContext, ModelFamily } from "./family.ts";
export { checkWeights, expectedWeights, type WeightArrays, type WeightProblems } from "./weights.ts";

export const FAMILIES: readonly ModelFamily[] = [neel, hookedTransformer, neelSoluOld, mingpt, gpt2];

/**
 * The family that a `config.json` belongs to.
 *
 * @throws ConfigError if it is none of ours; the message says what the file calls itself.
 */
export function familyOf(configJson: ConfigJson, repoName: string): ModelFamily {
  const family = FAMILIES.find((f) => f.matches(configJson, repoName));
  if (family) return family;
  const names = FAMILIES.map((f) => f.name);
  const declared = configJson.model_type ?? configJson.architecture;
  if (declared === undefined) {
    throw new ConfigError(
      `The config.json of ${repoName} names neither a model_type nor an architecture, and does not look like a model's. Supported: ${names.join(", ")}.`,
      { asked: repoName, found: Object.keys(configJson) },
    );
  }
  throw new ConfigError(
    `${repoName} is a model of the architecture "${declared}", which is not supported. Supported: ${names.join(", ")}.`,
    { asked: declared, found: names, nearest: nearest(String(declared), names) },
  );
}

/** What was read from a folder or a repository. */
export interface ReadModel {
  readonly family: string;
  readonly config: HookedTransformerConfig;
  /** In TransformerLens' layout and complete; arrays that needed no change are the checkpoint's own. */
  readonly weights: WeightArrays;
  /** Each thing decided on the reader's behalf, in a sentence. */
  readonly notes: readonly string[];
}

/**
 * Turns a model as it is stored into one as it is computed.
 *
 * @param raw the checkpoint's arrays by the checkpoint's names; not changed.
 * @param repoName Hugging Face id, or the folder's name.
 * @throws ConfigError for a `config.json` that cannot be run as it says; WeightsError for a weight that is missing, left
 * over or of the wrong shape.
 */
export function readModel(configJson: ConfigJson, raw: ReadonlyMap<string, NDArray>, repoName: string): ReadModel {
  const family = familyOf(configJson, repoName);
  const notes: string[] = [];
  const context = { repoName, weightNames: [...raw.keys()], note: (sentence: string) => notes.push(sentence) };
  const config = family.config(configJson, context);
  const weights = family.weights(raw, config, context);
  checkWeights(config, weights);
  return { family: family.name, config, weights, notes };
}
