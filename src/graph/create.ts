/** Tensors that are made of a shape: constants, ranges, identities, random numbers. */
import { type DType, emptyData, type NDArray, ndarray, sizeOf } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { COUNT, either, listOf, NOT_NEGATIVE_WHOLE, NUMBER, OBJECT, WHOLE } from "../tensor/kinds.ts";
import { checkArgument, checkOptions, type OptionKinds } from "../tensor/options.ts";
import { normal } from "../tensor/random.ts";
import { shown } from "../tensor/show.ts";
import { DTYPE } from "./leaf.ts";
import { Tensor } from "./tensor.ts";

/** The sizes of axes, in order: `[2, 3]`, or with their names, `{ batch: 2, pos: 3 }`. */
export type Shape = readonly number[] | Readonly<Record<string, number>>;

/** What a tensor of one number is made of. */
export interface FullOptions {
  /** Default: float32. */
  readonly dtype?: DType | undefined;
}

/** How random numbers are drawn. */
export interface RandnOptions {
  /** The same seed gives the same numbers on every machine. Default: 0. */
  readonly seed?: number | undefined;
}

const FULL_OPTIONS: OptionKinds<FullOptions> = { dtype: DTYPE };
const RANDN_OPTIONS: OptionKinds<RandnOptions> = { seed: WHOLE };
const SIZES = listOf(NOT_NEGATIVE_WHOLE, "sizes, whole numbers from 0 up");
/** The first numbers of a generator, which still show how simple its seed is. */
const UNMIXED = 64;
/** More than a typed array holds anywhere. */
const MOST_NUMBERS = 2 ** 32;

/** One number everywhere. @throws ArgumentError for what is not a shape, or a number that the dtype cannot hold */
export function full(shape: Shape, value: number, options: FullOptions = {}): Tensor {
  checkOptions("full", options, FULL_OPTIONS);
  return filled("full", shape, value, options);
}

/** Zeros of a shape: `zeros({ batch: 2, pos: 3 })`. @throws ArgumentError for what is not a shape */
export function zeros(shape: Shape, options: FullOptions = {}): Tensor {
  checkOptions("zeros", options, FULL_OPTIONS);
  return filled("zeros", shape, 0, options);
}

/** Ones of a shape. @throws ArgumentError for what is not a shape */
export function ones(shape: Shape, options: FullOptions = {}): Tensor {
  checkOptions("ones", options, FULL_OPTIONS);
  return filled("ones", shape, 1, options);
}

function filled(what: string, shape: Shape, value: number, { dtype = "float32" }: FullOptions): Tensor {
  const { sizes, axes } = parts(what, shape);
  if (typeof value !== "number") checkArgument(`The number of ${what}`, value, NUMBER);
  const data = emptyData(dtype, sizeOf(sizes)).fill(value);
  if (dtype !== "float32" && data.length > 0 && data[0] !== value) {
    throw new ArgumentError(`${value} is not a number of dtype ${dtype}.`, { asked: value, found: dtype });
  }
  return Tensor.leaf({ dtype, shape: sizes, data } as NDArray, axes);
}

/** Numbers from a normal distribution with mean 0 and variance 1, from a seed. @throws ArgumentError for what is not a shape */
export function randn(shape: Shape, options: RandnOptions = {}): Tensor {
  checkOptions("randn", options, RANDN_OPTIONS);
  const { sizes, axes } = parts("randn", shape);
  const next = normal(options.seed ?? 0);
  for (let i = 0; i < UNMIXED; i++) next();
  return Tensor.leaf(ndarray("float32", sizes, new Float32Array(sizeOf(sizes)).map(next)), axes);
}

/**
 * int32 numbers `[start, start + step, …]` before `end`: `arange(5)` is 0 to 4. Indices are int32, and `cast` makes others of them.
 * @throws ArgumentError for anything but whole numbers, or a step of 0
 */
export function arange(end: number): Tensor;
export function arange(start: number, end: number, step?: number): Tensor;
export function arange(first: number, last?: number, step = 1): Tensor {
  const [start, end] = last === undefined ? [0, first] : [first, last];
  for (const [what, x] of Object.entries({ start, end, step })) checkArgument(`The ${what} of arange`, x, INT32);
  if (step === 0) throw new ArgumentError("The step of arange must not be 0.", { asked: step });
  const length = Math.max(0, Math.ceil((end - start) / step));
  checkSize("arange", [length]);
  return Tensor.leaf(
    ndarray(
      "int32",
      [length],
      new Int32Array(length).map((_, i) => start + i * step),
    ),
  );
}

const INT32 = {
  accepts: (v: unknown) => Number.isInteger(v) && (v as number) === ((v as number) | 0),
  describe: "a whole number of 32 bits",
};

/** The identity matrix: ones on the diagonal of `[rows, columns]`, square by default. @throws ArgumentError */
export function eye(rows: number, columns = rows): Tensor {
  checkArgument("The size of eye", rows, COUNT);
  checkArgument("The columns of eye", columns, COUNT);
  checkSize("eye", [rows, columns]);
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) data[i * columns + i] = 1;
  return Tensor.leaf(ndarray("float32", [rows, columns], data));
}

function parts(what: string, shape: Shape): { readonly sizes: readonly number[]; readonly axes: readonly string[] } {
  checkArgument(`The shape of ${what}`, shape, either(SIZES, OBJECT));
  const entries = entriesOf(what, shape);
  const sizes = entries.map(([, size]) => size);
  checkArgument(`The shape of ${what}`, sizes, SIZES);
  checkSize(what, sizes);
  return { sizes, axes: Array.isArray(shape) ? [] : entries.map(([axis]) => axis) };
}

function entriesOf(what: string, shape: Shape): [string, number][] {
  try {
    return Object.entries(shape);
  } catch (cause) {
    throw new ArgumentError(`The shape of ${what} cannot be read: one of its fields throws when it is asked for.`, {
      cause,
    });
  }
}

function checkSize(what: string, sizes: readonly number[]): void {
  if (sizeOf(sizes) < MOST_NUMBERS) return;
  throw new ArgumentError(`${what} of shape ${shown(sizes)} would have ${sizeOf(sizes)} numbers.`, { asked: sizes });
}
