/** `glassformer models --check`: what keeping a model's weights in fewer bits saves, and what it costs. */
import type { DtypeCost } from "../lens/dtype-costs.ts";
import { showBytes } from "../tensor/free-memory.ts";
import { counted, percent } from "../tensor/words.ts";

/** A table of 80 columns, and what its columns mean. */
export function checkText(name: string, costs: readonly DtypeCost[], texts: string): string {
  const most = Math.max(...costs.map(({ bytes }) => bytes));
  const number = (x: number) => (x < 5e-8 ? "0" : x.toPrecision(2));
  const rows = costs.map(({ dtype, bytes, kl, largestKl, sameTop }) => [
    dtype,
    showBytes(bytes),
    (bytes / most).toFixed(2),
    number(kl),
    number(largestKl),
    percent(sameTop),
  ]);
  const table = [["dtype", "weights", "of float32", "mean KL", "largest KL", "same top token"], ...rows];
  const widths = table[0].map((_, c) => Math.max(...table.map((row) => row[c].length)));
  const line = (row: readonly string[]) =>
    row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join("  ");
  return [
    `${name}: its weights in fewer bits, compared with float32`,
    "",
    line(table[0]),
    widths.map((width) => "─".repeat(width)).join("  "),
    ...table.slice(1).map(line),
    "",
    "KL: divergence of the predicted next token from float32's prediction, in nats,",
    `mean and largest over ${counted(costs[0].positions, "position")} of ${costs[0].random ? "random tokens, as it has no tokenizer" : texts}.`,
    "All arithmetic is in float32; a command keeps weights so with --dtype.",
    "",
  ].join("\n");
}
