/** GGUF files as Hugging Face models: a `config.json` and arrays under Hugging Face's names, so that one family reads both. */
import type { ConfigJson } from "../family.ts";
import { notSupported } from "../not-computed.ts";
import { arraysOf, type GgufArchitecture, type MadeArray } from "./architecture.ts";
import { gemma, gemma2, gemma3 } from "./gemma.ts";
import { bloom, falcon, gpt2, gptneox, mpt, starcoder } from "./gpt.ts";
import { commandR, granite, llama, olmo, olmoe, smollm3, stablelm } from "./llama.ts";
import { phi2, phi3 } from "./phi.ts";
import { qwen2, qwen2moe, qwen3, qwen3moe } from "./qwen.ts";
import { apertus, gptOss, olmo2, starcoder2 } from "./recent.ts";
import { type GgufContents, GgufSettings } from "./settings.ts";

export type { MadeArray } from "./architecture.ts";
export { ROPE_TENSORS } from "./rope.ts";
export type { GgufContents } from "./settings.ts";

export const GGUF_ARCHITECTURES: readonly GgufArchitecture[] = [
  llama,
  qwen2,
  qwen3,
  qwen2moe,
  qwen3moe,
  gemma,
  gemma2,
  gemma3,
  phi2,
  phi3,
  gpt2,
  gptneox,
  starcoder,
  starcoder2,
  stablelm,
  falcon,
  bloom,
  mpt,
  olmo,
  olmo2,
  olmoe,
  commandR,
  granite,
  smollm3,
  apertus,
  gptOss,
];

export interface GgufModel {
  readonly configJson: ConfigJson;
  readonly arrays: ReadonlyMap<string, MadeArray>;
  readonly notes: readonly string[];
}

/**
 * A GGUF file in Hugging Face's words.
 * @throws ConfigError for an architecture or a setting that is not supported; WeightsError for a tensor that it does not have
 */
export function fromGguf(contents: GgufContents): GgufModel {
  const settings = new GgufSettings(contents);
  const architecture = GGUF_ARCHITECTURES.find(({ name }) => name === settings.architecture);
  if (!architecture) {
    const names = GGUF_ARCHITECTURES.map(({ name }) => name);
    throw notSupported("The GGUF file is a model", settings.architecture, names);
  }
  const note = architecture.note?.(settings);
  return {
    configJson: architecture.config(settings),
    arrays: arraysOf(architecture, settings),
    notes: note === undefined ? [] : [note],
  };
}
