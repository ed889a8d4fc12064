/** A tokenizer whose tokens are words, for models of random weights: as many as the vocabulary has, all others unknown. */
import { Tokenizer } from "../../src/node.ts";

export const END = "<|endoftext|>";
const UNKNOWN = "<unk>";
const MASK = "[MASK]";
const WORDS =
  "The lady gentleman was so tired that she he Mary John Tom James When and went to the store gave a book it of in".split(
    " ",
  );

/**
 * @param size of the vocabulary
 * @param masks whether its last word but one is a mask
 */
export function wordTokenizer(size: number, masks = false): Tokenizer {
  const words = [UNKNOWN, ...WORDS];
  const last = masks ? [MASK, END] : [END];
  const pieces = [...words, ...Array.from({ length: size - words.length - last.length }, (_, i) => `w${i}`), ...last];
  const special = { special: true, single_word: false, lstrip: false, rstrip: false, normalized: false };
  return Tokenizer.fromJson(
    {
      version: "1.0",
      normalizer: null,
      pre_tokenizer: { type: "Whitespace" },
      post_processor: null,
      decoder: null,
      added_tokens: last.map((content, i) => ({ id: size - last.length + i, content, ...special })),
      model: { type: "WordLevel", vocab: Object.fromEntries(pieces.map((p, i) => [p, i])), unk_token: UNKNOWN },
    },
    { bos_token: END, eos_token: END, pad_token: END },
  );
}
