/** GPT-2's older pair of files, `vocab.json` and `merges.txt`, as the `tokenizer.json` that they mean. */
import type { Fields } from "./component.ts";

/** The content of a `tokenizer.json`. As transformers' GPT2Tokenizer reads them, with `<|endoftext|>` as its special token. */
export function tokenizerJsonOfGpt2(vocab: Fields, merges: string): Fields {
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const content = "<|endoftext|>";
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return {
    version: "1.0",
    added_tokens: Object.hasOwn(vocab, content) ? [{ id: vocab[content], content, ...flags }] : [],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      vocab,
      merges: merges.split(/\r?\n/).filter((line) => line !== "" && !line.startsWith("#version")),
    },
  };
}
