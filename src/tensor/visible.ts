/** Text from files, made safe to look at: what cannot be seen, moves a cursor or turns a line around becomes a mark. */

const MARKS: Record<string, string> = { "\n": "⏎", "\t": "⇥", "\r": "␍", "\x7f": "␡" };

/** What has no shape of its own or changes the direction of what follows, by Unicode's own properties. */
const UNSEEN = /(?! )[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\u2800]/gu;
/** As `UNSEEN`, without what prose is made of: tabs, newlines, no-break spaces, and the joiners and selectors of emoji. */
const UNSAFE_IN_PROSE =
  /(?!\t|\n|\u00a0|\u200c|\u200d|\u3000|\ufe0e|\ufe0f)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Every character that cannot be seen, or that turns direction, as a mark; half of a surrogate pair as U+FFFD. Spaces stay. */
export function markUnseen(text: string): string {
  return marked(text, UNSEEN);
}

/** A text of several words: what could move the cursor, or turn the line around, as a mark. Tabs and newlines stay. */
export function visibleControls(text: string): string {
  return marked(text, UNSAFE_IN_PROSE);
}

function marked(text: string, unseen: RegExp): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd").replace(unseen, (c) => MARKS[c] ?? byNumber(c));
}

function byNumber(c: string): string {
  const code = c.codePointAt(0)!;
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}
