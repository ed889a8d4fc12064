/**
 * How a byte-level tokenizer in a GGUF file splits a text into words, by the name that llama.cpp gives it
 * (`tokenizer.ggml.pre`). Source: the pre-tokenizers of llama.cpp, and of transformers 5.18 where it has them.
 */
import { QWEN2_WORDS } from "../classes/byte-level.ts";
import { GPT2_WORDS } from "../pre-tokenizers/byte-level.ts";

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
/** Llama 3's: numbers of up to three digits. */
const LLAMA3 = QWEN2_WORDS.replace(String.raw`|\p{N}|`, String.raw`|\p{N}{1,3}|`);
const CAPITALISED = String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+`;
const CAPITALS = String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*`;
const SIGNS = String.raw` ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const TEKKEN = String.raw`${CAPITALISED}|${CAPITALS}|\p{N}|${SIGNS}`;
const GPT4O = String.raw`${CAPITALISED}${CONTRACTIONS}?|${CAPITALS}${CONTRACTIONS}?|\p{N}{1,3}|${SIGNS}`;
const DIGIT = String.raw`\p{N}`;

/** The patterns, each applied to the pieces that the one before it left, and the names that they go by. */
const WAYS: readonly { readonly patterns: readonly string[]; readonly names: readonly string[] }[] = [
  { patterns: [GPT2_WORDS], names: ["gpt-2", "phi-2", "mpt", "olmo", "jais", "roberta-bpe", "jina-es", "jina-de"] },
  {
    patterns: [LLAMA3],
    names: [
      ...["llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano"],
      ...["dbrx", "smaug-bpe"],
    ],
  },
  { patterns: [QWEN2_WORDS], names: ["qwen2", "stablelm2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez"] },
  { patterns: [TEKKEN], names: ["tekken"] },
  { patterns: [GPT4O], names: ["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"] },
  {
    patterns: [DIGIT, GPT2_WORDS],
    names: ["starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b"],
  },
  {
    patterns: ["[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2_WORDS, "[0-9][0-9][0-9]"],
    names: ["falcon"],
  },
  { patterns: [String.raw` ?[^(\s|.,!?…。，、।۔،)]+`], names: ["bloom", "poro-chat", "gpt3-finnish"] },
];

/** Those whose words that are tokens stay whole. */
export const WHOLE_WORDS = ["llama3", "llama-v3", "llama-bpe", "falcon3", "pixtral", "tekken", "gpt-4o", "llama4"];

export const KNOWN_WORDS: readonly string[] = WAYS.flatMap(({ names }) => names);

/** The patterns of a name; undefined for an unknown one. */
export function wordPatterns(name: string): readonly string[] | undefined {
  return WAYS.find(({ names }) => names.includes(name))?.patterns;
}
