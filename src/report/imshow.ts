import type { ColorScale, IndexAxis, PictureSpec } from "../finding/picture.ts";
import { ShapeError } from "../tensor/errors.ts";
import { listOf } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { axisNames, labelled, pictureOf } from "./deferred.ts";
import { type Matrix, matricesOf, type Numbers, toMatrix, toShaped } from "./numbers.ts";
import { COLOR, INDEX_AXIS, PICTURE, TEXTS } from "./option-kinds.ts";
import { baseOf, defined, type Picture, type PictureOptions } from "./picture.ts";

/** How a heatmap looks and what its axes are called. */
export interface ImshowOptions extends PictureOptions {
  /** The label of the columns, or label and ticks. Default: a tensor's own axis name. */
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
 * A tensor's own axis names are the labels unless you say otherwise, and a tensor that has not been computed is computed when the picture
 * is drawn: `await imshow(cache.get("blocks.0.attn.hook_pattern").at({ batch: 0, head: 3 })).svg()`.
 *
 * @throws ShapeError if `values` is not a matrix, or, with `facet`, not several matrices.
 */
export function imshow(values: Matrix | Numbers, options: ImshowOptions = {}): Picture {
  checkOptions("imshow", options, KINDS);
  return pictureOf(values, (numbers) => specOf(numbers, options));
}

function specOf(values: Matrix | Numbers, options: ImshowOptions): PictureSpec {
  const { color, titles, facet } = options;
  const [rows, columns] = axisNames(values, 2);
  const axes = defined({ x: labelled(options.x, columns), y: labelled(options.y, rows), color });
  if (facet === undefined) {
    const matrix = toMatrix(values as Matrix);
    return {
      kind: "imshow",
      ...baseOf("imshow", options),
      values: matrix,
      ...axes,
      ...defined({ words: titles }),
    };
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
  const { label, ticks } = labelled(facet, axisNames(values, 3)[0])!;
  const facets = matricesOf(shaped).map((matrix, f) => ({
    title: ticks?.[f] ?? `${label ?? ""} ${f}`.trim(),
    values: matrix,
  }));
  return { kind: "facets", ...baseOf("facets", options), facets, ...axes };
}
