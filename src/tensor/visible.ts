/** Makes text from files safe to show: characters that are invisible, move the cursor or reverse a line become marks. */

const MARKS: Record<string, string> = { "\n": "⏎", "\t": "⇥", "\r": "␍", "\x7f": "␡" };

/**
 * Characters with no glyph, with none that looks the same everywhere (private use and unassigned), or that change the direction of what
 * follows, by Unicode's properties. Those listed one by one count as letters and symbols, but are blank by design.
 */
const UNSEEN =
  "(?! )[\\p{Cc}\\p{Cf}\\p{Co}\\p{Cn}\\p{Zs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}\\p{Bidi_Control}\\u2800\\ufffc\\u{1d159}\\u{16fe4}\\u{13441}\\u{13442}]";
const EVERY_UNSEEN = new RegExp(UNSEEN, "gu");
/** Where a combining mark would attach to what precedes the text, or to one of our marks. */
const BEFORE_LONE_MARK = new RegExp(`(^| |${UNSEEN})(?=(?!${UNSEEN})\\p{M})`, "gu");
/** What prose also contains: tabs, newlines, no-break spaces, and the joiners and selectors of letters and emoji. */
const UNSAFE_IN_PROSE =
  /(?!\t|\n|\u200c|\u200d|\u034f|[\ufe00-\ufe0f])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Noncharacter_Code_Point}]/gu;

/**
 * Shows every character that is invisible or changes direction as a mark, half of a surrogate pair as U+FFFD, and a combining
 * mark without a letter on a dotted circle. Spaces stay as they are.
 */
export function markUnseen(text: string): string {
  return marked(whole(text).replace(BEFORE_LONE_MARK, "$1\u25cc"), EVERY_UNSEEN);
}

/**
 * A token with everything in it visible, wherever tokens are shown outside sentences: spaces at its ends are "␣", and the empty text
 * is "∅".
 */
export function visibleToken(token: string): string {
  if (token === "") return "∅";
  return markUnseen(token).replace(/^ +| +$/g, (run) => "␣".repeat(run.length));
}

/** For a text of several words: only what could move the cursor or reverse the line becomes a mark. Tabs and newlines stay. */
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
