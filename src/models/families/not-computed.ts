/**
 * Architectures by the names that people give to their models: those that cannot be opened yet, with what is missing for
 * them, and those whose models open by their ids on the hub alone.
 */
import { ConfigError } from "../../tensor/errors.ts";
import { nearest } from "../../tensor/nearest.ts";
import { shown } from "../../tensor/show.ts";

interface Architecture {
  readonly called: string;
  /** `model_type` in their `config.json`, of those that cannot be opened. */
  readonly modelTypes: readonly string[];
  /** How the short names of their models begin, ignoring case: TransformerLens' names, and those of the hub without the owner. */
  readonly names: RegExp;
  /** What is missing; of an architecture that opens, the id of one of its models. */
  readonly lacks?: string;
  readonly id?: string;
}

const ARCHITECTURES: readonly Architecture[] = [
  {
    called: "GPT-NeoX (Pythia)",
    modelTypes: [],
    names: /^(pythia|EleutherAI\/pythia|gpt-neox|stablelm-(base|tuned)-alpha)/,
    id: "EleutherAI/pythia-70m",
  },
  { called: "GPT-Neo", modelTypes: [], names: /^(gpt-neo-|neo-|tiny-?stories)/, id: "EleutherAI/gpt-neo-125M" },
  { called: "GPT-J", modelTypes: [], names: /^gpt-?j/, id: "EleutherAI/gpt-j-6B" },
  { called: "OPT", modelTypes: [], names: /^opt-/, id: "facebook/opt-125m" },
  {
    called: "LLaMA",
    modelTypes: [],
    names: /^(meta-)?(llama|codellama|yi-|yi_|smollm|deepseek-llm|vicuna|alpaca|tinyllama)/,
    id: "meta-llama/Llama-2-7b-hf",
  },
  { called: "Mistral", modelTypes: [], names: /^mistral/, id: "mistralai/Mistral-7B-v0.1" },
  { called: "Mixtral", modelTypes: [], names: /^mixtral/, id: "mistralai/Mixtral-8x7B-v0.1" },
  { called: "Qwen", modelTypes: ["qwen"], names: /^qwen-/, lacks: "a reader for its files" },
  { called: "Qwen 2 MoE", modelTypes: [], names: /^qwen(1\.5|2).*(moe|-a\d+b)/, id: "Qwen/Qwen1.5-MoE-A2.7B" },
  { called: "Qwen 3 MoE", modelTypes: [], names: /^qwen3.*-a\d+b/, id: "Qwen/Qwen3-30B-A3B" },
  { called: "Qwen 3", modelTypes: [], names: /^qwen3/, id: "Qwen/Qwen3-0.6B" },
  { called: "Qwen 2", modelTypes: [], names: /^(qwen|qwq)/, id: "Qwen/Qwen2.5-0.5B" },
  {
    called: "Gemma 3n, Gemma 4 or RecurrentGemma",
    modelTypes: ["gemma3n", "gemma3n_text", "gemma4", "gemma4_text", "recurrent_gemma"],
    names: /^(gemma-?(3n|4)|recurrentgemma)/,
    lacks: "parts that other Gemmas do not have",
  },
  { called: "Gemma", modelTypes: [], names: /^(med)?gemma/, id: "google/gemma-2-2b" },
  { called: "Phi 3", modelTypes: [], names: /^phi-?[34]/, id: "microsoft/Phi-3-mini-4k-instruct" },
  { called: "Phi", modelTypes: [], names: /^phi-/, id: "microsoft/phi-2" },
  { called: "BLOOM", modelTypes: [], names: /^bloom/, id: "bigscience/bloom-560m" },
  { called: "GPTBigCode", modelTypes: [], names: /^santacoder/, id: "bigcode/gpt_bigcode-santacoder" },
  { called: "Apertus", modelTypes: [], names: /^apertus/, id: "swiss-ai/Apertus-8B-2509" },
  { called: "gpt-oss", modelTypes: [], names: /^gpt-oss/, id: "openai/gpt-oss-20b" },
  { called: "OLMoE", modelTypes: [], names: /^olmoe/, id: "allenai/OLMoE-1B-7B-0924" },
  { called: "OLMo", modelTypes: [], names: /^olmo/, id: "allenai/OLMo-2-0425-1B" },
  { called: "Falcon", modelTypes: [], names: /^falcon/, id: "tiiuae/falcon-rw-1b" },
  { called: "MPT", modelTypes: [], names: /^mpt-/, id: "mosaicml/mpt-7b" },
  { called: "StableLM", modelTypes: [], names: /^stablelm/, id: "stabilityai/stablelm-3b-4e1t" },
  { called: "Starcoder 2", modelTypes: [], names: /^starcoder/, id: "bigcode/starcoder2-3b" },
  { called: "Cohere", modelTypes: [], names: /^(c4ai-|command-r)/, id: "CohereForAI/c4ai-command-r-v01" },
  { called: "Granite", modelTypes: [], names: /^granite/, id: "ibm-granite/granite-3.3-2b-base" },
  { called: "CodeGen", modelTypes: [], names: /^codegen/, id: "Salesforce/codegen-350M-mono" },
  { called: "XGLM", modelTypes: [], names: /^xglm/, id: "facebook/xglm-564M" },
  {
    called: "Mamba",
    modelTypes: ["mamba", "mamba2"],
    names: /^mamba/,
    lacks: "state-space layers (it is not a transformer)",
  },
  {
    called: "DistilBERT, RoBERTa, ALBERT or ELECTRA",
    modelTypes: ["distilbert", "roberta", "xlm-roberta", "albert", "electra"],
    names: /^((distil|al)bert|(xlm-)?roberta|electra)/,
    lacks: "a reader for its files, which differ from BERT's",
  },
  { called: "BERT", modelTypes: [], names: /^bert/, id: "google-bert/bert-base-cased" },
  { called: "mT5 or UMT5", modelTypes: ["mt5", "umt5"], names: /^u?mt5/, lacks: "a reader for its files" },
  { called: "T5", modelTypes: [], names: /^(t5|flan-t5)/, id: "google-t5/t5-small" },
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
export function refuseKnownName(name: string): void {
  const architecture = architectureOf(name);
  if (architecture) throw refusal(`"${name.trim()}"`, name, architecture);
}

/** As `refuseKnownName`, but passes for an architecture that opens by the ids of its models. */
export function refuseLacking(id: string): void {
  const architecture = architectureOf(id);
  if (architecture?.lacks !== undefined) throw refusal(`"${id}"`, id, architecture);
}

function architectureOf(name: string): Architecture | undefined {
  const short = name.trim().split("/").at(-1)!.toLowerCase();
  return ARCHITECTURES.find(({ names }) => new RegExp(names.source, "i").test(short));
}

/** Words that name an architecture, and that `refuseKnownName` answers: a misspelt name may be near one of them. */
export const ARCHITECTURE_NAMES: readonly string[] = ARCHITECTURES.flatMap(({ called }) =>
  called.toLowerCase().split(/[ ,()]+/),
).filter((word) => architectureOf(word));

/** As `refuseKnownName`, by the `model_type` of a `config.json`. */
export function refuseKnownType(modelType: string, repoName: string): void {
  const architecture = ARCHITECTURES.find(({ modelTypes }) => modelTypes.includes(modelType));
  if (architecture) throw refusal(`${repoName} ("${modelType}")`, modelType, architecture);
}

/**
 * For an architecture that nothing here knows: the closest of those that are supported, or all of them.
 * @param what what has it, to start a sentence: "org/name is a model"
 */
export function notSupported(what: string, asked: string, supported: readonly string[]): ConfigError {
  const names = [...supported].sort();
  const near = nearest(asked, names);
  return new ConfigError(
    `${what} of the architecture ${shown(asked)}, which is not supported. ${near ? `Did you mean "${near}"?` : `Supported: ${names.join(", ")}.`}`,
    { asked, found: names, nearest: near },
  );
}

function refusal(what: string, asked: string, { called, lacks, id }: Architecture): ConfigError {
  const why = id
    ? `which opens by its id on the hub, such as "${id}", or from a folder.`
    : `which is known but cannot be opened yet: it needs ${lacks}. \`glassformer models\` lists models that open.`;
  return new ConfigError(`${what} is a model of the ${called} architecture, ${why}`, {
    asked,
    nearest: id,
  });
}
