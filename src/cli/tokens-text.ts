/** The tokens of a text, as data and in columns. */
import { cutText, textWidth, visibleToken } from "../report/token-text.ts";
import type { TokenRules } from "../text/index.ts";

/** One token of a text. */
export interface TokenRow {
  readonly position: number;
  readonly id: number;
  /** As a reader sees it: `日¹⁄₃` is the first of three parts of a character. */
  readonly text: string;
}

export function tokenRows(rules: TokenRules, text: string): TokenRow[] {
  const ids = Array.from(rules.toTokens(text, { truncate: false }).data);
  return rules.shownTokens(ids).map((shown, position) => ({ position, id: ids[position], text: shown }));
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
    const text = cutText(shownText(row), texts);
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

const shownText = ({ text }: TokenRow): string => visibleToken(text);
