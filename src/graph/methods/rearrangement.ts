/** Methods that take a pattern of axes. */
import { ArgumentError, ShapeError } from "../../tensor/errors.ts";
import { COUNT, OBJECT, oneOf, TEXT } from "../../tensor/kinds.ts";
import { checkArgument } from "../../tensor/options.ts";
import { showShape } from "../axes.ts";
import {
  axesOfPattern,
  checkSizes,
  DOTS,
  matched,
  type PatternAxis,
  resultName,
  sidesOf,
  withDots,
} from "../patterns.ts";
import { Matrices } from "./matrices.ts";

/** What `reduce` makes of the axes that the right side lacks. */
export type Reduction = "sum" | "mean" | "max" | "min";

/** Sizes of axes that the value does not show: of names in brackets on the left, and of new axes. */
type Sizes = Readonly<Record<string, number>>;

/** A value whose axes can be laid out by a pattern. */
export abstract class Rearrangement extends Matrices {
  /**
   * The axes as the right side has them: `x.rearrange("batch pos (head d_head) -> batch head pos d_head", { head: 8 })`.
   * Brackets on the left split an axis, on the right merge axes; `1` is an axis of size 1, `...` all axes not named; a name
   * that only the right side has is a new axis, of the size given, along which the value is repeated. The result's axes
   * have the pattern's names; a name of one letter is short, and the axis keeps its own; merged axes have none.
   * @throws ShapeError if the pattern does not fit the value, ArgumentError for a text that is not a pattern
   */
  rearrange(pattern: string, sizes: Sizes = {}): this {
    return this.laidOut("rearrange", pattern, sizes);
  }

  /**
   * `rearrange`, where the axes that the right side lacks are reduced: `x.reduce("batch pos d_model -> pos", "mean")`.
   * @throws ShapeError, ArgumentError
   */
  reduce(pattern: string, reduction: Reduction, sizes: Sizes = {}): this {
    checkArgument("The reduction of reduce", reduction, oneOf(["sum", "mean", "max", "min"]));
    return this.laidOut("reduce", pattern, sizes, reduction);
  }

  private laidOut(what: string, pattern: string, sizes: Sizes, reduction?: Reduction): this {
    checkArgument(`The pattern of ${what}`, pattern, TEXT);
    checkArgument(`The sizes of ${what}`, sizes, OBJECT);
    for (const size of Object.values(sizes)) checkArgument(`A size of ${what}`, size, COUNT);
    const [left, right] = sidesOf(what, pattern);
    const before = axesOfPattern(what, left);
    const axes = matched(what, left, before, this);
    const after = withDots(axesOfPattern(what, right), axes.length - before.length + 1);
    if (!before.includes(DOTS) && after.some(({ names }) => names[0]?.startsWith("..."))) {
      throw new ArgumentError(`${what} "${pattern}" has "..." on the right side alone.`, { asked: pattern });
    }
    const names = axes.flatMap((axis) => axis.names);
    const wanted = after.flatMap((axis) => axis.names);
    checkSizes(what, sizes, [...names, ...wanted]);
    const own = new Map(axes.flatMap((axis, i) => (axis.made ? [] : [[axis.names[0], this.axes[i]]])));
    const { part, left: kept } = this.takenApart(what, axes, sizes).without(what, names, wanted, reduction);
    return part
      .withNew(what, kept, wanted, sizes)
      .putTogether(after)
      .rename(after.map((axis) => resultName(axis, own)));
  }

  /** An axis for each name of the left side. */
  private takenApart(what: string, axes: readonly PatternAxis[], sizes: Sizes): this {
    return axes.reduceRight<this>((x, { names, made }, i) => {
      if (!made) {
        const [name] = names;
        if (Object.hasOwn(sizes, name) && sizes[name] !== x.shape[i]) {
          throw new ShapeError(`${what}: ${name} is to be ${sizes[name]}, but the value is ${showShape(this)}.`);
        }
        return x;
      }
      if (names.length === 0) return x.squeeze(i);
      const open = names.filter((name) => !Object.hasOwn(sizes, name));
      if (open.length > 1) {
        throw new ArgumentError(
          `${what} cannot know the sizes of ${open.join(" and ")}: one of them may be left out, as in { ${open[0]}: 2 }.`,
          { asked: names },
        );
      }
      return x.splitAxis(i, Object.fromEntries(names.map((name) => [name, sizes[name] ?? -1])));
    }, this);
  }

  /** What is left of the names where those that the right side lacks are reduced. */
  private without(what: string, names: readonly string[], wanted: readonly string[], reduction?: Reduction) {
    const gone = names.flatMap((name, i) => (wanted.includes(name) ? [] : [i]));
    if (gone.length > 0 && !reduction) {
      throw new ArgumentError(
        `${what} has ${gone.map((i) => names[i]).join(" and ")} on the left side alone: reduce takes such axes together.`,
        { asked: names, found: wanted },
      );
    }
    const part = gone.length > 0 ? this[reduction!](gone) : this;
    return { part, left: names.filter((name) => wanted.includes(name)) };
  }

  /** With an axis for each wanted name, in that order. */
  private withNew(what: string, names: readonly string[], wanted: readonly string[], sizes: Sizes): this {
    const added = wanted.filter((name) => !names.includes(name));
    const whole = added.reduce<this>((x, name) => {
      if (Object.hasOwn(sizes, name)) return x.unsqueeze(-1).repeat(-1, sizes[name]);
      throw new ArgumentError(`${what} needs the size of the new axis ${name}, as in { ${name}: 2 }.`, { asked: name });
    }, this);
    const all = [...names, ...added];
    const order = wanted.map((name) => all.indexOf(name));
    return order.every((at, i) => at === i) ? whole : whole.permute(order);
  }

  /** An axis for each of the right side. */
  private putTogether(after: readonly PatternAxis[]): this {
    let at = this.shape.length;
    return after.reduceRight<this>((x, { names }) => {
      at -= names.length;
      return names.length === 0 ? x.unsqueeze(at) : x.mergeAxes(at, names.length);
    }, this);
  }
}
