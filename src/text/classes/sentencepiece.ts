/** The classes whose vocabulary comes from SentencePiece. Source: transformers 5.18. */
import { inSequence, type Pipeline, REPLACED_SPACES, type TokenizerClass } from "./tokenizer-class.ts";

const SPACES_AGAIN = { type: "Replace", pattern: { String: "▁" }, content: " " };
const WITHOUT_FIRST_SPACE = { type: "Strip", content: " ", start: 1, stop: 0 };

/** BPE whose bytes are tokens such as `<0x0A>`. */
export const bpeOfBytes = (unk_token: string | null, byte_fallback = true) => ({
  type: "BPE",
  dropout: null,
  unk_token,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: true,
  byte_fallback,
  ignore_merges: false,
});

export const unigramOf = (unk_id: number, byte_fallback = false) => ({ type: "Unigram", unk_id, byte_fallback });

/** Tokens to text; without the space that was put before it. */
export const spacedDecoder = (prefixed: boolean) =>
  inSequence("decoders", [
    SPACES_AGAIN,
    { type: "ByteFallback" },
    { type: "Fuse" },
    ...(prefixed ? [WITHOUT_FIRST_SPACE] : []),
  ]);

const metaspace = (prepend_scheme: string, split = true) => ({
  type: "Metaspace",
  replacement: "▁",
  prepend_scheme,
  split,
});

export const precompiledOf = (charsmap: string | undefined) =>
  charsmap ? [{ type: "Precompiled", precompiled_charsmap: charsmap }] : [];

/** Unigram's words: each begins with "▁". */
const words = (scheme: string) => inSequence("pretokenizers", [{ type: "WhitespaceSplit" }, metaspace(scheme)]);

function llama(addPrefixSpace: boolean, everywhere: boolean, unknown: string | null): Pipeline {
  const scheme = !addPrefixSpace ? "never" : everywhere ? "always" : "first";
  return {
    model: bpeOfBytes(unknown),
    normalizer: null,
    preTokenizer: metaspace(scheme, false),
    decoder: spacedDecoder(addPrefixSpace),
  };
}

export const LLAMA: TokenizerClass = {
  usual: { bos: "<s>", eos: "</s>", unk: "<unk>" },
  pipeline: ({ addPrefixSpace = true, legacy }) => llama(addPrefixSpace, legacy, null),
  addsBos: true,
};

export const CODE_LLAMA: TokenizerClass = {
  ...LLAMA,
  pipeline: ({ addPrefixSpace = true, unknown = "<unk>" }) => ({
    ...llama(addPrefixSpace, false, unknown),
    decoder: spacedDecoder(true),
  }),
};

export const GEMMA: TokenizerClass = {
  usual: { bos: "<bos>", eos: "<eos>", unk: "<unk>", pad: "<pad>", mask: "<mask>" },
  pipeline: ({ unknown = "<unk>" }) => ({
    model: bpeOfBytes(unknown),
    normalizer: REPLACED_SPACES,
    preTokenizer: { type: "Split", pattern: { String: " " }, behavior: "MergedWithPrevious", invert: false },
    decoder: spacedDecoder(false),
  }),
  addsBos: true,
};

export const T5: TokenizerClass = {
  usual: { eos: "</s>", unk: "<unk>", pad: "<pad>" },
  pipeline: (_, charsmap) => ({
    model: unigramOf(2),
    normalizer: inSequence("normalizers", precompiledOf(charsmap)),
    preTokenizer: words("always"),
    decoder: metaspace("always"),
  }),
  around: { before: [], after: ["eos"] },
};

const FAIRSEQ = {
  bos: "<s>",
  eos: "</s>",
  unk: "<unk>",
  sep: "</s>",
  pad: "<pad>",
  cls: "<s>",
} as const;

export const XGLM: TokenizerClass = {
  usual: FAIRSEQ,
  pipeline: ({ addPrefixSpace = true }, charsmap) => ({
    model: unigramOf(3),
    normalizer: inSequence("normalizers", [
      ...precompiledOf(charsmap),
      { type: "Replace", pattern: { Regex: " {2,}" }, content: " " },
    ]),
    preTokenizer: metaspace(addPrefixSpace ? "always" : "never"),
    decoder: metaspace(addPrefixSpace ? "always" : "never"),
  }),
  around: { before: ["eos"], after: [] },
};

export const XLM_ROBERTA: TokenizerClass = {
  usual: { ...FAIRSEQ, mask: "<mask>" },
  pipeline: ({ addPrefixSpace = true }, charsmap) => ({
    model: unigramOf(3),
    normalizer: inSequence("normalizers", precompiledOf(charsmap)),
    preTokenizer: words(addPrefixSpace ? "always" : "never"),
    decoder: metaspace(addPrefixSpace ? "always" : "never"),
  }),
  around: { before: ["bos"], after: ["eos"] },
};
