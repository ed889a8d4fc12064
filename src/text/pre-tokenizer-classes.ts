/**
 * `@huggingface/tokenizers` splits text with JavaScript's `\s` and `\d`, Hugging Face's own library with Unicode's White_Space
 * and Numeric: they differ at U+FEFF, U+0085, and at every digit that is not 0-9 ("²", "½", "٣"). This puts Unicode's
 * classes into the two pre-tokenizers that byte-level models use.
 */
import { ByteLevelPreTokenizer, DigitsPreTokenizer, type PreTokenizer, SequencePreTokenizer } from "./hugging-face.ts";

/** GPT-2's pattern: contractions, then words, numbers and symbols with one space before them, then white space. */
export const GPT2_WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Changes the given pre-tokenizer, and those inside it, to split by Unicode's classes. */
export function useUnicodeClasses(preTokenizer: PreTokenizer | null): void {
  if (preTokenizer instanceof SequencePreTokenizer) preTokenizer.tokenizers.forEach(useUnicodeClasses);
  if (preTokenizer instanceof ByteLevelPreTokenizer) preTokenizer.pattern = GPT2_WORDS;
  if (preTokenizer instanceof DigitsPreTokenizer) {
    preTokenizer.pattern = preTokenizer.config.individual_digits ? /\P{N}+|\p{N}/gu : /\P{N}+|\p{N}+/gu;
  }
}
