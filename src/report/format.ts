/** Numbers for people to read. JSON and CSV keep the full number; everything drawn goes through here. */
import type { Column, Scalar } from "../finding/table.ts";
import { visibleToken } from "./token-text.ts";

/** What is written in place of a missing value. */
export const MISSING = "–";

/** A number without a unit: four significant digits, no trailing zeros, exponents outside 1e-4 to 1e7, and a proper minus sign. */
export function formatNumber(value: number | null, digits = 4): string {
  if (value === null || Number.isNaN(value)) return MISSING;
  return withMinus(plain(value, digits));
}

function plain(value: number, digits: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value);
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e7) return value.toExponential(digits - 1).replace(/\.?0+e\+?/, "e");
  return String(Number(value.toPrecision(digits)));
}

/** A minus sign is as wide as a plus sign or a digit, which a hyphen is not. */
function withMinus(number: string): string {
  return number.replaceAll("-", "−");
}

/** Numbers short enough to stand in cells, with the same decimals: `digits` significant ones for the largest. Undefined if they differ too much for that. */
export function formatShort(values: readonly (number | null)[], digits: number, unit = ""): string[] | undefined {
  const numbers = values.filter((v) => v !== null);
  const most = numbers.reduce((size, v) => Math.max(size, Math.abs(v)), 0);
  if (most >= 1e5 || (most > 0 && most < 1e-3)) return undefined;
  const wanted = most > 0 ? digits - 1 - Math.floor(Math.log10(most)) : 0;
  const decimals = numbers.every(Number.isInteger) ? 0 : Math.max(0, Math.min(4, wanted));
  const sign = unit === "%" ? " %" : "";
  return values.map((v) => (v === null ? MISSING : `${withMinus(withoutMinusZero(v.toFixed(decimals)))}${sign}`));
}

/** A number with its unit; "%" is preceded by a space like any other unit, and has the decimals that tables give it. */
export function formatQuantity(value: number, unit = ""): string {
  if (unit === "%") return formatPercent(value);
  return unit ? `${formatNumber(value)} ${unit}` : formatNumber(value);
}

function formatPercent(value: number): string {
  // Of what rounds to nothing, two digits.
  const digits = value !== 0 && Math.abs(value) < 0.05 ? value.toPrecision(2) : value.toFixed(1);
  return `${withMinus(withoutMinusZero(digits))} %`;
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
    if (typeof cell === "number") return withMinus(number(cell));
    return column.format === "token" ? visibleToken(String(cell)) : String(cell);
  });
}

function numberFormat(column: Column, cells: readonly Scalar[]): (value: number) => string {
  const { format } = column;
  if (format === "integer" || format === "text" || format === "token") return (v) => formatNumber(v);
  if (format === "percent") return (v) => formatPercent(100 * v);
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
