/** tokenizer.json and tokenizer_config.json, changed. Whatever loads must give ids of its vocabulary, and texts for them. */
import { Tokenizer } from "../../src/index.ts";
import { mutateJson } from "../mutate.ts";
import { outcomeOf } from "../outcome.ts";
import type { Target } from "../target.ts";
import { jsonOfFile } from "./files.ts";

const SPLIT = {
  type: "Split",
  pattern: { Regex: "\\p{L}+|\\p{N}{1,3}|\\s+(?!\\S)|[^\\s\\p{L}]+" },
  behavior: "Isolated",
  invert: false,
};
const pieces = ["[UNK]", "[CLS]", "[SEP]", "a", "b", "c", "ab", "##c", "▁", "▁a", "é", "<0x41>", " ", "1"];
const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
const added = [
  { id: 1, content: "[CLS]", special: true, single_word: false, lstrip: false, rstrip: true, normalized: false },
];
const frame = {
  type: "TemplateProcessing",
  single: [{ SpecialToken: { id: "[CLS]", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
  pair: [{ Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
  special_tokens: { "[CLS]": { id: "[CLS]", ids: [1], tokens: ["[CLS]"] } },
};
const of = (model: object, parts: object = {}) => ({
  version: "1.0",
  truncation: null,
  padding: null,
  added_tokens: added,
  normalizer: null,
  pre_tokenizer: null,
  post_processor: frame,
  decoder: null,
  model,
  ...parts,
});

/** One of each model, with parts of many kinds around it. */
const SMALL = [
  of(
    { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", max_input_chars_per_word: 100, vocab },
    {
      normalizer: {
        type: "BertNormalizer",
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: "BertPreTokenizer" },
      decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    },
  ),
  of(
    { type: "WordLevel", vocab, unk_token: "[UNK]" },
    {
      normalizer: {
        type: "Sequence",
        normalizers: [{ type: "NFKC" }, { type: "Strip", strip_left: true, strip_right: true }],
      },
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [
          { type: "WhitespaceSplit" },
          { type: "Punctuation", behavior: "Isolated" },
          { type: "Digits", individual_digits: true },
        ],
      },
    },
  ),
  of(
    { type: "Unigram", unk_id: 0, vocab: pieces.map((piece, i) => [piece, -i]), byte_fallback: true },
    {
      normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
      pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
      decoder: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
    },
  ),
  of(
    {
      type: "BPE",
      dropout: null,
      unk_token: "[UNK]",
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: true,
      ignore_merges: false,
      vocab,
      merges: [["a", "b"]],
    },
    { pre_tokenizer: SPLIT, decoder: { type: "Sequence", decoders: [{ type: "ByteFallback" }, { type: "Fuse" }] } },
  ),
];
const CONFIG = {
  tokenizer_class: "PreTrainedTokenizerFast",
  bos_token: "[CLS]",
  eos_token: "[SEP]",
  pad_token: { content: "[UNK]" },
  add_prefix_space: false,
};
const TEXTS = ["ab c", "", " ", "aé1 [CLS] b", "a".repeat(200), "\u0000\ud800 🙂▁", "A-b, c!"];

export const tokenizer: Target = {
  name: "tokenizer",
  description:
    "tokenizer files of each model; what loads gives ids of its vocabulary, the same ids twice, and texts for them",
  async prepare() {
    const bundled = jsonOfFile("models/solu-1l-novels/tokenizer.json");
    return (random) => {
      const original = random.chance(0.05) ? bundled : random.pick(SMALL);
      const json = random.chance(0.9) ? mutateJson(random, original) : original;
      const config = json === original || random.chance(0.2) ? mutateJson(random, CONFIG) : CONFIG;
      const text = random.pick(TEXTS);
      return outcomeOf(
        () => {
          const made = Tokenizer.fromJson(json, config);
          const ids = made.encode(text);
          return { made, ids, again: made.encode(text), back: made.decode(ids) };
        },
        ({ made, ids, again, back }) => {
          if (ids.join() !== again.join()) return `the same text gives [${ids}] and [${again}]`;
          if (typeof back !== "string") return `decode gives a ${typeof back}`;
          const bad = ids.find((id) => !Number.isSafeInteger(id) || id < 0 || made.idToToken(id) === undefined);
          if (bad !== undefined) return `${bad} is not an id of the vocabulary`;
          const special = [made.bosTokenId, made.eosTokenId, made.padTokenId].filter((id) => id !== undefined);
          return special.every((id) => Number.isSafeInteger(id) && id >= 0) ? undefined : `special ids [${special}]`;
        },
      );
    };
  },
};
