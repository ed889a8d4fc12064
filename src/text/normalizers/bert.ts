/** BERT's normalizer: cleaning, spaces around Chinese characters, no accents, lower case. */
import type { Component } from "../component.ts";
import { isBertAccent, isBertChinese, isBertControl, isWhiteSpace } from "../unicode/classes.ts";
import { byCharacter, inTurn, type Normalizer, without } from "./normalizer.ts";
import { inForm, LOWERCASE } from "./unicode.ts";

export function bertNormalizer(component: Component): Normalizer {
  const cleans = component.flag("clean_text");
  const chinese = component.flag("handle_chinese_chars");
  const accents = component.flagOrNull("strip_accents");
  const lowercase = component.flag("lowercase");
  const parts: Normalizer[] = [];
  if (cleans) parts.push(byCharacter(cleaned));
  if (chinese) parts.push(byCharacter(spaced));
  if (accents ?? lowercase) parts.push(byCharacter((text) => without(inForm(text, "NFD"), isBertAccent)));
  if (lowercase) parts.push(LOWERCASE);
  return inTurn(parts);
}

function cleaned(text: string): string {
  let out = "";
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (isWhiteSpace(code) && !isBertControl(code)) out += " ";
    else if (!isBertControl(code)) out += char;
  }
  return out;
}

function spaced(text: string): string {
  let out = "";
  for (const char of text) out += isBertChinese(char.codePointAt(0)!) ? ` ${char} ` : char;
  return out;
}
