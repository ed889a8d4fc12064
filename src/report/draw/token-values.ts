/** What the tokens of a text say, and their colours. */
import type { TokensSpec } from "../../finding/picture.ts";
import { type Coloring, coloring } from "../color.ts";
import { formatQuantity, MISSING } from "../format.ts";
import { visibleToken } from "../token-text.ts";
import type { LegendItem } from "./drawing.ts";
import { atMost } from "./limits.ts";

/** The most tokens of all texts, counted once for each row of numbers. */
const MOST_TOKENS = 200_000;

/** The colour scale of each of the spec's rows, over all texts. @throws ArgumentError for more tokens than a picture shows */
export function tokenColorings(spec: TokensSpec): Coloring[] {
  const count = spec.rows.length * spec.texts.reduce((sum, text) => sum + text.tokens.length, 0);
  atMost(MOST_TOKENS, count, "tokens", "show a part of the text, or fewer rows");
  return spec.rows.map((row, r) =>
    coloring(
      { label: row.title, ...(row.unit ? { unit: row.unit } : {}), ...row.color },
      spec.texts.flatMap((text) => text.values[r]),
    ),
  );
}

/** The tip of a token: the token, its position, and every value. */
export function tokenTitle(spec: TokensSpec, text: TokensSpec["texts"][number], pos: number): string {
  const values = [...spec.rows, ...(spec.hover ?? [])].map((value, v) => {
    const number = text.values[v][pos];
    return `${value.title}: ${number === null ? MISSING : formatQuantity(number, value.unit)}`;
  });
  const marked = spec.marks && text.marked?.includes(pos) ? [spec.marks] : [];
  return [`“${visibleToken(text.tokens[pos])}” at position ${pos}`, ...values, ...marked].join("\n");
}

export function tokenLegend(spec: TokensSpec, colorings: readonly Coloring[]): LegendItem[] {
  // Rows with the same scale share one legend: if their names differ, it has their unit.
  const scales = new Map<string, Coloring>();
  colorings.forEach((coloring, r) => {
    const { unit = "" } = spec.rows[r];
    const scale = `${unit} ${coloring.scheme} ${coloring.domain}`;
    const { label = coloring.label } = scales.get(scale) ?? {};
    scales.set(scale, { ...coloring, label: label === coloring.label ? label : unit });
  });
  const ramps = [...scales.values()].map((coloring): LegendItem => ({ kind: "ramp", coloring }));
  return spec.marks ? [...ramps, { kind: "frame", color: "currentColor", text: spec.marks }] : ramps;
}
