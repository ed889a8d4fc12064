/** Normalizers that insert, remove or replace: Prepend, Strip, StripAccents, Replace, ByteLevel. */
import { byteLevelSpelling } from "../byte-level.ts";
import type { Component } from "../component.ts";
import { patternOf, substituted } from "../pattern.ts";
import { isCombiningMark, isWhiteSpace } from "../unicode/classes.ts";
import { byCharacter, type Normalizer, without } from "./normalizer.ts";

export function prepend(component: Component): Normalizer {
  const text = component.text("prepend");
  if (text === "") {
    throw component.refused("prepend", text, "some text (with none, Hugging Face's library loses track of the text)");
  }
  return {
    apply: (given) => (given === "" ? "" : text + given),
    leading: (_, leading) => (leading === 0 ? 0 : text.length + leading),
  };
}

/** The positions between which a text has no white space at the chosen ends. */
export function stripped(text: string, left: boolean, right: boolean): { start: number; end: number } {
  let start = 0;
  let end = text.length;
  // All white space is below U+10000.
  while (left && start < end && isWhiteSpace(text.charCodeAt(start))) start++;
  while (right && end > start && isWhiteSpace(text.charCodeAt(end - 1))) end--;
  return { start, end };
}

export function strip(component: Component): Normalizer {
  const left = component.flag("strip_left");
  const right = component.flag("strip_right");
  return {
    apply: (text) => {
      const { start, end } = stripped(text, left, right);
      return text.slice(start, end);
    },
    leading: (text, leading) => {
      const { start, end } = stripped(text, left, right);
      return Math.max(0, Math.min(leading, end) - start);
    },
  };
}

export const STRIP_ACCENTS = byCharacter((text) => without(text, isCombiningMark));
export const BYTE_LEVEL = byCharacter(byteLevelSpelling);

export function replace(component: Component): Normalizer {
  const find = patternOf(component, false);
  const content = component.text("content");
  return {
    apply: (text) => substituted(text, find(text), content),
    // Inserted text belongs to the last character that it replaces.
    leading: (text, leading) => {
      const found = find(text);
      let count = 0;
      let at = 0;
      for (let i = 0; i < found.length && at < leading; i += 2) {
        count += Math.min(found[i], leading) - at;
        if (found[i + 1] <= leading) count += content.length;
        at = found[i + 1];
      }
      if (at < leading) count += leading - at;
      return count;
    },
  };
}
