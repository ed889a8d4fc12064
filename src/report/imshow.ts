import type { ColorScale, IndexAxis } from "../analyses/picture.ts";
import { type Matrix, toMatrix } from "./numbers.ts";
import { baseOf, defined, type Picture, type PictureOptions, picture } from "./picture.ts";

/** How a heatmap looks and what its axes are called. */
export interface ImshowOptions extends PictureOptions {
  /** Label of the columns, or label and ticks. */
  readonly x?: string | IndexAxis;
  /** Label of the rows, or label and ticks. */
  readonly y?: string | IndexAxis;
  /** Default: RdBu centred on 0, as far as the largest |value|. */
  readonly color?: ColorScale;
  /** A hover text per cell, as `[row][column]`. */
  readonly titles?: readonly (readonly string[])[];
}

/**
 * A matrix as coloured cells, row 0 on top: red below 0, blue above, white at 0.
 *
 * @throws ShapeError if `values` is not a matrix.
 */
export function imshow(values: Matrix, options: ImshowOptions = {}): Picture {
  return picture({
    kind: "imshow",
    ...baseOf("imshow", options),
    values: toMatrix(values),
    ...defined({ x: indexAxis(options.x), y: indexAxis(options.y), color: options.color, titles: options.titles }),
  });
}

function indexAxis(axis: string | IndexAxis | undefined): IndexAxis | undefined {
  return typeof axis === "string" ? { label: axis } : axis;
}
