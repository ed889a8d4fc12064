/** Normal forms, lower case, and the characters that Nmt treats as spaces. */
import { isInertInNormalForms } from "../unicode/classes.ts";
import { byCharacter, type Normalizer, without } from "./normalizer.ts";

export type Form = "NFC" | "NFD" | "NFKC" | "NFKD";

// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII has no other form
const ASCII = /^[\u0000-\u007f]*$/;

/** A text in a normal form. Characters newer than the library's Unicode data stay as they are, and separate what is around them. */
export function inForm(text: string, form: Form): string {
  if (ASCII.test(text)) return text;
  let out = "";
  let from = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at)!;
    const next = at + (code > 0xffff ? 2 : 1);
    if (code > 0x7f && isInertInNormalForms(code)) {
      out += text.slice(from, at).normalize(form) + text.slice(at, next);
      from = next;
    }
    at = next;
  }
  return out + text.slice(from).normalize(form);
}

export const normalForm = (form: Form): Normalizer => byCharacter((text) => inForm(text, form));

/** Lower case, character by character: final sigmas are not handled. */
export function lowercased(text: string): string {
  return text
    .split("Σ")
    .map((part) => part.toLowerCase())
    .join("σ");
}

export const LOWERCASE = byCharacter(lowercased);

const NMT_SPACES = new Set([
  9, 10, 12, 13, 0x1680, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x2581, 0xfeff, 0xfffd,
]);
const isNmtControl = (code: number) =>
  (code >= 1 && code <= 8) ||
  code === 11 ||
  (code >= 14 && code <= 31) ||
  code === 0x7f ||
  code === 0x8f ||
  code === 0x9f;

/** sentencepiece's cleaning for translation models: control characters are removed, unusual spaces become spaces. */
export const NMT = byCharacter((text) => {
  let out = "";
  for (const char of without(text, isNmtControl)) out += NMT_SPACES.has(char.codePointAt(0)!) ? " " : char;
  return out;
});
