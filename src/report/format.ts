/** Numbers for people to read. JSON and CSV keep the full number; everything drawn goes through here. */
import type { Column, Scalar } from "../finding/table.ts";
import { visibleToken } from "./token-text.ts";

/** What is written in place of a missing value. */
export const MISSING = "–";

/** A number without a unit: four significant digits, no trailing zeros, exponents outside 1e-4 to 1e7. */
export function formatNumber(value: number | null, digits = 4): string {
  if (value === null || Number.isNaN(value)) return MISSING;
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value);
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e7) return value.toExponential(digits - 1).replace(/\.?0+e\+?/, "e");
  return String(Number(value.toPrecision(digits)));
}

/** A number with its unit; "%" is preceded by a space like any other unit. */
export function formatQuantity(value: number, unit = ""): string {
  return unit ? `${formatNumber(value)} ${unit}` : formatNumber(value);
}

export function formatP(p: number): string {
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}

export function formatScalar(value: Scalar): string {
  if (value === null) return MISSING;
  return typeof value === "number" ? formatNumber(value) : String(value);
}

/** Whether a column contains numbers, which are aligned to the right. */
export function isNumeric(column: Column, cells: readonly Scalar[]): boolean {
  if (column.format === "text" || column.format === "token") return false;
  if (column.format !== undefined) return true;
  return cells.every((cell) => cell === null || typeof cell === "number") && cells.some((cell) => cell !== null);
}

/** All cells of a column, in one format, so that decimal points line up. */
export function formatColumn(column: Column, cells: readonly Scalar[]): string[] {
  const number = numberFormat(column, cells);
  return cells.map((cell) => {
    if (cell === null) return MISSING;
    if (typeof cell === "number") return number(cell);
    return column.format === "token" ? visibleToken(String(cell)) : String(cell);
  });
}

function numberFormat(column: Column, cells: readonly Scalar[]): (value: number) => string {
  const { format } = column;
  if (format === "integer" || format === "text" || format === "token") return (v) => formatNumber(v);
  if (format === "percent") return (v) => `${(100 * v).toFixed(1)} %`;
  if (format === "p") return formatP;
  if (format) return (v) => withoutMinusZero(v.toFixed(format.digits));
  const numbers = cells.filter((cell) => typeof cell === "number");
  if (numbers.every(Number.isInteger)) return (v) => formatNumber(v);
  const decimals = decimalsFor(numbers);
  return decimals === null ? (v) => v.toExponential(2) : (v) => withoutMinusZero(v.toFixed(decimals));
}

/** The number of decimals that gives the column's median four significant digits; null if only an exponent could. */
function decimalsFor(numbers: readonly number[]): number | null {
  const sizes = numbers.map(Math.abs).filter((size) => size > 0);
  sizes.sort((a, b) => a - b);
  const exponent = Math.floor(Math.log10(sizes[Math.floor(sizes.length / 2)] ?? 1));
  if (exponent < -5 || exponent > 9) return null;
  return Math.max(0, Math.min(6, 3 - exponent));
}

function withoutMinusZero(text: string): string {
  return /^-0\.?0*$/.test(text) ? text.slice(1) : text;
}
