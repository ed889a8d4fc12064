/** What a console shows of a value: what it is, and its numbers where they are few, or else a corner of them and what they are like. */
import { type NDArray, sizeOf, stridesOf } from "../tensor/array.ts";
import { keptOf } from "../tensor/kept.ts";
import { type Meta, showShape } from "./axes.ts";

/** A value, to what prints it. */
interface Printed extends Meta {
  readonly op: string | null;
  readonly inputs: readonly Printed[];
  readonly label: string | undefined;
  readonly array: NDArray | undefined;
}

/** As many numbers are shown as they are; of more, a corner. */
const FEW = 100;
const FEW_COLUMNS = 12;
/** What fits in a line behind the shape. */
const FEW_IN_LINE = 6;
/** Rows and columns of a corner. */
const CORNER = 4;

/** Several lines: the value, then its numbers. */
export function glimpse(x: Printed): string {
  if (!x.array || keptOf(x.array) || sizeOf(x.shape) <= FEW_IN_LINE) return glimpseLine(x);
  const all = sizeOf(x.shape) <= FEW && x.shape[x.shape.length - 1] <= FEW_COLUMNS;
  return `${headOf(x)}${all ? "" : `: ${statistics(x.array)}`}\n${indented(numbersOf(x, x.array, all ? Infinity : CORNER))}`;
}

/** One line: the value, and its numbers or what they are like. */
export function glimpseLine(x: Printed): string {
  if (!x.array) return `${headOf(x)}, not computed: ${origin(x)}`;
  const kept = keptOf(x.array);
  if (kept) return `${headOf(x)}, kept in ${kept.dtype}`;
  const size = sizeOf(x.shape);
  if (size > FEW_IN_LINE) return `${headOf(x)}: ${statistics(x.array)}`;
  return `${headOf(x)}: ${size === 0 ? "no numbers" : numbersOf(x, x.array, Infinity).replace(/\s+/g, " ").replaceAll("[ ", "[")}`;
}

/** A number on its own, as it is; anything else as a line. */
export function valueText(x: Printed): string {
  return x.array && x.shape.length === 0 ? single(x.array) : glimpseLine(x);
}

/** A number with the digits that float32 holds. */
function single({ data, dtype }: NDArray): string {
  return dtype === "bool" ? `${data[0] === 1}` : `${dtype === "float32" ? Number(data[0].toPrecision(7)) : data[0]}`;
}

function headOf(x: Printed): string {
  return `Tensor ${x.label ? `"${x.label}" ` : ""}${x.dtype} ${showShape(x)}`;
}

/** Which op makes a value, and of what. */
function origin(x: Printed): string {
  let from = x;
  while (from.op === "point") [from] = from.inputs;
  if (from.op === null) return `${nameOf(from)} by another name`;
  const inputs = from.inputs.slice(0, 3).map(nameOf);
  const more = from.inputs.length - inputs.length;
  return `${from.op} of ${[...inputs, ...(more > 0 ? [`${more} more`] : [])].join(" and ")}`;
}

function nameOf(x: Printed): string {
  if (x.label) return `${x.label} ${showShape(x)}`;
  return x.array && x.shape.length === 0 ? single(x.array) : showShape(x);
}

/** "mean 0.01, from -3.2 to 4.1, 2 NaN": of the finite numbers, and how many are not. */
function statistics({ data, dtype }: NDArray): string {
  let [sum, least, most, count, nans] = [0, Infinity, -Infinity, 0, 0];
  for (let i = 0; i < data.length; i++) {
    const x = data[i];
    if (Number.isNaN(x)) nans++;
    if (!Number.isFinite(x)) continue;
    sum += x;
    count++;
    if (x < least) least = x;
    if (x > most) most = x;
  }
  if (dtype === "bool") return `${sum} of ${data.length} are true`;
  const infinite = data.length - count - nans;
  const range = count > 0 ? [`mean ${short(sum / count)}, from ${short(least)} to ${short(most)}`] : [];
  return [...range, ...(nans ? [`${nans} NaN`] : []), ...(infinite ? [`${infinite} infinite`] : [])].join(", ");
}

const short = (x: number): string => `${Number(x.toPrecision(4))}`;

/** Nested lists, the columns aligned; of each axis at most `most` places, and of axes in front of the last two then one. */
function numbersOf({ shape }: Meta, { data, dtype }: NDArray, most: number): string {
  const rank = shape.length;
  const strides = stridesOf(shape);
  const seen = shape.map((size, axis) => Math.min(size, axis < rank - 2 && most < Infinity ? 1 : most));
  const places = (axis: number, start: number): number[] =>
    axis === rank
      ? [start]
      : Array.from({ length: seen[axis] }, (_, i) => places(axis + 1, start + i * strides[axis])).flat();
  const write = writer(
    places(0, 0).map((at) => data[at]),
    dtype,
  );
  const build = (axis: number, start: number): string => {
    if (axis === rank) return write(data[start]);
    const parts = Array.from({ length: seen[axis] }, (_, i) => build(axis + 1, start + i * strides[axis]));
    if (seen[axis] < shape[axis]) parts.push("…");
    return `[${parts.join(axis === rank - 1 ? ", " : `,\n${" ".repeat(axis + 1)}`)}]`;
  };
  return build(0, 0);
}

/** One way of writing for numbers that stand under each other. */
function writer(numbers: readonly number[], dtype: NDArray["dtype"]): (x: number) => string {
  if (dtype === "bool") return (x) => (x ? "true" : "false").padStart(numbers.every(Boolean) ? 4 : 5);
  const finite = numbers.filter(Number.isFinite);
  const whole = finite.every((x) => Number.isInteger(x) && Math.abs(x) < 1e7);
  const most = finite.reduce((a, x) => Math.max(a, Math.abs(x)), 0);
  const fixed = most >= 1e-3 && most < 1e5;
  const text = (x: number) => {
    if (!Number.isFinite(x)) return `${x}`.replace("Infinity", "∞");
    return whole ? `${x}` : fixed ? x.toFixed(4) : x.toExponential(3);
  };
  const width = Math.max(0, ...numbers.map((x) => text(x).length));
  return (x) => text(x).padStart(width);
}

const indented = (text: string): string => text.replace(/^/gm, "  ");
