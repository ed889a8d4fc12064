/** Texts in pictures, tables and lines: how wide they are, and where they may break. */
export { visibleToken } from "../tensor/visible.ts";

/** Spaces at which a line does not break: before a percent sign, within “ a token”, in “p = 0.05”; in markup too. */
export const UNBROKEN = / (?=%)|(?<=“) | (?=(?:=|<|&lt;) [−\d])|(?<= (?:=|<|&lt;)) (?=[−\d])/g;

/** The words of a text, between which a line may break. */
export function wordsOf(text: string): string[] {
  const together = text.replace(UNBROKEN, "\0");
  return together.split(/[ \t\r\n]+/).flatMap((word) => (word ? [word.replaceAll("\0", " ")] : []));
}

/** The columns that a text takes in a fixed-width font: wide characters count twice, combining ones and joiners not at all. */
export function textWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const c of text) {
    if (!NARROWEST.test(c)) width += WIDE.test(c) ? 2 : 1;
  }
  return width;
}

/** The text, or as much of it as fits into a width before “…”. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = "";
  for (const letter of text) {
    if (textWidth(kept + letter) > width - 1) break;
    kept += letter;
  }
  return width < 2 ? kept.slice(0, width) : `${kept}…`;
}

/** Characters drawn on or within the preceding one: combining marks, the second and third letters of a Hangul syllable, joiners. */
const NARROWEST = /^[\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}\u1160-\u11ff\ud7b0-\ud7ff]$/u;
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]$|^\p{Emoji_Presentation}$/u;
