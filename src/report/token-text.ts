/** A token's text, so that nothing in it is invisible: a newline is a mark, a lone surrogate a replacement character. */

const MARKS: Record<string, string> = { "\n": "⏎", "\t": "⇥", "\r": "␍", "\x7f": "␡" };

/** Characters without a shape, or that turn the direction of what follows: shown by their number. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\x00-\x1f\x7f-\x9f]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above, without those that only part words
const CONTROL_BUT_SPACE = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

/**
 * The token with its whitespace and control characters made visible. With `spaces`, leading and trailing spaces become
 * "␣", for where no frame shows them.
 */
export function visibleToken(token: string, { spaces = true }: { spaces?: boolean } = {}): string {
  if (token === "") return "∅";
  const shown = mark(token, CONTROL);
  return spaces ? shown.replace(/^ +| +$/g, (run) => "␣".repeat(run.length)) : shown;
}

/** A text of several words for a terminal: what could move the cursor or turn the line around is shown as a mark. */
export function visibleControls(text: string): string {
  return mark(text, CONTROL_BUT_SPACE);
}

function mark(text: string, control: RegExp): string {
  return text
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(control, (c) => MARKS[c] ?? (c > "\x7f" ? byNumber(c) : String.fromCharCode(0x2400 + c.charCodeAt(0))))
    .replace(INVISIBLE, byNumber);
}

function byNumber(c: string): string {
  return `⟨U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}⟩`;
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
