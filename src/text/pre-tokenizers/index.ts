/** The pre-tokenizers of Hugging Face's library, without UnicodeScripts. */
import { built, Component, isFields } from "../component.ts";
import { patternOf } from "../pattern.ts";
import { BEHAVIOURS, cutAt } from "../splitting.ts";
import { isNumeric, isPunctuation, isRustWord, isWhiteSpace } from "../unicode/classes.ts";
import { byteLevel } from "./byte-level.ts";
import { metaspace } from "./metaspace.ts";
import { atCharacters, emitPieces, inTurn, type PreTokenizer } from "./pre-tokenizer.ts";

export const PRE_TOKENIZERS: Readonly<Record<string, (component: Component) => PreTokenizer>> = {
  BertPreTokenizer: () => inTurn([atCharacters(isWhiteSpace, "Removed"), atCharacters(isPunctuation, "Isolated")]),
  ByteLevel: byteLevel,
  CharDelimiterSplit: (component) => {
    const delimiter = component.character("delimiter").codePointAt(0)!;
    return atCharacters((code) => code === delimiter, "Removed");
  },
  Digits: (component) => atCharacters(isNumeric, component.flag("individual_digits") ? "Isolated" : "Contiguous"),
  FixedLength: fixedLength,
  Metaspace: metaspace,
  Punctuation: (component) => atCharacters(isPunctuation, component.oneOf("behavior", BEHAVIOURS, "Isolated")),
  Sequence: (component) => inTurn(component.components("pretokenizers").map(make)),
  Split: split,
  Whitespace: () => words,
  WhitespaceSplit: () => atCharacters(isWhiteSpace, "Removed"),
};

const make = (component: Component): PreTokenizer => built(component, PRE_TOKENIZERS, "pre-tokenizer");

/**
 * The pre-tokenizer that a `tokenizer.json` describes; undefined if the whole text is one word.
 * @param prefixSpace overrides ByteLevel's `add_prefix_space`
 */
export function preTokenizerOf(json: unknown, prefixSpace?: boolean): PreTokenizer | undefined {
  if (json === null || json === undefined) return undefined;
  return make(new Component(prefixSpace === undefined ? json : withPrefixSpace(json, prefixSpace), "pre_tokenizer"));
}

function withPrefixSpace(json: unknown, add_prefix_space: boolean): unknown {
  if (!isFields(json)) return json;
  if (json.type === "ByteLevel") return { ...json, add_prefix_space };
  const inner = json.pretokenizers;
  if (json.type !== "Sequence" || !Array.isArray(inner)) return json;
  const pretokenizers = inner.map((one) =>
    isFields(one) && one.type === "ByteLevel" ? { ...one, add_prefix_space } : one,
  );
  return { ...json, pretokenizers };
}

function split(component: Component): PreTokenizer {
  const find = patternOf(component);
  const behaviour = component.oneOf("behavior", BEHAVIOURS);
  const invert = component.flag("invert");
  return (text, leading, emit) => emitPieces(text, leading, cutAt(text.length, find(text), behaviour, invert), emit);
}

function fixedLength(component: Component): PreTokenizer {
  const length = component.count("length", 5);
  if (length === 0) throw component.refused("length", length, "a positive whole number");
  return (text, leading, emit) => {
    const bounds: number[] = [];
    let start = 0;
    let count = 0;
    for (let at = 0; at < text.length; ) {
      at += text.codePointAt(at)! > 0xffff ? 2 : 1;
      if (++count === length || at === text.length) {
        bounds.push(start, at);
        start = at;
        count = 0;
      }
    }
    emitPieces(text, leading, bounds, emit);
  };
}

/** Runs of word characters and runs of others, without white space. */
function words(text: string, leading: number, emit: Parameters<PreTokenizer>[2]): void {
  const bounds: number[] = [];
  let kind = 0; // of the current run: 0 white space, 1 word, 2 other
  let start = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at)!;
    const now = isRustWord(code) ? 1 : isWhiteSpace(code) ? 0 : 2;
    if (now !== kind) {
      if (kind !== 0) bounds.push(start, at);
      kind = now;
      start = at;
    }
    at += code > 0xffff ? 2 : 1;
  }
  if (kind !== 0) bounds.push(start, text.length);
  emitPieces(text, leading, bounds, emit);
}
