/** Architectures that are known but cannot be opened yet: their names, their models, and what is missing for them. */
import { ConfigError } from "../../tensor/errors.ts";

interface Architecture {
  readonly called: string;
  /** `model_type` in their `config.json`. */
  readonly modelTypes: readonly string[];
  /** How the short names of their models begin, ignoring case: TransformerLens' names, and those of the hub without the owner. */
  readonly names: RegExp;
  /** What is missing. */
  readonly lacks: string;
}

/** Everything that they compute exists here; their models open in TransformerLens' own form. */
const FILES = "a reader for its files (saved as TransformerLens' cfg and state_dict, it opens)";

const ARCHITECTURES: readonly Architecture[] = [
  {
    called: "GPT-NeoX (Pythia)",
    modelTypes: ["gpt_neox"],
    names: /^(pythia|EleutherAI\/pythia|gpt-neox|stablelm-(base|tuned)-alpha)/,
    lacks: FILES,
  },
  { called: "GPT-Neo", modelTypes: ["gpt_neo"], names: /^(gpt-neo-|neo-|tiny-?stories)/, lacks: FILES },
  { called: "GPT-J", modelTypes: ["gptj"], names: /^gpt-?j/, lacks: FILES },
  { called: "OPT", modelTypes: ["opt"], names: /^opt-/, lacks: "its layout of positions and weights" },
  {
    called: "LLaMA",
    modelTypes: ["llama"],
    names: /^(meta-)?(llama|codellama|yi-|yi_|smollm|deepseek-llm|vicuna|alpaca|tinyllama)/,
    lacks: FILES,
  },
  { called: "Mistral", modelTypes: ["mistral"], names: /^mistral/, lacks: FILES },
  { called: "Mixtral", modelTypes: ["mixtral"], names: /^mixtral/, lacks: "experts" },
  {
    called: "Qwen",
    modelTypes: ["qwen", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe"],
    names: /^(qwen|qwq)/,
    lacks: "a reader for its files, and for some norms of queries and keys, or experts",
  },
  {
    called: "Gemma",
    modelTypes: ["gemma", "gemma2", "gemma3", "gemma3_text"],
    names: /^(med)?gemma/,
    lacks: "norms after attention and MLP, and scaled embeddings",
  },
  { called: "Phi", modelTypes: ["phi", "phi3"], names: /^phi-/, lacks: FILES },
  { called: "BLOOM", modelTypes: ["bloom"], names: /^bloom/, lacks: "ALiBi positions" },
  { called: "GPTBigCode", modelTypes: ["gpt_bigcode"], names: /^santacoder/, lacks: FILES },
  { called: "Apertus", modelTypes: ["apertus"], names: /^apertus/, lacks: "xIELU, and norms of queries and keys" },
  { called: "gpt-oss", modelTypes: ["gpt_oss"], names: /^gpt-oss/, lacks: "experts" },
  {
    called: "OLMo",
    modelTypes: ["olmo", "olmo2", "olmo3", "olmoe"],
    names: /^olmo/,
    lacks: "norms without weights or of queries and keys, and a reader for its files",
  },
  {
    called: "Falcon",
    modelTypes: ["falcon", "RefinedWeb"],
    names: /^falcon/,
    lacks: "a reader for its files, and for some ALiBi positions",
  },
  { called: "MPT", modelTypes: ["mpt"], names: /^mpt-/, lacks: "ALiBi positions" },
  { called: "StableLM", modelTypes: ["stablelm"], names: /^stablelm/, lacks: FILES },
  { called: "Starcoder 2", modelTypes: ["starcoder2"], names: /^starcoder/, lacks: FILES },
  {
    called: "Cohere",
    modelTypes: ["cohere", "cohere2"],
    names: /^(c4ai-|command-r)/,
    lacks: "norms without biases, and scaled logits",
  },
  { called: "Granite", modelTypes: ["granite"], names: /^granite/, lacks: "scaled parts" },
  { called: "CodeGen", modelTypes: ["codegen"], names: /^codegen/, lacks: FILES },
  { called: "XGLM", modelTypes: ["xglm"], names: /^xglm/, lacks: "sinusoidal positions" },
  {
    called: "Mamba",
    modelTypes: ["mamba", "mamba2"],
    names: /^mamba/,
    lacks: "state-space layers (it is not a transformer)",
  },
  {
    called: "BERT",
    modelTypes: ["bert", "distilbert", "roberta", "albert", "electra"],
    names: /^((distil|al|ro)?bert|roberta|electra)/,
    lacks: "an encoder that fills in masked words",
  },
  { called: "T5", modelTypes: ["t5", "mt5"], names: /^(m?t5|flan-t5)/, lacks: "an encoder and a decoder" },
  {
    called: "wav2vec",
    modelTypes: ["wav2vec2", "hubert"],
    names: /^(wav2vec|hubert)/,
    lacks: "an encoder of sound (it is not a language model)",
  },
];

/**
 * Passes unless the name is that of a model that is known but cannot be opened.
 * @param name a short name, or "org/name"
 * @throws ConfigError that says what it is and what is missing
 */
export function refuseKnownName(name: string, supported: readonly string[]): void {
  const short = name.trim().split("/").at(-1)!.toLowerCase();
  const architecture = ARCHITECTURES.find(({ names }) => new RegExp(names.source, "i").test(short));
  if (architecture) throw refusal(`"${name.trim()}"`, name, architecture, supported);
}

/** As `refuseKnownName`, by the `model_type` of a `config.json`. */
export function refuseKnownType(modelType: string, repoName: string, supported: readonly string[]): void {
  const architecture = ARCHITECTURES.find(({ modelTypes }) => modelTypes.includes(modelType));
  if (architecture) throw refusal(`${repoName} ("${modelType}")`, modelType, architecture, supported);
}

function refusal(
  what: string,
  asked: string,
  { called, lacks }: Architecture,
  supported: readonly string[],
): ConfigError {
  return new ConfigError(
    `${what} is a model of the ${called} architecture, which is known but cannot be opened yet: it needs ${lacks}. Supported: ${supported.join(", ")}.`,
    { asked, found: supported },
  );
}
