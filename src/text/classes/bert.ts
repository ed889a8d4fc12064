/** BERT's class: words, cleaned and perhaps in lower case, as WordPiece. Source: transformers 5.18. */
import type { TokenizerClass } from "./tokenizer-class.ts";

export const BERT: TokenizerClass = {
  usual: { unk: "[UNK]", sep: "[SEP]", pad: "[PAD]", cls: "[CLS]", mask: "[MASK]" },
  pipeline: ({ lowercase, stripAccents, chinese, unknown = "[UNK]" }) => ({
    model: {
      type: "WordPiece",
      unk_token: unknown,
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
    },
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: chinese,
      strip_accents: stripAccents ?? null,
      lowercase,
    },
    preTokenizer: { type: "BertPreTokenizer" },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
  }),
  around: { before: ["cls"], after: ["sep"] },
};
