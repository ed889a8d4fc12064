/** Patterns of axes, as einops and fancy_einsum write them: `batch pos (head d_head) -> batch head pos d_head`. */
import { ArgumentError, ShapeError, UnknownNameError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { type Meta, showShape } from "./axes.ts";

/** One axis of a pattern: the names that it is made of. One of size 1 is made of none. */
export interface PatternAxis {
  readonly names: readonly string[];
  /** Whether it stands in brackets, or is 1: not one axis under its own name. */
  readonly made: boolean;
}

/** What stands for the axes that `...` means, before it is known how many they are. */
export const DOTS: PatternAxis = { names: ["..."], made: false };

/** The sides of a pattern. @throws ArgumentError for a text that is not one */
export function sidesOf(what: string, pattern: string): [left: string, right: string] {
  const sides = pattern.split("->");
  if (sides.length === 2) return [sides[0], sides[1]];
  throw new ArgumentError(`${what} ${shown(pattern)} needs one "->" between the axes before and after.`, {
    asked: pattern,
  });
}

/** One side of a pattern. @throws ArgumentError for what is not a name, a number 1, brackets or dots, or for a name twice */
export function axesOfPattern(what: string, side: string): PatternAxis[] {
  const axes: PatternAxis[] = [];
  let group: string[] | undefined;
  for (const [token] of side.matchAll(/\.\.\.|[A-Za-z_]\w*|\S/g)) {
    const isName = /^[A-Za-z_]/.test(token);
    if (group && isName) group.push(token);
    else if (isName) axes.push({ names: [token], made: false });
    else if (!group && token === "...") axes.push(DOTS);
    else if (!group && token === "(") group = [];
    else if (!group && token === "1") axes.push({ names: [], made: true });
    else if (group && token === ")") {
      axes.push({ names: group, made: true });
      group = undefined;
    } else unreadable(what, side, token);
  }
  if (group) unreadable(what, side, "(");
  const names = axes.flatMap((axis) => axis.names);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new ArgumentError(`${what} "${side.trim()}" has ${twice} twice.`, { asked: side });
  return axes;
}

function unreadable(what: string, side: string, token: string): never {
  throw new ArgumentError(
    `${what} "${side.trim()}" cannot be read at "${token}": a pattern has names of axes, 1, "..." and names in brackets, as in "batch pos (head d_head)".`,
    { asked: side, found: token },
  );
}

/** A side whose dots have become one axis each, named `...0`, `...1`, from the right, so that those of two values meet there. */
export function withDots(axes: readonly PatternAxis[], count: number): PatternAxis[] {
  const dots = Array.from({ length: count }, (_, i) => ({ names: [`...${count - 1 - i}`], made: false }));
  return axes.flatMap((axis) => (axis === DOTS ? dots : [axis]));
}

/**
 * A side as the axes of a value: one for one, in order.
 * @throws ShapeError if they are not as many, or the name of one axis stands in the place of another
 */
export function matched(what: string, side: string, axes: readonly PatternAxis[], x: Meta): PatternAxis[] {
  const named = axes.filter((axis) => axis !== DOTS).length;
  const dots = x.shape.length - named;
  const hasDots = named < axes.length;
  if (dots < 0 || (dots > 0 && !hasDots)) {
    const more = dots > 0 ? ' Write "..." for axes that it does not name.' : "";
    throw new ShapeError(
      `${what} "${side.trim()}" has ${named} axes, but the value is ${showShape(x)}, which has ${x.shape.length}.${more}`,
      { asked: side, found: x.shape },
    );
  }
  const whole = withDots(axes, dots);
  whole.forEach(({ names: [name], made }, i) => {
    if (made || name.length < 2 || x.axes[i] === name || !x.axes.includes(name)) return;
    throw new ShapeError(
      `${what} "${side.trim()}" has ${name} in the place of axis ${x.axes[i] || i} of ${showShape(x)}: the axes of a pattern stand in the value's order.`,
      { asked: side, found: x.axes },
    );
  });
  return whole;
}

/** The name that an axis of the result gets: the pattern's, or of one letter, which is short for an axis, that axis' own. */
export function resultName({ names, made }: PatternAxis, own: ReadonlyMap<string, string>): string {
  if (made) return "";
  const [name] = names;
  return name.length > 1 && !name.startsWith("...") ? name : (own.get(name) ?? name);
}

/** @throws UnknownNameError for a size of an axis that the pattern lacks */
export function checkSizes(what: string, sizes: Readonly<Record<string, number>>, names: readonly string[]): void {
  const unknown = Object.keys(sizes).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UnknownNameError(`axis of the pattern of ${what}`, unknown, names);
}
