import type { ColorScale, IndexAxis } from "../finding/picture.ts";
import { ShapeError } from "../tensor/errors.ts";
import { listOf } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { type Matrix, matricesOf, type Numbers, toMatrix, toShaped } from "./numbers.ts";
import { COLOR, INDEX_AXIS, PICTURE, TEXTS } from "./option-kinds.ts";
import { baseOf, defined, type Picture, type PictureOptions, picture } from "./picture.ts";

/** How a heatmap looks and what its axes are called. */
export interface ImshowOptions extends PictureOptions {
  /** The label of the columns, or label and ticks. */
  readonly x?: string | IndexAxis | undefined;
  /** The label of the rows, or label and ticks. */
  readonly y?: string | IndexAxis | undefined;
  /** Default: RdBu centred on 0, up to the largest |value|. */
  readonly color?: ColorScale | undefined;
  /** Words of its own for each cell, in its tip above the numbers, as `[row][column]`; for a single matrix only. */
  readonly titles?: readonly (readonly string[])[] | undefined;
  /**
   * Draws one heatmap for each index of the first of three axes, side by side on one colour scale: the axis' name ("head"), or the
   * heatmaps' titles.
   */
  readonly facet?: string | IndexAxis | undefined;
}

const KINDS: OptionKinds<ImshowOptions> = {
  ...PICTURE,
  x: INDEX_AXIS,
  y: INDEX_AXIS,
  color: COLOR,
  titles: listOf(TEXTS, "rows of texts"),
  facet: INDEX_AXIS,
};

/**
 * A matrix as coloured cells, row 0 on top: red below 0, blue above, white at 0. With `facet`, several matrices
 * `[facet, row, column]`. Tokens as ticks: `x: { label: "position", ticks: tokenTicks(strTokens) }`.
 *
 * @throws ShapeError if `values` is not a matrix, or, with `facet`, not several matrices.
 */
export function imshow(values: Matrix | Numbers, options: ImshowOptions = {}): Picture {
  checkOptions("imshow", options, KINDS);
  const { color, titles, facet } = options;
  const axes = defined({ x: indexAxis(options.x), y: indexAxis(options.y), color });
  if (facet === undefined) {
    const matrix = toMatrix(values as Matrix);
    return picture({
      kind: "imshow",
      ...baseOf("imshow", options),
      values: matrix,
      ...axes,
      ...defined({ words: titles }),
    });
  }
  const shaped = toShaped(values);
  if (shaped.shape.length !== 3) {
    throw new ShapeError(
      `Expected matrices [facet, row, column], but the array has shape [${shaped.shape}]. Leave facet out for one matrix.`,
      { asked: 3, found: shaped.shape },
    );
  }
  if (titles)
    throw new ShapeError("titles are for a single matrix, but with facet there are several: leave titles out.", {
      asked: "titles",
    });
  const { label, ticks } = indexAxis(facet)!;
  const facets = matricesOf(shaped).map((matrix, f) => ({
    title: ticks?.[f] ?? `${label ?? ""} ${f}`.trim(),
    values: matrix,
  }));
  return picture({ kind: "facets", ...baseOf("facets", options), facets, ...axes });
}

function indexAxis(axis: string | IndexAxis | undefined): IndexAxis | undefined {
  return typeof axis === "string" ? { label: axis } : axis;
}
