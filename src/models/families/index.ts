/** Every model family, and the way from a `config.json` and a checkpoint to a configuration and weights. */

import { ConfigError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import { MODEL_ALIASES } from "./aliases.ts";
import { apertus } from "./apertus.ts";
import { bert } from "./bert.ts";
import { bloom } from "./bloom.ts";
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
import { llama, mistral } from "./llama.ts";
import { mingpt } from "./mingpt.ts";
import { mixtral } from "./mixtral.ts";
import { mpt } from "./mpt.ts";
import { LISTED_MODELS } from "./neel-config.ts";
import { notSupported, refuseKnownType } from "./not-computed.ts";
import { olmo, olmo2, olmo3 } from "./olmo.ts";
import { olmoe } from "./olmoe.ts";
import { opt } from "./opt.ts";
import { OWN_FAMILIES } from "./own.ts";
import { phi } from "./phi.ts";
import { phi3 } from "./phi3.ts";
import { qwen2, qwen3 } from "./qwen.ts";
import { qwen2Moe, qwen3Moe } from "./qwen-moe.ts";
import { checkFieldCount, readersOver } from "./readers.ts";
import { smollm3 } from "./smollm3.ts";
import { stablelm } from "./stablelm.ts";
import { starcoder2 } from "./starcoder2.ts";
import { t5 } from "./t5.ts";
import { asPart, textConfigOf } from "./text-config.ts";
import { xglm } from "./xglm.ts";

export { MODEL_ALIASES, resolveModelName } from "./aliases.ts";
export type { ConfigJson, FamilyContext, ModelFamily } from "./family.ts";
export type { ListedModelName } from "./listed-models.ts";

LISTED_MODELS.bring(MODEL_ALIASES);

export const FAMILIES: readonly ModelFamily[] = [
  ...OWN_FAMILIES,
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

/**
 * The family that a `config.json` belongs to.
 *
 * @throws ConfigError if it is not one of ours; the message says what the file calls itself.
 */
export function familyOf(configJson: ConfigJson, repoName: string): ModelFamily {
  checkFieldCount(configJson, repoName);
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

/** What reads the files of every family. */
export const { readConfig, readModel, modelInSteps } = readersOver(familyOf);
