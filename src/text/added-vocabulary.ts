/**
 * The tokens that stand beside a model's vocabulary: BOS and EOS, runs of spaces. They are cut out of the text before
 * anything else looks at it.
 *
 * Ids are given as Hugging Face's own library gives them (huggingface/tokenizers 0.23, `added_vocabulary.rs`): **the id
 * written in `added_tokens` is not used.** A token that the vocabulary holds has the vocabulary's id; the others are
 * numbered from the vocabulary's size on, in the file's order. Some published files (the "digits" tokenizer of
 * solu-1l) carry other ids there, left over from the tokenizer that they were made from; those fall outside the model.
 */
import type { AddedToken } from "./tokenizer-json.ts";

/** A stretch `[start, end)` of a text, in UTF-16 units: an added token, or (id null) text for the model. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly id: number | null;
}

interface Entry {
  readonly token: AddedToken;
  readonly id: number;
  /** What is matched, and what is decoded: the content, normalized if the token says so. */
  readonly form: string;
}

export class AddedVocabulary {
  readonly #byContent = new Map<string, Entry>();
  readonly #byId = new Map<number, Entry>();
  readonly #asGiven: Matcher;
  readonly #normalized: Matcher;

  constructor(
    tokens: readonly AddedToken[],
    vocabulary: ReadonlyMap<string, number>,
    normalize: (text: string) => string,
  ) {
    let next = vocabulary.size;
    for (const token of tokens) {
      if (token.content === "") continue;
      const id = this.#byContent.get(token.content)?.id ?? vocabulary.get(token.content) ?? next++;
      const entry = { token, id, form: token.normalized ? normalize(token.content) : token.content };
      this.#byContent.set(token.content, entry);
      this.#byId.set(id, entry);
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

  isSpecial(id: number): boolean {
    return this.#byId.get(id)?.token.special ?? false;
  }

  /** Cuts text as given at the tokens that match it as given. */
  splitGiven(text: string): Piece[] {
    return this.#asGiven(text);
  }

  /** Cuts normalized text at the tokens that match in normalized form. */
  splitNormalized(text: string): Piece[] {
    return this.#normalized(text);
  }
}

type Matcher = (text: string) => Piece[];

// What Rust's regex crate means by \w and \s; JavaScript's own are ASCII, and Unicode with U+FEFF and without U+0085.
const WORD = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]";
const STARTS_WITH_WORD = new RegExp(`^${WORD}`, "u");
const ENDS_WITH_WORD = new RegExp(`${WORD}$`, "u");
const SPACES_AT_START = /^\p{White_Space}*/u;
const SPACES_AT_END = /\p{White_Space}*$/u;

/** Finds the leftmost token, the longest of those that start there, and goes on behind it. */
function matcher(entries: readonly Entry[]): Matcher {
  const byForm = new Map(entries.filter((e) => e.form !== "").map((e) => [e.form, e]));
  if (byForm.size === 0) return (text) => (text === "" ? [] : [{ start: 0, end: text.length, id: null }]);
  // An alternation takes its first branch that matches, so longest first makes it the longest.
  const longestFirst = [...byForm.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(escapeForRegExp).join("|"), "gu");

  return (text) => {
    const pieces: Piece[] = [];
    let done = 0;
    for (const match of text.matchAll(pattern)) {
      const { token, id } = byForm.get(match[0])!;
      let start = match.index;
      let end = start + match[0].length;
      const before = text.slice(0, start);
      const after = text.slice(end);
      if (token.singleWord && (ENDS_WITH_WORD.test(before) || STARTS_WITH_WORD.test(after))) continue;
      if (token.lstrip) start = Math.max(done, SPACES_AT_END.exec(before)!.index);
      if (token.rstrip) end += SPACES_AT_START.exec(after)![0].length;
      if (done < start) pieces.push({ start: done, end: start, id: null });
      pieces.push({ start, end, id });
      done = end;
    }
    if (done < text.length) pieces.push({ start: done, end: text.length, id: null });
    return pieces;
  };
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
