import type { Baseline, Finding, Statement } from "../finding/finding.ts";
import { formatNumber, formatP, formatQuantity } from "./format.ts";

/** A baseline's numbers in one line: "0.12 logits, 95 % interval 0.1 to 0.14, p = 0.003, 10000 samples, seed 0". */
export function baselineFigures({ value, unit, interval, level, p, samples, seed }: Baseline): string {
  const parts: string[] = [];
  if (value !== undefined) parts.push(formatQuantity(value, unit));
  if (interval) {
    const name = level === undefined ? "interval" : `${formatNumber(100 * level)} % interval`;
    parts.push(`${name} ${formatNumber(interval[0])} to ${formatQuantity(interval[1], unit)}`);
  }
  if (p !== undefined) parts.push(`p ${p < 0.001 ? formatP(p) : `= ${formatP(p)}`}`);
  if (samples !== undefined) parts.push(`${samples} samples`);
  if (seed !== undefined) parts.push(`seed ${seed}`);
  return parts.join(", ");
}

/** A baseline in a sentence or two: its name, its numbers, and what they mean. */
export function baselineSentence(baseline: Baseline): string {
  return `${baseline.name}: ${baselineFigures(baseline)}. ${baseline.text}`;
}

/** What to compare a statement's number with, or "" for a statement without a number. */
export function comparisonOf({ figure }: Statement, { baselines }: Finding): string {
  return compared(baselines.filter((baseline) => figure?.comparedWith.includes(baseline.name)));
}

/** What to compare a number with, in a sentence; "" for nothing. */
export function compared(baselines: readonly Baseline[]): string {
  if (baselines.length === 0) return "";
  const texts = baselines.map(({ samples: _, seed: __, ...baseline }) => {
    const figures = baselineFigures(baseline);
    return figures ? `${baseline.name}: ${figures}` : baseline.name;
  });
  return `Compared with ${texts.join("; ")}.`;
}
