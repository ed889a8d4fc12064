/** What the cells of a logit lens say, and their colours. */
import type { ColorScale, LogitLensCell, LogitLensSpec } from "../../finding/picture.ts";
import { type Coloring, coloring } from "../color.ts";
import { formatNumber } from "../format.ts";
import { visibleToken } from "../token-text.ts";
import type { LegendItem } from "./drawing.ts";
import { atMost } from "./limits.ts";

/** What the colour shows: the number of a cell, and its scale if the spec has none. */
const MEASURES: Record<
  NonNullable<LogitLensSpec["colorBy"]>,
  { readonly of: (cell: LogitLensCell) => number | null; readonly color: ColorScale }
> = {
  probability: {
    of: (cell) => cell.top[0]?.probability ?? null,
    color: { label: "probability of the top token", scheme: "Blues", domain: [0, 1] },
  },
  right: {
    of: (cell) => cell.right?.probability ?? null,
    color: { label: "probability of the right next token", scheme: "Blues", domain: [0, 1] },
  },
  rank: {
    of: (cell) => (cell.right ? Math.log10(cell.right.rank + 1) : null),
    color: { label: "log₁₀ (1 + rank of the right next token)", scheme: "Viridis" },
  },
  entropy: { of: (cell) => cell.entropy ?? null, color: { label: "entropy", unit: "nats", scheme: "Viridis" } },
};

export interface LensColors {
  readonly coloring: Coloring;
  readonly of: (cell: LogitLensCell) => number | null;
}

/** The most cells of a lens, as each has its own text. */
const MOST_CELLS = 50_000;

/** @throws ArgumentError for more cells than a picture shows */
export function lensColors(spec: LogitLensSpec): LensColors {
  const count = spec.layers.length * spec.tokens.length;
  atMost(MOST_CELLS, count, "cells with tokens", "show fewer positions, or fewer layers");
  const { of, color } = MEASURES[spec.colorBy ?? "probability"];
  const values = spec.layers.flatMap((layer) => layer.cells.map(of));
  return { coloring: coloring({ ...color, ...spec.color }, values), of };
}

/** Probabilities, short enough for a table: 0.97, .004 as "<.01". */
export function shortProbability(p: number): string {
  if (p >= 0.995) return "1.00";
  return p < 0.005 ? "<.01" : p.toFixed(2).replace(/^0/, "");
}

/** Whether the top token is the right next one. */
export function isRight(cell: LogitLensCell): boolean {
  return cell.right?.rank === 0;
}

/** The tip of a cell: the most probable tokens, and the probability and rank of the right one. */
export function lensTitle(spec: LogitLensSpec, layer: number, pos: number): string {
  const { name, cells } = spec.layers[layer];
  const cell = cells[pos];
  const next = spec.next?.[pos];
  const lines = cell.top.map(({ token, probability }) => `${formatNumber(probability, 3)}  “${visibleToken(token)}”`);
  const right = cell.right
    ? [
        `right next token${next == null ? "" : ` “${visibleToken(next)}”`}: ${formatNumber(cell.right.probability, 3)}, ` +
          (cell.right.rank === 0 ? "the most probable" : `${cell.right.rank} more probable`),
      ]
    : [];
  const entropy = cell.entropy === undefined ? [] : [`entropy: ${formatNumber(cell.entropy)} nats`];
  return [`${name}, after “${visibleToken(spec.tokens[pos])}” (${pos})`, ...lines, ...right, ...entropy].join("\n");
}

export function lensLegend({ coloring }: LensColors, spec: LogitLensSpec): LegendItem[] {
  const framed = spec.layers.some((layer) => layer.cells.some(isRight));
  const frame = { kind: "frame", color: "currentColor", text: "the top token is the right next token" } as const;
  return [{ kind: "ramp", coloring }, ...(framed ? [frame] : [])];
}
