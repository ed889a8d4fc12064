/** A finding for a terminal: question, answer, tables (without details), comparisons and caveats, fitted to its width. */
import type { Finding } from "../finding/finding.ts";
import { baselineFigures, baselineSentence, comparisonOf } from "./baseline-text.ts";
import { briefText } from "./brief-text.ts";
import { formatScalar } from "./format.ts";
import { ANSI, PLAIN } from "./ink.ts";
import { chapters } from "./parts.ts";
import { pictureTable } from "./picture-table.ts";
import { provenanceLines } from "./provenance-text.ts";
import { textTable } from "./text-table.ts";
import { drawn } from "./views/picture-of.ts";
import { wrapText } from "./wrap-text.ts";

export interface TextOptions {
  /** The width in columns. Default 80. */
  readonly width?: number | undefined;
  /** Whether to use ANSI codes for bold and faint. Default off. */
  readonly color?: boolean | undefined;
  /** How many rows of each table are shown. Default 20. */
  readonly maxRows?: number | undefined;
  /** Most lines: then the answer, the next results and one table are shown, and the last line says what is not. Default: everything is shown. */
  readonly lines?: number | undefined;
  /** With `lines`, how to see the rest, as a sentence. */
  readonly hint?: string | undefined;
}

export function renderText(given: Finding, options: TextOptions = {}): string {
  const finding = drawn(given);
  const { width = 80, color = false, maxRows = 20, lines, hint = "" } = options;
  const ink = color ? ANSI : PLAIN;
  if (lines !== undefined) return briefText(finding, { width, ink, lines, hint });
  const paint = (lines: string[], how: (text: string) => string) => lines.map(how);
  const blocks: string[][] = [paint(wrapText(finding.question, width), ink.bold)];

  blocks.push(
    finding.summary.flatMap((statement, i) => {
      const bullet = i === 0 ? "" : "- ";
      const compared = comparisonOf(statement, finding);
      return [
        ...wrapText(statement.text, width, bullet),
        ...(compared ? paint(wrapText(compared, width, " ".repeat(bullet.length || 2)), ink.faint) : []),
      ];
    }),
  );

  for (const { part, pictures, tables: all } of chapters(finding)) {
    const own = all.filter((table) => !table.detail);
    // If a section has no table, the most important numbers of its pictures are shown instead.
    const tables = own.length > 0 ? own : pictures.flatMap((spec) => pictureTable(spec) ?? []);
    if (tables.length === 0) continue;
    if (part) blocks.push(paint(wrapText(part.title, width), ink.bold));
    for (const table of tables) {
      const notes = finding.baselines.filter((b) => table.comparedWith?.includes(b.name));
      blocks.push([
        ...wrapText(table.title, width),
        ...(table.caption ? paint(wrapText(table.caption, width), ink.faint) : []),
        ...textTable(table, { width, maxRows, ink }),
        ...notes.flatMap((b) => paint(wrapText(`Compare with ${b.name}: ${baselineFigures(b)}.`, width), ink.faint)),
      ]);
    }
  }

  if (finding.baselines.length > 0) {
    const entries = finding.baselines.flatMap((b) => wrapText(`${b.kind}, ${baselineSentence(b)}`, width, "- "));
    blocks.push([ink.bold("Compared with"), ...entries]);
  }
  if (finding.caveats.length > 0) {
    blocks.push([ink.bold("Caveats"), ...finding.caveats.flatMap((caveat) => wrapText(caveat, width, "- "))]);
  }
  const facts = Object.entries({ model: finding.model.name, ...finding.model.config, ...finding.settings });
  blocks.push(paint(wrapText(facts.map(([name, v]) => `${name} ${formatScalar(v)}`).join(", "), width), ink.faint));
  if (finding.provenance) {
    blocks.push(
      paint(
        provenanceLines(finding.provenance).flatMap((line) => wrapText(line, width)),
        ink.faint,
      ),
    );
  }
  return `${blocks.map((block) => block.join("\n")).join("\n\n")}\n`;
}
