import type { Axis, ColorScale, ReferenceLine, ScatterSpec } from "../finding/picture.ts";
import { ShapeError } from "../tensor/errors.ts";
import { ANYTHING } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { pictureOf } from "./deferred.ts";
import { toVector, type Vector } from "./numbers.ts";
import { AXIS, COLOR, PICTURE, REFERENCES, TEXTS } from "./option-kinds.ts";
import { baseOf, defined, type Picture, type PictureOptions } from "./picture.ts";
import { toAxis } from "./series.ts";

/** How a scatter plot looks and what its axes are called. */
export interface ScatterOptions extends PictureOptions {
  /** The label of the axis, or label, unit, domain and scale. */
  readonly x?: string | Axis | undefined;
  readonly y?: string | Axis | undefined;
  /** The name of each point's group; groups have separate colours and are listed in a legend. */
  readonly groups?: readonly string[] | undefined;
  /** A number for each point, shown as its colour; it replaces the colours of groups. */
  readonly color?: Vector | undefined;
  readonly colorScale?: ColorScale | undefined;
  /** Words of its own for each point, in its tip above the numbers. */
  readonly titles?: readonly string[] | undefined;
  /** Words next to the points; an empty string writes nothing. */
  readonly labels?: readonly string[] | undefined;
  readonly references?: readonly ReferenceLine[] | undefined;
}

const KINDS: OptionKinds<ScatterOptions> = {
  ...PICTURE,
  ...{ x: AXIS, y: AXIS, groups: TEXTS, titles: TEXTS, labels: TEXTS },
  color: ANYTHING,
  colorScale: COLOR,
  references: REFERENCES,
};

/**
 * One point for each pair of numbers.
 *
 * @throws ShapeError if x, y, or any other list with one entry per point differ in length.
 */
export function scatter(x: Vector, y: Vector, options: ScatterOptions = {}): Picture {
  checkOptions("scatter", options, KINDS);
  return pictureOf({ x, y, color: options.color }, (numbers) =>
    specOf(numbers.x, numbers.y, { ...options, color: numbers.color }),
  );
}

function specOf(x: Vector, y: Vector, options: ScatterOptions): ScatterSpec {
  const all = { x: toVector(x), y: toVector(y), color: options.color && toVector(options.color) };
  const { groups, titles, labels } = options;
  for (const [what, given] of Object.entries({ y: all.y, color: all.color, groups, titles, labels })) {
    if (given && given.length !== all.x.length) {
      throw new ShapeError(`There are ${all.x.length} points on x, but "${what}" has ${given.length}.`, {
        asked: all.x.length,
        found: given.length,
      });
    }
  }
  const names = [...new Set(groups ?? [""])];
  const series = names.map((name) => {
    const pick = <T>(values: readonly T[]) => (groups ? values.filter((_, i) => groups[i] === name) : values);
    return {
      name,
      x: pick(all.x),
      y: pick(all.y),
      ...defined({
        words: titles && pick(titles),
        labels: labels && pick(labels),
        color: all.color && pick(all.color),
      }),
    };
  });
  return {
    kind: "scatter",
    ...baseOf("scatter", options),
    series,
    ...defined({
      x: toAxis(options.x),
      y: toAxis(options.y),
      color: options.colorScale,
      references: options.references,
    }),
  };
}
