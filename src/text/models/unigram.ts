/** sentencepiece's unigram model: the tokens of a word with the highest sum of scores. Source: Kudo 2018. */
import { FileFormatError } from "../../tensor/errors.ts";
import type { Component } from "../component.ts";
import { Trie } from "../trie.ts";
import { isWellFormed } from "../well-formed.ts";
import { byteTokens, type Model, unknownRefused } from "./model.ts";
import { Vocabulary } from "./vocabulary.ts";
import { wordByWord } from "./words-apart.ts";

/** How much worse an unknown character is than the worst token. */
const UNKNOWN_PENALTY = 10;

export function unigram(component: Component): Model {
  const tokens: string[] = [];
  const scores: number[] = [];
  component.list("vocab").forEach((entry, i) => {
    const pair = Array.isArray(entry) && entry.length === 2 ? entry : [];
    const [token, score] = pair as unknown[];
    if (typeof token !== "string" || !isWellFormed(token) || typeof score !== "number" || !Number.isFinite(score)) {
      throw component.refused(`vocab[${i}]`, entry, "a token with its score");
    }
    tokens.push(token);
    scores.push(score);
  });
  const unknown = component.countOrNull("unk_id");
  if (unknown !== null && unknown >= tokens.length) {
    throw new FileFormatError(
      `"${component.path}.unk_id" of the tokenizer.json is ${unknown}, but the vocabulary has ${tokens.length} tokens.`,
      { asked: unknown, found: tokens.length },
    );
  }
  const bytes = component.flag("byte_fallback", false);
  const vocabulary = new Vocabulary(
    tokens,
    tokens.map((_, place) => place),
  );
  const trie = new Trie();
  for (let place = 0; place < tokens.length; place++) trie.add(tokens[place], place);
  const unknownScore = scores.reduce((least, score) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;

  /** The ends of the best tokens, from the last to the first, each with the index of its token. */
  const best = (word: string): { readonly from: Int32Array; readonly place: Int32Array } => {
    const from = new Int32Array(word.length + 1).fill(-1);
    const place = new Int32Array(word.length + 1);
    const score = new Float64Array(word.length + 1);
    for (let at = 0; at < word.length; ) {
      const next = at + (word.codePointAt(at)! > 0xffff ? 2 : 1);
      let alone = false;
      const consider = (end: number, token: number, own: number) => {
        const sum = own + score[at];
        if (from[end] >= 0 && !(sum > score[end])) return;
        score[end] = sum;
        from[end] = at;
        place[end] = token;
      };
      trie.each(word, at, (end, token) => {
        consider(end, token, scores[token]);
        if (end === next) alone = true;
      });
      if (!alone && (from[next] < 0 || unknownScore + score[at] > score[next])) {
        if (unknown === null) throw unknownRefused(word.slice(at, next), null);
        consider(next, unknown, unknownScore);
      }
      at = next;
    }
    return { from, place };
  };

  const idsOf = (word: string): number[] => {
    const { from, place } = best(word);
    const ids: number[] = [];
    const push = (text: string) => {
      const known = vocabulary.placeOf(text);
      if (known !== undefined) {
        ids.push(known);
        return;
      }
      const spelled = bytes ? byteTokens(text, (token) => vocabulary.placeOf(token)) : undefined;
      if (spelled) for (let i = spelled.length - 1; i >= 0; i--) ids.push(spelled[i]);
      else if (unknown === null) throw unknownRefused(text, null);
      else ids.push(unknown);
    };
    // From the end; neighbouring unknowns are merged.
    for (let end = word.length; end > 0; ) {
      let start = from[end];
      if (place[end] === unknown) while (start > 0 && place[start] === unknown) start = from[start];
      push(word.slice(start, end));
      end = start;
    }
    return ids.reverse();
  };
  return { vocabulary, idsOf: vocabulary.placeOf("▁") === undefined ? idsOf : wordByWord(tokens, idsOf) };
}
