import type { Axis, LineSpec, ReferenceLine } from "../finding/picture.ts";
import { ShapeError } from "../tensor/errors.ts";
import { ANYTHING } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { commonName, labelled, pictureOf } from "./deferred.ts";
import { toVector, type Vector } from "./numbers.ts";
import { AXIS, PICTURE, REFERENCES } from "./option-kinds.ts";
import { baseOf, defined, type Picture, type PictureOptions } from "./picture.ts";
import { intervalsOf, type Series, toAxis, toSeries } from "./series.ts";

/** How a line chart looks and what its axes are called. */
export interface LineOptions extends PictureOptions {
  /** The label of the axis, or label, unit, domain and scale; `ticks` are names of the places 0, 1, 2, ... */
  readonly x?: string | Axis | undefined;
  readonly y?: string | Axis | undefined;
  /** An interval around the line, drawn as a band: one row each, or rows with the lines' names. */
  readonly low?: Series | undefined;
  readonly high?: Series | undefined;
  /** Where the points are. Default: 0, 1, 2, ... */
  readonly at?: Vector | undefined;
  readonly references?: readonly ReferenceLine[] | undefined;
}

const KINDS: OptionKinds<LineOptions> = {
  ...{ ...PICTURE, x: AXIS, y: AXIS, low: ANYTHING, high: ANYTHING, at: ANYTHING },
  references: REFERENCES,
};

/**
 * A line, or several by name: `line({ clean, ablated })`. Tensors may be such that have not been computed: they are when the picture is drawn.
 *
 * @throws ShapeError if a row has more than one axis, or `at`, an interval and a row differ in length.
 * @throws ArgumentError for one end of an interval without the other
 */
export function line(values: Series, options: LineOptions = {}): Picture {
  checkOptions("line", options, KINDS);
  return pictureOf({ values, at: options.at, low: options.low, high: options.high }, (numbers) =>
    specOf(numbers.values, { ...options, at: numbers.at, low: numbers.low, high: numbers.high }),
  );
}

function specOf(values: Series, options: LineOptions): LineSpec {
  const at = options.at && toVector(options.at).map(Number);
  const rows = toSeries(values);
  const interval = intervalsOf(rows, options);
  const series = rows.map(([name, y]) => {
    if (at && at.length !== y.length) {
      throw new ShapeError(`The line ${name ? `"${name}" ` : ""}has ${y.length} points, but "at" has ${at.length}.`, {
        asked: at.length,
        found: y.length,
      });
    }
    return { name, y, ...defined({ x: at }), ...interval(name) };
  });
  return {
    kind: "line",
    ...baseOf("line", options),
    series,
    ...defined({
      x: labelled(options.x, at ? undefined : commonName(values)),
      y: toAxis(options.y),
      references: options.references,
    }),
  };
}
