/** Byte pair encoding. Source: Sennrich et al. 2016; the order of merges is that of Hugging Face's library. */
import { FileFormatError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import type { Component } from "../component.ts";
import { PairTable } from "../pair-table.ts";
import { type Merges, mergeAll } from "./merging.ts";
import { byteTokens, type Model, unknownRefused } from "./model.ts";
import { type Vocabulary, vocabularyOf } from "./vocabulary.ts";
import { wordByWord } from "./words-apart.ts";

export function bpe(component: Component): Model {
  const dropout = component.value("dropout") ?? 0;
  if (dropout !== 0) {
    throw component.refused("dropout", dropout, "0 or null, because dropout gives a text different tokens each time");
  }
  const unknown = component.textOrNull("unk_token");
  const prefix = component.textOrNull("continuing_subword_prefix") ?? "";
  const suffix = component.textOrNull("end_of_word_suffix") ?? "";
  const fuses = component.flagOrNull("fuse_unk") ?? false;
  const bytes = component.flagOrNull("byte_fallback") ?? false;
  const wholeWords = component.flagOrNull("ignore_merges") ?? false;
  const vocabulary = vocabularyOf(component);
  const merges = mergesOf(component, vocabulary, prefix);
  const place = (token: string) => vocabulary.placeOf(token);

  /** The positions of a word's characters. */
  const characters = (word: string): number[] => {
    const places: number[] = [];
    let pendingUnknown = false;
    for (let at = 0; at < word.length; ) {
      const next = at + (word.codePointAt(at)! > 0xffff ? 2 : 1);
      let char = word.slice(at, next);
      if (at > 0) char = prefix + char;
      if (next === word.length) char += suffix;
      at = next;
      const found = place(char);
      if (found !== undefined) {
        pendingUnknown = false;
        places.push(found);
        continue;
      }
      const spelled = bytes ? byteTokens(char, place) : undefined;
      if (spelled) {
        // A preceding unknown stays open, and comes after these bytes, as in the library.
        if (pendingUnknown) hold(places, spelled);
        else places.push(...spelled);
        continue;
      }
      if (unknown === null) continue;
      const unknownPlace = place(unknown);
      if (unknownPlace === undefined) throw unknownRefused(char, unknown);
      if (!(pendingUnknown && fuses)) places.push(unknownPlace);
      pendingUnknown = true;
    }
    return places;
  };

  const merged = (text: string) => mergeAll(characters(text), merges).map((p) => vocabulary.ids[p]);
  const sentencepiece = place("▁") !== undefined && prefix === "" && suffix === "";
  const ofText = sentencepiece
    ? wordByWord(
        merges.results.map((p) => vocabulary.tokens[p]),
        merged,
      )
    : merged;
  const idsOf = (word: string): readonly number[] => {
    if (wholeWords) {
      const whole = vocabulary.idOf(word);
      if (whole !== undefined) return [whole];
    }
    return ofText(word);
  };
  return { vocabulary, idsOf };
}

/** Inserts tokens before the last one. */
function hold(places: number[], before: readonly number[]): void {
  const last = places.pop()!;
  places.push(...before, last);
}

/** The `merges`: pairs, or lines with a space between the two. */
function mergesOf(component: Component, vocabulary: Vocabulary, prefix: string): Merges {
  const list = component.list("merges");
  const lines = list.length > 0 && typeof list[0] === "string";
  const pairs = new PairTable();
  const results: number[] = [];
  const found = (token: string, i: number): number => {
    const at = vocabulary.placeOf(token);
    if (at !== undefined) return at;
    throw new FileFormatError(
      `"${component.path}.merges[${i}]" of the tokenizer.json needs the token ${shown(token)}, which the vocabulary lacks.`,
      { asked: token },
    );
  };
  list.forEach((merge, i) => {
    if (lines && typeof merge === "string" && merge.startsWith("#version")) return;
    const pair = lines && typeof merge === "string" ? merge.split(" ") : lines ? [] : merge;
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string" || typeof pair[1] !== "string") {
      throw component.refused(`merges[${i}]`, merge, lines ? "two tokens separated by one space" : "a pair of tokens");
    }
    const [left, right] = pair as [string, string];
    const [a, b] = [found(left, i), found(right, i)];
    const rank = results.push(found(left + withoutPrefix(right, prefix), i)) - 1;
    pairs.set(a, b, rank);
  });
  return { pairs, results };
}

/** The library cuts off as many bytes as the prefix has, whatever they are. */
function withoutPrefix(token: string, prefix: string): string {
  if (token.startsWith(prefix)) return token.slice(prefix.length);
  const bytes = new TextEncoder().encode(token).subarray(new TextEncoder().encode(prefix).length);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
