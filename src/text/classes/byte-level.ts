/** The classes with GPT-2's byte-level BPE: what differs is how a text is split into words. Source: transformers 5.18. */
import type { Pipeline, TokenizerClass } from "./tokenizer-class.ts";

const END = "<|endoftext|>";
const NFC = { type: "NFC" };
/** Qwen 2's words: digits one by one, and a word takes the sign before it. */
export const QWEN2_WORDS = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

const byteLevel = (add_prefix_space = false, use_regex = true) => ({
  type: "ByteLevel",
  add_prefix_space,
  trim_offsets: true,
  use_regex,
});

/** Byte-level BPE with GPT-2's words, or with those that a pattern finds. */
export function byteLevelPipeline(
  prefixSpace: boolean | undefined,
  { normalizer = null, first }: { readonly normalizer?: unknown; readonly first?: object } = {},
): Pipeline {
  const usesRegex = (first as { type?: string } | undefined)?.type !== "Split";
  const bytes = byteLevel(prefixSpace, usesRegex);
  return {
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: "",
      end_of_word_suffix: "",
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
    },
    normalizer,
    preTokenizer: first ? { type: "Sequence", pretokenizers: [first, bytes] } : bytes,
    decoder: byteLevel(),
  };
}

/** A pre-tokenizer that cuts out what a pattern finds. */
export const wordsOf = (pattern: string) => ({
  type: "Split",
  pattern: { Regex: pattern },
  behavior: "Isolated",
  invert: false,
});

export const GPT2: TokenizerClass = {
  usual: { bos: END, eos: END, unk: END },
  pipeline: ({ addPrefixSpace }) => byteLevelPipeline(addPrefixSpace),
};

export const ROBERTA: TokenizerClass = {
  usual: { bos: "<s>", eos: "</s>", unk: "<unk>", sep: "</s>", pad: "<pad>", cls: "<s>", mask: "<mask>" },
  pipeline: ({ addPrefixSpace }) => byteLevelPipeline(addPrefixSpace),
  around: { before: ["cls"], after: ["sep"] },
};

export const GPT_NEOX: TokenizerClass = {
  usual: { bos: END, eos: END, unk: END, pad: "<|padding|>" },
  pipeline: ({ addPrefixSpace }) => byteLevelPipeline(addPrefixSpace, { normalizer: NFC }),
};

export const QWEN2: TokenizerClass = {
  usual: { eos: END, unk: END, pad: END },
  pipeline: ({ addPrefixSpace }) => byteLevelPipeline(addPrefixSpace, { normalizer: NFC, first: wordsOf(QWEN2_WORDS) }),
};

export const COHERE: TokenizerClass = {
  usual: {
    bos: "<BOS_TOKEN>",
    eos: "<|END_OF_TURN_TOKEN|>",
    unk: "<UNK>",
    sep: "<SEP>",
    pad: "<PAD>",
    cls: "<CLS>",
    mask: "<MASK_TOKEN>",
  },
  pipeline: ({ addPrefixSpace }) =>
    byteLevelPipeline(addPrefixSpace, { normalizer: NFC, first: { type: "Digits", individual_digits: true } }),
};
