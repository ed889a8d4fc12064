/** What ranked tokens say, and their colours. */
import type { RankedToken, TopkSpec } from "../../finding/picture.ts";
import { fixed } from "../../tensor/words.ts";
import { type Coloring, coloring } from "../color.ts";
import { formatNumber, formatQuantity } from "../format.ts";
import { visibleToken } from "../token-text.ts";
import { atMost, largest } from "./limits.ts";

/** Numbers with more decimals are rounded: their tips have all digits. */
const MOST_DECIMALS = 3;

/** The most tokens in a table of ranked tokens. */
const MOST_ENTRIES = 100_000;

/** @throws ArgumentError for more tokens than a picture shows */
export function topkColoring(spec: TopkSpec): Coloring {
  const all = entriesOf(spec);
  atMost(MOST_ENTRIES, all.length, "ranked tokens", "take a smaller k, or fewer columns");
  return coloring(
    { label: "value", ...spec.color },
    all.map((entry) => entry.value),
  );
}

/** How all the numbers of a picture are written: with the decimals that three digits of the smallest ones have, so that decimal points line up. */
export function rankedNumbers(spec: TopkSpec): (value: number) => string {
  const short = (value: number) => formatNumber(value, 3);
  const texts = entriesOf(spec).map(({ value }) => short(value));
  if (texts.some((text) => /[e∞–]/.test(text))) return short;
  const decimals = largest(
    texts.map((text) => text.split(".")[1]?.length ?? 0),
    0,
  );
  return (value) => fixed(value, Math.min(decimals, MOST_DECIMALS));
}

/** All the tokens of a picture. */
export function entriesOf({ columns }: TopkSpec): RankedToken[] {
  return columns.flatMap(({ top, bottom = [] }) => [...top, ...bottom]);
}

/** The tip of a token. */
export function rankedTitle({ token, value, pos }: RankedToken, unit: string | undefined): string {
  const where = pos === undefined ? "" : ` at position ${pos}`;
  return `“${visibleToken(token)}”${where}: ${formatQuantity(value, unit)}`;
}
