/** GPT-2's pre-tokenizer: words with the space before them, then each byte as its character. */
import { byteLevelSpelling } from "../byte-level.ts";
import type { Component } from "../component.ts";
import { Regex } from "../regex/regex.ts";
import { cutAt } from "../splitting.ts";
import { emitPieces, type PreTokenizer } from "./pre-tokenizer.ts";

/** GPT-2's pattern: contractions, then words, numbers and symbols with one space before them, then white space. */
export const GPT2_WORDS = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

let gpt2: Regex | undefined;

/** The alternating starts and ends of the words into which GPT-2 splits a text, which cover all of it. */
export function gpt2Words(text: string): number[] {
  gpt2 ??= new Regex(GPT2_WORDS);
  return gpt2.findAll(text);
}

export function byteLevel(component: Component): PreTokenizer {
  const prefix = component.flag("add_prefix_space");
  const words = component.flag("use_regex", true);
  component.flag("trim_offsets");
  return (given, first, emit) => {
    const prefixed = prefix && !given.startsWith(" ");
    const text = prefixed ? ` ${given}` : given;
    const leading = prefixed && first > 0 ? first + 1 : first;
    const spelled = (piece: string, from: number) =>
      emit(byteLevelSpelling(piece), from === 0 ? 0 : byteLevelSpelling(piece.slice(0, from)).length);
    if (!words) spelled(text, leading);
    else emitPieces(text, leading, cutAt(text.length, gpt2Words(text), "Isolated"), spelled);
  };
}
