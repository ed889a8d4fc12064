/** einsum over named axes, as an equation of letters. */
import { ArgumentError } from "../tensor/errors.ts";
import type { Meta } from "./axes.ts";
import { axesOfPattern, DOTS, matched, type PatternAxis, resultName, sidesOf, withDots } from "./patterns.ts";

/** An equation of one letter an axis, and the names of the result's axes, from the right. */
interface Lettered {
  readonly equation: string;
  readonly axes: readonly string[];
}

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Whether an equation names axes in words: "batch pos, pos ->" does, "bp,p->" and "b p, p ->" have a letter each. */
export function isNamed(equation: string): boolean {
  return equation.split(/,|->/).some((term) => {
    const words = term.trim().split(/\s+/);
    return /[._\d]/.test(term) || (words.length > 1 && words.some((word) => word.length > 1));
  });
}

/**
 * The equation in letters. A name of one letter keeps the axis' own name in the result, a longer one is its name there.
 * @throws ArgumentError for an equation that is not one, ShapeError where it does not fit the values
 */
export function lettered(equation: string, inputs: readonly Meta[]): Lettered {
  const [left, right] = sidesOf("einsum", equation);
  const sides = left.split(",");
  const terms = sides.map((side) => plain(side));
  if (terms.length !== inputs.length) {
    throw new ArgumentError(`einsum "${equation}" is of ${terms.length} values, but there are ${inputs.length}.`, {
      asked: equation,
      found: inputs.length,
    });
  }
  const result = plain(right);
  // Dots in front everywhere are axes that broadcast: the op's own. Elsewhere each of them gets a letter.
  const infront = [...terms, result].every((axes) => axes.indexOf(DOTS) <= 0) && result[0] === DOTS;
  const whole = terms.map((axes, k) => matched("einsum", sides[k], axes, inputs[k]));
  const own = new Map<string, string>();
  for (const [k, axes] of whole.entries()) {
    for (const [i, { names }] of axes.entries()) own.set(names[0], own.get(names[0]) || inputs[k].axes[i]);
  }
  const dots = Math.max(0, ...whole.map((axes, k) => axes.length - terms[k].length + 1));
  const letters = new Map([...own.keys()].map((name, i) => [name, LETTERS[i]]));
  const text = (axes: readonly PatternAxis[]) =>
    axes
      .map(({ names: [name] }) => (infront && name.startsWith("...") ? "" : letterOf(name, letters, equation)))
      .join("");
  const dotted = withDots(result, dots);
  return {
    equation: `${whole.map(text).join(",")}->${text(dotted)}`,
    axes: dotted.map((axis) => resultName(axis, own)),
  };
}

function plain(side: string): PatternAxis[] {
  const axes = axesOfPattern("einsum", side);
  if (axes.some(({ made }) => made)) {
    throw new ArgumentError(
      `einsum "${side.trim()}" takes names and "...", but neither brackets nor 1: rearrange does.`,
    );
  }
  return axes;
}

function letterOf(name: string, letters: ReadonlyMap<string, string>, equation: string): string {
  const letter = letters.get(name);
  if (letter) return letter;
  throw new ArgumentError(`einsum "${equation}" has ${name} behind the arrow, but no value has that axis.`, {
    asked: name,
    found: [...letters.keys()],
  });
}
