/** Tensors passed to functions of the lens, checked before anything is computed from them. */
import { showShape } from "../graph/axes.ts";
import { Tensor } from "../graph/tensor.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";

/** @throws ArgumentError for anything but a Tensor; ShapeError for another number of axes or dtype */
export function checkTensor(
  what: string,
  value: unknown,
  axes?: readonly string[],
  dtype?: string,
): asserts value is Tensor {
  const wanted = `${dtype ? `${dtype} ` : ""}${axes ? `[${axes.join(" ")}]` : "a Tensor"}`;
  if (!(value instanceof Tensor))
    throw new ArgumentError(`${what} must be ${wanted}, not ${shown(value)}.`, { asked: value });
  if ((axes && value.shape.length < axes.length) || (dtype && value.dtype !== dtype)) {
    throw new ShapeError(`${what} must be ${wanted}, but got ${value.dtype} ${showShape(value)}.`, {
      asked: axes,
      found: value.shape,
    });
  }
}
