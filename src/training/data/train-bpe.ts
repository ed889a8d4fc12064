/** A byte-level BPE tokenizer from text. Source: Sennrich et al. 2016; GPT-2; `BpeTrainer` of huggingface/tokenizers. */
import { ArgumentError, InputError } from "../../tensor/errors.ts";
import { ANYTHING, FLAG, listOf, NOT_NEGATIVE_WHOLE, TEXT } from "../../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../../tensor/options.ts";
import { shown } from "../../tensor/show.ts";
import { tokenOfBytes } from "../../text/byte-level.ts";
import { gpt2Words } from "../../text/pre-tokenizers/byte-level.ts";
import { requireCount } from "./batches.ts";
import { Heap } from "./heap.ts";
import { textsIn } from "./require-text.ts";

/** The settings of the tokenizer. */
export interface TrainBpeOptions {
  /** The total number of tokens: special ones, the 256 bytes, and one for each merge. */
  readonly vocabSize: number;
  /** They get the first ids. Default, as in the bundled model: `<|EOS|>`, `<|BOS|>`, `<|PAD|>`. */
  readonly specialTokens?: readonly string[] | undefined;
  /** A pair that occurs less often is not merged. Default 2. */
  readonly minFrequency?: number | undefined;
  /** Whether each digit is a separate token. Default true. */
  readonly individualDigits?: boolean | undefined;
}

const KINDS: OptionKinds<TrainBpeOptions> = {
  vocabSize: ANYTHING,
  specialTokens: listOf(TEXT, "texts"),
  minFrequency: NOT_NEGATIVE_WHOLE,
  individualDigits: FLAG,
};

/** A word of the text, as tokens, and how often it occurs. */
interface Word {
  readonly tokens: number[];
  readonly count: number;
}

/** A pair of neighbouring tokens, its count, and the words that may contain it. */
interface Pair {
  readonly left: number;
  readonly right: number;
  readonly count: number;
}

/**
 * The content of a `tokenizer.json` that `Tokenizer.fromJson` reads. The text is split into words as GPT-2 does; then, until
 * there are `vocabSize` tokens, the pair of neighbouring tokens that occurs most often becomes a token (of equally frequent
 * pairs, the one with the smaller ids). The same text and options give the same merges as Hugging Face's trainer.
 * @throws ArgumentError for a vocabulary too small for the bytes, InputError for a text without words.
 */
export function trainBpe(text: string | Iterable<string>, options: TrainBpeOptions): Record<string, unknown> {
  checkOptions("trainBpe", options, KINDS);
  const { vocabSize, minFrequency = 2, individualDigits = true } = options;
  const specialTokens = options.specialTokens ?? ["<|EOS|>", "<|BOS|>", "<|PAD|>"];
  const bytes = Array.from({ length: 256 }, (_, byte) => tokenOfBytes(Uint8Array.of(byte))).sort();
  const vocabulary = [...specialTokens, ...bytes];
  const twice = specialTokens.find(
    (token, i) =>
      token === "" || vocabulary.indexOf(token) !== vocabulary.lastIndexOf(token) || specialTokens.indexOf(token) !== i,
  );
  if (twice !== undefined) {
    throw new ArgumentError(
      `The special token ${shown(twice)} is empty, a duplicate, or the token of a byte: give each one its own text.`,
      {
        asked: twice,
      },
    );
  }
  if (requireCount("vocabSize", vocabSize) < vocabulary.length) {
    throw new ArgumentError(
      `A vocabulary of ${vocabSize} tokens has no room for the 256 bytes and ${specialTokens.length} special tokens: give at least ${vocabulary.length}.`,
      { asked: vocabSize, found: vocabulary.length },
    );
  }
  const ids = new Map(vocabulary.map((token, id) => [token, id]));
  const words = [...countWords(text, individualDigits)].map(
    ([word, count]): Word => ({ tokens: Array.from(word, (char) => ids.get(char)!), count }),
  );
  if (words.length === 0) throw new InputError("There is no text to make a tokenizer from.", { found: 0 });

  const merges: [string, string][] = [];
  mergePairs(words, minFrequency, (left, right) => {
    if (vocabulary.length >= vocabSize) return undefined;
    const [a, b] = [vocabulary[left], vocabulary[right]];
    merges.push([a, b]);
    if (!ids.has(a + b)) ids.set(a + b, vocabulary.push(a + b) - 1);
    return ids.get(a + b);
  });
  return tokenizerJson(vocabulary, merges, specialTokens, individualDigits);
}

