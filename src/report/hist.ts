import type { Axis, ReferenceLine } from "../finding/picture.ts";
import { COUNT, oneOf, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { pictureOf } from "./deferred.ts";
import { PICTURE, REFERENCES, UNSCALED_AXIS } from "./option-kinds.ts";
import { baseOf, defined, type Picture, type PictureOptions } from "./picture.ts";
import { type Series, toAxis, toSeries } from "./series.ts";

/** How a histogram looks and what its axes are called. */
export interface HistOptions extends PictureOptions {
  /** The label of the axis, or label, unit and domain; numbers outside the domain are counted in the legend. */
  readonly x?: string | Omit<Axis, "scale"> | undefined;
  /** The approximate number of bins: their borders are round numbers. Default 40. */
  readonly bins?: number | undefined;
  /** Default: "count" for one row of numbers, "share" of each row for several. */
  readonly measure?: "count" | "share" | undefined;
  /** What is counted: "positions". */
  readonly of?: string | undefined;
  readonly references?: readonly ReferenceLine[] | undefined;
}

const KINDS: OptionKinds<HistOptions> = {
  ...PICTURE,
  x: UNSCALED_AXIS,
  bins: COUNT,
  measure: oneOf(["count", "share"]),
  of: TEXT,
  references: REFERENCES,
};

/**
 * A histogram of numbers; several named rows are drawn over each other with the same bins.
 *
 * @throws ShapeError if a row has more than one axis.
 */
export function hist(values: Series, options: HistOptions = {}): Picture {
  checkOptions("hist", options, KINDS);
  return pictureOf(values, (numbers) => ({
    kind: "hist" as const,
    ...baseOf("hist", options),
    series: toSeries(numbers).map(([name, row]) => ({ name, values: row })),
    ...defined({
      x: toAxis(options.x),
      bins: options.bins,
      measure: options.measure,
      of: options.of,
      references: options.references,
    }),
  }));
}
