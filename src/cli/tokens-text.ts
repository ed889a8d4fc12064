/** The tokens of a text, as data and in columns. */
import { textWidth, visibleToken } from "../report/token-text.ts";
import type { TokenRules } from "../text/index.ts";

/** One token of a text. */
export interface TokenRow {
  readonly position: number;
  readonly id: number;
  /** What it stands for: the text that it covers; of a special token that the text does not contain, its name. */
  readonly text: string;
  /** Which part of a character (or of a few) it is, from 1, and of how many; missing for whole characters. */
  readonly part?: readonly [part: number, parts: number];
}

export function tokenRows(rules: TokenRules, text: string): TokenRow[] {
  const options = { truncate: false };
  const ids = Array.from(rules.toTokens(text, options).data);
  const ranges = rules.offsets(text, options);
  return ids.map((id, position) => {
    const [start, end] = ranges[position];
    if (start === end) return { position, id, text: rules.toSingleStrToken(id) };
    const [first, last] = sharing(ranges, position);
    const part = first === last ? {} : { part: [position - first + 1, last - first + 1] as const };
    return { position, id, text: text.slice(start, end), ...part };
  });
}

/** The first and the last of the neighbouring tokens that cover the same characters as this one. */
function sharing(ranges: readonly (readonly [number, number])[], at: number): [number, number] {
  const overlaps = (a: number, b: number) => ranges[a]?.[0] < ranges[b]?.[1] && ranges[b]?.[0] < ranges[a]?.[1];
  let [first, last] = [at, at];
  while (overlaps(first - 1, first)) first--;
  while (overlaps(last, last + 1)) last++;
  return [first, last];
}

const GAP = "   ";

/** Cells of a position, an id and a text, in as many columns as fit, read downwards. */
export function tokensText(rows: readonly TokenRow[], { width, color }: { width: number; color: boolean }): string[] {
  const faint = (text: string) => (color ? `\x1b[2m${text}\x1b[22m` : text);
  const widest = (of: (row: TokenRow) => string) => Math.max(...rows.map((row) => textWidth(of(row))));
  const [positions, ids] = [widest(({ position }) => `${position}`), widest(({ id }) => `${id}`)];
  const texts = Math.min(widest(shownText), width - positions - ids - 4);
  const each = positions + 2 + texts + 2 + ids;
  const columns = Math.max(1, Math.floor((width + GAP.length) / (each + GAP.length)));
  const height = Math.ceil(rows.length / columns);
  const cell = (row: TokenRow) => {
    const text = cut(shownText(row), texts);
    const padded = text + " ".repeat(texts - textWidth(text));
    return `${faint(`${row.position}`.padStart(positions))}  ${padded}  ${faint(`${row.id}`.padStart(ids))}`;
  };
  return Array.from({ length: height }, (_, line) =>
    rows
      .filter((_, i) => i % height === line)
      .map(cell)
      .join(GAP),
  );
}

/** `␣cat`; `日¹⁄₃` for the first of three parts. */
function shownText({ text, part }: TokenRow): string {
  return visibleToken(text) + (part ? `${raised(part[0])}⁄${lowered(part[1])}` : "");
}

const raised = (n: number) => [...`${n}`].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("");
const lowered = (n: number) => [...`${n}`].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]).join("");

function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let short = "";
  for (const c of text) {
    if (textWidth(short + c) > width - 1) break;
    short += c;
  }
  return `${short}…`;
}
