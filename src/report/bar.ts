import type { Axis, BarSpec, IndexAxis, ReferenceLine } from "../finding/picture.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { ANYTHING, FLAG, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { commonName, labelled, pictureOf } from "./deferred.ts";
import { INDEX_AXIS, PICTURE, REFERENCES, UNSCALED_AXIS } from "./option-kinds.ts";
import { baseOf, defined, type Picture, type PictureOptions } from "./picture.ts";
import { intervalsOf, type Series, toAxis, toSeries } from "./series.ts";

/** How a bar chart looks and what its axes are called. */
export interface BarOptions extends PictureOptions {
  /** What the bars are, or label and ticks: a name for each bar, or for each group. */
  readonly x?: string | IndexAxis | undefined;
  /** What their length says: the label of the axis, or label, unit and domain. */
  readonly y?: string | BarSpec["y"] | undefined;
  /** An interval around the end of each bar: one row each, or rows with the series' names. */
  readonly low?: Series | undefined;
  readonly high?: Series | undefined;
  /** Makes a waterfall: each bar starts where the one before ended, and a last bar with this name is their sum. */
  readonly total?: string | undefined;
  /** Whether bars lie, with their names at the left. Default: if the names do not fit below standing bars. */
  readonly horizontal?: boolean | undefined;
  /** Lines at a value: `{ kind: "y", at: 0.5, label: "chance" }`. */
  readonly references?: readonly ReferenceLine[] | undefined;
}

const KINDS: OptionKinds<BarOptions> = {
  ...PICTURE,
  ...{ x: INDEX_AXIS, y: UNSCALED_AXIS, low: ANYTHING, high: ANYTHING },
  ...{ total: TEXT, horizontal: FLAG, references: REFERENCES },
};

/**
 * A bar for each number, from 0; several named rows stand in groups: `bar({ clean, ablated }, { x: { ticks: names } })`. With `total`,
 * a waterfall: what each component adds to a sum, as in direct logit attribution.
 *
 * @throws ShapeError if a row has more than one axis, or rows, ticks and intervals differ in length.
 * @throws ArgumentError for a waterfall of several rows, or a reference line that is not at a value
 */
export function bar(values: Series, options: BarOptions = {}): Picture {
  checkOptions("bar", options, KINDS);
  return pictureOf({ values, low: options.low, high: options.high }, (numbers) =>
    specOf(numbers.values, { ...options, low: numbers.low, high: numbers.high }),
  );
}

function specOf(values: Series, options: BarOptions): BarSpec {
  const rows = toSeries(values);
  const x = labelled(options.x, commonName(values));
  checkRows(rows, x, options);
  const interval = intervalsOf(rows, options);
  const { total, horizontal, references } = options;
  return {
    kind: "bar",
    ...baseOf("bar", options),
    series: rows.map(([name, row]) => ({ name, values: row, ...interval(name) })),
    ...defined({ x, y: toAxis(options.y as string | Axis | undefined), total, horizontal, references }),
  };
}

function checkRows(
  rows: readonly (readonly [string, readonly unknown[]])[],
  x: IndexAxis | undefined,
  { total, low, high, references }: BarOptions,
): void {
  const [first] = rows;
  const odd = rows.find(([, row]) => row.length !== first[1].length);
  if (odd) {
    throw new ShapeError(`"${first[0]}" has ${first[1].length} bars, but "${odd[0]}" has ${odd[1].length}.`, {
      asked: odd[1].length,
      found: first[1].length,
    });
  }
  if (first && x?.ticks && x.ticks.length !== first[1].length) {
    throw new ShapeError(`There are ${first[1].length} bars, but "ticks" has ${x.ticks.length} names.`, {
      asked: x.ticks.length,
      found: first[1].length,
    });
  }
  if (total !== undefined && (rows.length !== 1 || low !== undefined || high !== undefined)) {
    throw new ArgumentError(
      `A waterfall ("total") shows how one row of numbers adds up, without intervals, not ${rows.length} rows: leave "total" out, or pass one row.`,
      { asked: total, found: rows.length },
    );
  }
  const line = references?.find(({ kind }) => kind !== "y");
  if (line) {
    throw new ArgumentError(
      `A reference line of bars is at a value: { kind: "y", at, label }, not kind "${line.kind}".`,
      {
        asked: line.kind,
      },
    );
  }
}
