/** Text from files, made safe to look at: what cannot be seen, moves a cursor or turns a line around becomes a mark. */

const MARKS: Record<string, string> = { "\n": "⏎", "\t": "⇥", "\r": "␍", "\x7f": "␡" };

/**
 * What has no shape of its own, none that everybody sees alike (private and unassigned), or changes the direction of what
 * follows: by Unicode's own properties. Those named one by one are letters and symbols by property, and blank by design.
 */
const UNSEEN =
  "(?! )[\\p{Cc}\\p{Cf}\\p{Co}\\p{Cn}\\p{Zs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}\\p{Bidi_Control}\\u2800\\ufffc\\u{1d159}\\u{16fe4}\\u{13441}\\u{13442}]";
const EVERY_UNSEEN = new RegExp(UNSEEN, "gu");
/** Where a combining mark would be drawn on what stands before the text, or on one of our marks. */
const BEFORE_LONE_MARK = new RegExp(`(^| |${UNSEEN})(?=(?!${UNSEEN})\\p{M})`, "gu");
/** What prose is made of besides: tabs, newlines, no-break spaces, and the joiners and selectors of letters and emoji. */
const UNSAFE_IN_PROSE =
  /(?!\t|\n|\u200c|\u200d|\u034f|[\ufe00-\ufe0f])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Noncharacter_Code_Point}]/gu;

/**
 * Every character that cannot be seen, or that turns direction, as a mark; half of a surrogate pair as U+FFFD; a combining
 * mark without a letter on a dotted circle. Spaces stay.
 */
export function markUnseen(text: string): string {
  return marked(whole(text).replace(BEFORE_LONE_MARK, "$1\u25cc"), EVERY_UNSEEN);
}

/** A text of several words: what could move the cursor, or turn the line around, as a mark. Tabs and newlines stay. */
export function visibleControls(text: string): string {
  return marked(whole(text), UNSAFE_IN_PROSE);
}

function whole(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

function marked(text: string, unseen: RegExp): string {
  return text.replace(unseen, (c) => MARKS[c] ?? byNumber(c));
}

function byNumber(c: string): string {
  const code = c.codePointAt(0)!;
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}
