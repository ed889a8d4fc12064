/**
 * A byte-level tokenizer small enough to read. Its `added_tokens` contradict its vocabulary: "<|BOS|>" and "  " are in
 * the vocabulary under other ids, and "mask", "FOO" and "<x>" are not in it, under ids far outside.
 */
const added = (id: number, content: string, flags: object = {}) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: false,
  ...flags,
});

export const tinyVocabulary: Record<string, number> = {
  "<|BOS|>": 0,
  Ġ: 1,
  a: 2,
  b: 3,
  m: 4,
  s: 5,
  k: 6,
  f: 7,
  o: 8,
  ĠĠ: 9,
  ab: 10,
  Ġab: 11,
  "  ": 12,
  Ã: 13,
  "©": 14,
  "1": 15,
  Â: 16,
  "²": 17,
  ĠÂ: 18,
  "<": 19,
  x: 20,
  ">": 21,
};

export const tinyTokenizerJson = {
  version: "1.0",
  truncation: null,
  padding: null,
  added_tokens: [
    added(7, "<|BOS|>", { special: true }),
    added(90, "  "),
    added(1000, "mask", { single_word: true, lstrip: true, rstrip: true }),
    added(5, "FOO", { normalized: true }),
    added(3, "<x>", { special: true }),
  ],
  normalizer: { type: "Sequence", normalizers: [{ type: "NFC" }, { type: "Lowercase" }] },
  pre_tokenizer: {
    type: "Sequence",
    pretokenizers: [
      { type: "Digits", individual_digits: true },
      { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: true },
    ],
  },
  post_processor: {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "<|BOS|>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    pair: [{ Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
    special_tokens: { "<|BOS|>": { id: "<|BOS|>", ids: [0], tokens: ["<|BOS|>"] } },
  },
  decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: true },
  model: {
    type: "BPE",
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    vocab: tinyVocabulary,
    merges: ["Ġ Ġ", "a b", "Ġ ab", "Ġ Â"],
  },
};