/** How often each word occurs, each byte written as its character. */
function countWords(text: string | Iterable<string>, individualDigits: boolean): Map<string, number> {
  const encoder = new TextEncoder();
  const counts = new Map<string, number>();
  for (const one of textsIn(text, "trainBpe")) {
    for (const piece of individualDigits ? (one.match(/\P{N}+|\p{N}/gu) ?? []) : [one]) {
      const bounds = gpt2Words(piece);
      for (let i = 0; i < bounds.length; i += 2) {
        const word = piece.slice(bounds[i], bounds[i + 1]);
        counts.set(word, (counts.get(word) ?? 0) + 1);
      }
    }
  }
  return new Map([...counts].map(([word, count]) => [tokenOfBytes(encoder.encode(word)), count]));
}

/** A pair as one number: ids are below 2^26. */
const keyOf = (left: number, right: number): number => left * 2 ** 26 + right;

/** Merges the most frequent pair in all words, then the next, into the tokens that `merge` returns, until it returns none. */
function mergePairs(
  words: readonly Word[],
  minFrequency: number,
  merge: (left: number, right: number) => number | undefined,
): void {
  const counts = new Map<number, number>();
  const places = new Map<number, Set<Word>>();
  const queue = new Heap<Pair>((a, b) => b.count - a.count || a.left - b.left || a.right - b.right);
  const change = (left: number, right: number, word: Word, by: number) => {
    const key = keyOf(left, right);
    counts.set(key, (counts.get(key) ?? 0) + by);
    if (by < 0) return;
    const inWords = places.get(key) ?? new Set<Word>();
    places.set(key, inWords.add(word));
  };
  const enqueue = (key: number) => {
    const count = counts.get(key)!;
    if (count > 0) queue.push({ left: Math.floor(key / 2 ** 26), right: key % 2 ** 26, count });
  };
  for (const word of words) {
    for (let i = 1; i < word.tokens.length; i++) change(word.tokens[i - 1], word.tokens[i], word, word.count);
  }
  for (const key of counts.keys()) enqueue(key);

  for (let pair = queue.pop(); pair; pair = queue.pop()) {
    const { left, right, count } = pair;
    const key = keyOf(left, right);
    if (count !== counts.get(key)) {
      // Merges have changed its count: it goes back into the queue.
      enqueue(key);
      continue;
    }
    if (count < Math.max(1, minFrequency)) return;
    const merged = merge(left, right);
    if (merged === undefined) return;
    const touched = new Set<number>();
    const added = (a: number, b: number, word: Word) => {
      change(a, b, word, word.count);
      touched.add(keyOf(a, b));
    };
    for (const word of places.get(key)!) {
      const { tokens } = word;
      // Rewritten from left to right, in place, because removing from a long word must not move the rest each time.
      let kept = 0;
      for (let i = 0; i < tokens.length; i++) {
        if (tokens[i] !== left || tokens[i + 1] !== right) {
          tokens[kept++] = tokens[i];
          continue;
        }
        if (kept > 0) {
          change(tokens[kept - 1], left, word, -word.count);
          added(tokens[kept - 1], merged, word);
        }
        if (i + 2 < tokens.length) {
          change(right, tokens[i + 2], word, -word.count);
          added(merged, tokens[i + 2], word);
        }
        tokens[kept++] = merged;
        i++;
      }
      tokens.length = kept;
    }
    counts.delete(key);
    places.delete(key);
    for (const changed of touched) enqueue(changed);
  }
}

function tokenizerJson(
  vocabulary: readonly string[],
  merges: readonly (readonly [string, string])[],
  specialTokens: readonly string[],
  individualDigits: boolean,
): Record<string, unknown> {
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({
      ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
    })),
    normalizer: null,
    pre_tokenizer: individualDigits
      ? { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, byteLevel] }
      : byteLevel,
    post_processor: null,
    decoder: { ...byteLevel, add_prefix_space: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
      merges,
    },
  };
}
