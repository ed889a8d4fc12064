/** Tensors from numbers that a caller writes down. */
import { type DType, emptyData, ndarray, type TypedData } from "../tensor/array.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { listOf, NOT_NEGATIVE_WHOLE, oneOf, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { Tensor } from "./tensor.ts";

type Nested = number | boolean | readonly Nested[];

/** How a leaf of written numbers is made. */
interface TensorOptions {
  readonly axes?: readonly string[] | undefined;
  readonly shape?: readonly number[] | undefined;
  readonly dtype?: DType | undefined;
}

const OPTIONS: OptionKinds<TensorOptions> = {
  axes: listOf(TEXT, "names"),
  shape: listOf(NOT_NEGATIVE_WHOLE, "whole numbers from 0 up"),
  dtype: oneOf(["float32", "float64", "int32", "bool"]),
};

/** Axes that a list can be nested for. */
const DEEPEST = 64;

/**
 * A leaf from numbers: nested arrays, or typed data with a shape. Integers stay floats unless `dtype` says otherwise.
 * @throws ShapeError if nested arrays are ragged, or data and shape disagree; ArgumentError for anything but numbers, or a
 * number that the dtype cannot hold
 */
export function tensor(values: Nested | TypedData, options: TensorOptions = {}): Tensor {
  checkOptions("tensor", options, OPTIONS);
  const { array, natural } = ArrayBuffer.isView(values) ? typed(values) : nested(values);
  const dtype = options.dtype ?? natural;
  const shape = options.shape ?? array.shape;
  if (options.axes && options.axes.length > shape.length) {
    throw new ShapeError(`A value of shape [${shape}] has no ${options.axes.length} axes to name.`, {
      asked: options.axes,
      found: shape,
    });
  }
  return Tensor.leaf(ndarray(dtype, shape, fill(dtype, array.data) as never), options.axes);
}

interface Written {
  readonly array: { readonly shape: readonly number[]; readonly data: TypedData | readonly number[] };
  readonly natural: DType;
}

function typed(data: TypedData): Written {
  if (!(Symbol.iterator in data) || typeof (data[0] ?? 0) !== "number") {
    throw new ArgumentError(`A tensor is made from numbers, not from ${shown(data)}.`, { asked: data });
  }
  const natural = data instanceof Int32Array ? "int32" : data instanceof Uint8Array ? "bool" : "float32";
  return { array: { shape: [data.length], data }, natural };
}

function nested(values: Nested): Written {
  const flat: number[] = [];
  const shape: number[] = [];
  let boolean = false;
  const walk = (v: Nested, depth: number): void => {
    if (typeof v === "number" || typeof v === "boolean") {
      if (depth !== shape.length) ragged(shape);
      if (flat.length === 0) boolean = typeof v === "boolean";
      flat.push(+v);
      return;
    }
    if (!(Array.isArray(v) || ArrayBuffer.isView(v)) || depth === DEEPEST) {
      throw new ArgumentError(
        `A tensor is made from numbers, from lists of them nested at most ${DEEPEST} times, or from a typed array, not from ${shown(v)}.`,
        { asked: v },
      );
    }
    if (shape[depth] === undefined && flat.length === 0) shape[depth] = v.length;
    else if (shape[depth] !== v.length) ragged(shape);
    for (const x of v) walk(x, depth + 1);
  };
  walk(values, 0);
  return { array: { shape, data: flat }, natural: boolean ? "bool" : "float32" };
}

/** Numbers as a dtype stores them, those that are stored so already as they are. */
function fill(dtype: DType, values: TypedData | readonly number[]): TypedData {
  if (dtype === "int32" && !(values instanceof Int32Array)) held(dtype, values, (v) => v === (v | 0));
  if (dtype === "bool") held(dtype, values, (v) => v === 0 || v === 1);
  const data = emptyData(dtype, values.length);
  if (values.constructor === data.constructor) return values as TypedData;
  data.set(values);
  return data;
}

function held(dtype: DType, values: ArrayLike<number>, fits: (v: number) => boolean): void {
  for (let i = 0; i < values.length; i++) {
    if (fits(values[i])) continue;
    throw new ArgumentError(`${values[i]} is not a number of dtype ${dtype}.`, { asked: values[i], found: dtype });
  }
}

function ragged(shape: readonly number[]): never {
  throw new ShapeError(`Nested arrays must be of equal length at each depth; the first ones make shape [${shape}].`, {
    found: shape,
  });
}
