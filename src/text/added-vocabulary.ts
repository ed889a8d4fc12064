/**
 * The tokens outside a model's vocabulary: BOS and EOS, runs of spaces. They are cut out of the text before
 * anything else processes it.
 *
 * Ids are assigned as in Hugging Face's own library (huggingface/tokenizers 0.23, `added_vocabulary.rs`): **the id
 * written in `added_tokens` is not used.** A token in the vocabulary has the vocabulary's id; the others are
 * numbered from the vocabulary's size on, in the file's order. Some published files (the "digits" tokenizer of
 * solu-1l) have other ids there, left over from the tokenizer that they were made from; those are outside the model's range.
 */
import { FileFormatError, InputError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import type { Vocabulary } from "./models/vocabulary.ts";
import type { AddedToken } from "./tokenizer-json.ts";
import { Trie } from "./trie.ts";
import { isRustWord, isWhiteSpace } from "./unicode/classes.ts";

/** A stretch `[start, end)` of a text, in UTF-16 units: an added token, or (id null) text for the model. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly id: number | null;
}

interface Entry {
  readonly token: AddedToken;
  readonly id: number;
  /** What is matched and what is decoded: the content, normalized if the token says so. */
  readonly form: string;
}

export class AddedVocabulary {
  readonly #byContent = new Map<string, Entry>();
  readonly #byId = new Map<number, Entry>();
  readonly #special = new Set<string>();
  readonly #asGiven: Matcher;
  readonly #normalized: Matcher;

  /**
   * @param tokens in the order in which they are added
   * @throws FileFormatError if two tokens are the same in normalized form, or one is empty: the library does not define this
   */
  constructor(tokens: readonly AddedToken[], vocabulary: Vocabulary, normalize: (text: string) => string) {
    let next = vocabulary.size;
    for (const token of tokens) {
      if (token.content === "") continue;
      const id = this.#byContent.get(token.content)?.id ?? vocabulary.idOf(token.content) ?? next++;
      const entry = { token, id, form: token.normalized ? normalize(token.content) : token.content };
      this.#byContent.set(token.content, entry);
      this.#byId.set(id, entry);
      if (token.special) this.#special.add(token.content);
    }
    const entries = [...this.#byId.values()];
    this.#asGiven = matcher(entries.filter((e) => !e.token.normalized));
    this.#normalized = matcher(entries.filter((e) => e.token.normalized));
  }

  /** Token strings and their ids. */
  *entries(): IterableIterator<[content: string, id: number]> {
    for (const [content, { id }] of this.#byContent) yield [content, id];
  }

  idOf(content: string): number | undefined {
    return this.#byContent.get(content)?.id;
  }

  tokenOf(id: number): string | undefined {
    return this.#byId.get(id)?.form;
  }

  /** Whether a decoded token is a special one. */
  isSpecial(token: string): boolean {
    return this.#special.has(token);
  }

  /** Splits the original text at the tokens that match it unnormalized. */
  splitGiven(text: string): Piece[] {
    return this.#asGiven(text);
  }

  /** Splits normalized text at the tokens that match in normalized form. */
  splitNormalized(text: string): Piece[] {
    return this.#normalized(text);
  }
}

type Matcher = (text: string) => Piece[];

/** Finds the leftmost token, the longest of those that start there, and continues after it. */
function matcher(entries: readonly Entry[]): Matcher {
  if (entries.length === 0) return (text) => (text === "" ? [] : [{ start: 0, end: text.length, id: null }]);
  const trie = new Trie();
  const forms = new Set<string>();
  entries.forEach(({ form, token }, i) => {
    if (form === "" || forms.has(form)) {
      throw new FileFormatError(
        `The added token ${shown(token.content)} of the tokenizer.json is ${form === "" ? "empty" : `${shown(form)}, like another one,`} in normalized form: Hugging Face's library cannot read such a file either. Set its "normalized" to false.`,
        { asked: token.content, found: form },
      );
    }
    forms.add(form);
    trie.add(form, i);
  });

  return (text) => {
    const pieces: Piece[] = [];
    let done = 0;
    let white = 0; // the end of the last examined white space
    for (let at = 0; at < text.length; ) {
      const found = trie.longest(text, at);
      if (!found) {
        at++;
        continue;
      }
      const { token, id } = entries[found.value];
      let start = at;
      let end = found.end;
      at = end;
      if (token.singleWord && (isWordBefore(text, start) || isWordAt(text, end))) continue;
      // White space is below U+10000, so each is one unit.
      if (token.lstrip) {
        while (start > done && isWhiteSpace(text.charCodeAt(start - 1))) start--;
        start = Math.max(start, done);
      }
      if (token.rstrip) {
        end = Math.max(end, white);
        while (end < text.length && isWhiteSpace(text.charCodeAt(end))) end++;
        white = end;
      }
      if (start > end) throw overlapping(token);
      if (done < start) pieces.push({ start: done, end: start, id: null });
      pieces.push({ start, end, id });
      done = end;
    }
    if (done < text.length) pieces.push({ start: done, end: text.length, id: null });
    return pieces;
  };
}

function isWordBefore(text: string, at: number): boolean {
  if (at === 0) return false;
  const low = text.charCodeAt(at - 1);
  return isRustWord(low >= 0xdc00 && low <= 0xdfff && at >= 2 ? text.codePointAt(at - 2)! : low);
}

function isWordAt(text: string, at: number): boolean {
  return at < text.length && isRustWord(text.codePointAt(at)!);
}

function overlapping(token: AddedToken): InputError {
  return new InputError(
    `The added token ${shown(token.content)} is inside the white space that another one includes: Hugging Face's library has no tokens for such a text. Remove the spaces.`,
    { asked: token.content },
  );
}
