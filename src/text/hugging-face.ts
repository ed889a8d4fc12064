/**
 * The parts of `@huggingface/tokenizers` that we use. Its type declarations import one another without file extensions,
 * which TypeScript does not follow for ESM packages, so the few members we rely on are written down here.
 */
import * as library from "@huggingface/tokenizers";

/** Splits a text into the words that BPE works on; a function as well as an object. */
export type PreTokenizer = (text: string, options?: { section_index?: number }) => string[];

/** Words to tokens, as strings. */
export interface Model {
  (words: string[]): string[];
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  readonly vocab: readonly (string | undefined)[];
  readonly unk_token_id?: number | undefined;
}

/** The parts that a `tokenizer.json` describes, built. */
export interface Parts {
  readonly normalizer: ((text: string) => string) | null;
  readonly pre_tokenizer: PreTokenizer | null;
  readonly model: Model;
  readonly decoder: ((tokens: string[]) => string) | null;
}

interface Library {
  readonly Tokenizer: new (tokenizerJson: object, config: object) => Parts;
  readonly SequencePreTokenizer: Class<PreTokenizer & { readonly tokenizers: readonly (PreTokenizer | null)[] }>;
  readonly ByteLevelPreTokenizer: Class<PreTokenizer & { pattern: RegExp }>;
  readonly DigitsPreTokenizer: Class<PreTokenizer & { pattern: RegExp; config: { individual_digits?: boolean } }>;
}
type Class<T> = new (...config: never[]) => T;

export const { Tokenizer, SequencePreTokenizer, ByteLevelPreTokenizer, DigitsPreTokenizer } =
  library as unknown as Library;
