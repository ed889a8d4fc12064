/** sentencepiece's spaces: each becomes "▁", and a word begins with one. */
import type { Component } from "../component.ts";
import { literally } from "../pattern.ts";
import { cutAt } from "../splitting.ts";
import { emitPieces, type PreTokenizer } from "./pre-tokenizer.ts";

const SCHEMES = ["first", "never", "always"] as const;

export interface MetaspaceFields {
  readonly replacement: string;
  readonly scheme: (typeof SCHEMES)[number];
  readonly split: boolean;
}

/** The fields of a Metaspace, whether pre-tokenizer or decoder. */
export function readMetaspace(component: Component): MetaspaceFields {
  const replacement = component.character("replacement");
  const scheme = component.oneOf("prepend_scheme", SCHEMES, "always");
  const split = component.flagOrNull("split") ?? true;
  component.textOrNull("str_rep");
  // The older name of the option; it must not contradict the new one.
  if (component.flagOrNull("add_prefix_space") === false && scheme !== "never") {
    throw component.refused("add_prefix_space", false, `true if prepend_scheme is "${scheme}"`);
  }
  return { replacement, scheme, split };
}

export function metaspace(component: Component): PreTokenizer {
  const { replacement, scheme, split } = readMetaspace(component);
  const find = literally(replacement);
  return (given, first, emit) => {
    let text = given.split(" ").join(replacement);
    let leading = first === 0 ? 0 : given.slice(0, first).split(" ").join(replacement).length;
    if (scheme !== "never" && !text.startsWith(replacement) && (scheme === "always" || first > 0)) {
      text = replacement + text;
      if (leading > 0) leading += replacement.length;
    }
    if (!split) emit(text, leading);
    else emitPieces(text, leading, cutAt(text.length, find(text), "MergedWithNext"), emit);
  };
}
