/** The width of words in a proportional font: an estimate on the wide side, because no font can be measured here. */
import { textWidth } from "../token-text.ts";

const NARROW = /[iljtfrI.,:;'|!() ·]/;
const WIDE = /[mwMW%@–—→←↑↓]/;
const UPPER = /[A-Z_+=<>−]/;

/** In pixels, at this font size. */
export function textSize(text: string, fontSize: number): number {
  let ems = 0;
  for (const letter of text) {
    if (NARROW.test(letter)) ems += 0.38;
    else if (WIDE.test(letter)) ems += 0.93;
    else if (UPPER.test(letter)) ems += 0.72;
    else ems += 0.6 * textWidth(letter);
  }
  return ems * fontSize;
}
