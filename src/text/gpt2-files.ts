/** Converts GPT-2's older pair of files, `vocab.json` and `merges.txt`, to the equivalent `tokenizer.json`. */
import type { Fields } from "./component.ts";

/** The content of a `tokenizer.json`, read like transformers' GPT2Tokenizer, with `<|endoftext|>` as the special token. */
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
