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

/** Columns that a text takes in a fixed-width font: wide characters count two, combining ones none. */
export function textWidth(text: string): number {
  let width = 0;
  for (const c of text) {
    if (/^\p{M}$/u.test(c)) continue;
    width += WIDE.test(c) ? 2 : 1;
  }
  return width;
}

const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]$|^\p{Emoji_Presentation}$/u;
