/** A normalizer: what happens to a text before it is split. */
import { mayGrow } from "../growth.ts";

export interface Normalizer {
  readonly apply: (text: string) => string;
  /**
   * How many units of the normalized text come from the first character of the whole text, if the first `leading` units of
   * this one do: `Metaspace` with the scheme "first" needs this. 0 if that character was removed.
   */
  readonly leading: (text: string, leading: number) => number;
}

/** A normalizer that works character by character. */
export function byCharacter(apply: (text: string) => string): Normalizer {
  return { apply, leading: (text, leading) => apply(text.slice(0, leading)).length };
}

export const UNCHANGED: Normalizer = { apply: (text) => text, leading: (_, leading) => leading };

/** Several normalizers, one after the other. */
export function inTurn(normalizers: readonly Normalizer[]): Normalizer {
  return {
    apply: (text) =>
      normalizers.reduce((now, { apply }) => {
        const next = apply(now);
        mayGrow(text.length, next.length);
        return next;
      }, text),
    leading: (text, leading) => {
      let now = text;
      let first = leading;
      for (const normalizer of normalizers) {
        first = normalizer.leading(now, first);
        now = normalizer.apply(now);
      }
      return first;
    },
  };
}

/** A text without the characters of a set. */
export function without(text: string, set: (code: number) => boolean): string {
  let out = "";
  let from = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at)!;
    const next = at + (code > 0xffff ? 2 : 1);
    if (set(code)) {
      out += text.slice(from, at);
      from = next;
    }
    at = next;
  }
  return from === 0 ? text : out + text.slice(from);
}
