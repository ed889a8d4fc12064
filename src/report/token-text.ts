/** A token's text, so that nothing in it is invisible: a newline is a mark, a lone surrogate a replacement character. */
import { markUnseen } from "../tensor/visible.ts";

/**
 * The token with its whitespace and control characters made visible. With `spaces`, leading and trailing spaces become
 * "␣", for where no frame shows them.
 */
export function visibleToken(token: string, { spaces = true }: { spaces?: boolean } = {}): string {
  if (token === "") return "∅";
  const shown = markUnseen(token);
  return spaces ? shown.replace(/^ +| +$/g, (run) => "␣".repeat(run.length)) : shown;
}

/** The words of a text, a percent sign with its number: where a line may be broken. */
export function wordsOf(text: string): string[] {
  return text.split(/[ \t\r\n]+(?!%)/).filter(Boolean);
}

/** Columns that a text takes in a fixed-width font: wide characters count two, combining ones and joiners none. */
export function textWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const c of text) {
    if (!NARROWEST.test(c)) width += WIDE.test(c) ? 2 : 1;
  }
  return width;
}

/** Drawn on or within what stands before: combining marks, the second and third letters of a Hangul syllable, joiners. */
const NARROWEST = /^[\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}\u1160-\u11ff\ud7b0-\ud7ff]$/u;
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]$|^\p{Emoji_Presentation}$/u;
