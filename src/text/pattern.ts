/** What Split and Replace look for: a string, or a regular expression. */
import type { Component } from "./component.ts";
import { isFields } from "./component.ts";
import { mayGrow } from "./growth.ts";
import { Regex } from "./regex/regex.ts";

/** The starts and ends, alternating, of the matches in a text. */
export type Finder = (text: string) => number[];

/**
 * The `pattern` of a component: `{"String": "-"}` or `{"Regex": "\\s+"}`.
 * @param mayBeEmpty whether it may match nothing, between two characters; refused otherwise
 */
export function patternOf(component: Component, mayBeEmpty = true): Finder {
  const pattern = component.object("pattern");
  const keys = isFields(pattern) ? Object.keys(pattern) : [];
  const value = keys.length === 1 ? pattern[keys[0]] : undefined;
  if (typeof value !== "string" || (keys[0] !== "String" && keys[0] !== "Regex")) {
    throw component.refused("pattern", pattern, '{"String": …} or {"Regex": …}');
  }
  if (keys[0] === "String" && value !== "") return literally(value);
  const regex = new Regex(value); // the empty string is a pattern that matches everywhere
  if (!mayBeEmpty && regex.mayBeEmpty) {
    throw component.refused(
      "pattern",
      pattern,
      "a pattern that never matches the empty string (with such a pattern Hugging Face's library loses track of the text)",
    );
  }
  return (text) => regex.findAll(text);
}

export function literally(wanted: string): Finder {
  return (text) => {
    const found: number[] = [];
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
      found.push(at, at + wanted.length);
    }
    return found;
  };
}

/** A text with `content` in place of each match. @throws InputError if that makes it far too long */
export function substituted(text: string, found: readonly number[], content: string): string {
  let out = "";
  let at = 0;
  for (let i = 0; i < found.length; i += 2) {
    out += text.slice(at, found[i]) + content;
    mayGrow(text.length, out.length);
    at = found[i + 1];
  }
  return out + text.slice(at);
}

/** Replaces every occurrence of a string; the empty string occurs between all characters, and at both ends. */
export function replacedAll(text: string, wanted: string, by: string): string {
  if (wanted !== "") return text.split(wanted).join(by);
  return by + Array.from(text, (char) => char + by).join("");
}
