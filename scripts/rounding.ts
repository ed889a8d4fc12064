/** Whether two texts, such as SVGs, are the same but for what differs between machines: the last digits of numbers. */

/** Numbers with decimals may differ by this share, ... */
const SHARE = 0.005;
/** ... by this many of their last places, ... */
const PLACES = 1.5;
/** ... and in a picture by this many pixels. */
const PIXELS = 0.05;
/** Below this a number with an exponent is a rounding error. */
const TINY = 1e-4;

/** Colours, then numbers. */
const VARYING = /#[0-9a-f]{6}\b|-?\d+(?:\.\d+)?(?:e-?\d+)?/gi;

/** Where two texts first differ by more than rounding, with what stands there in each; undefined if they do not. */
export function difference(before: string, now: string): string | undefined {
  if (before === now) return undefined;
  const [a, b] = [pieces(before), pieces(now)];
  const slack = now.startsWith("<svg") ? PIXELS : 0;
  const at = a.findIndex((piece, i) => !alike(piece, b[i], slack));
  if (at < 0 && a.length === b.length) return undefined;
  const where = at < 0 ? a.length : at;
  const around = (all: readonly string[]) => all.slice(Math.max(0, where - 4), where + 3).join("");
  return `“${around(a)}” against “${around(b)}”`;
}

/** Numbers and what is between them. */
function pieces(text: string): string[] {
  const found: string[] = [];
  let end = 0;
  for (const match of text.matchAll(VARYING)) {
    found.push(text.slice(end, match.index), match[0]);
    end = match.index + match[0].length;
  }
  return [...found, text.slice(end)];
}

function alike(a: string, b: string | undefined, slack: number): boolean {
  if (a === b) return true;
  if (b === undefined) return false;
  if (/^#/.test(a) && /^#/.test(b)) return channels(a).every((x, i) => Math.abs(x - channels(b)[i]) <= 3);
  // What an exact sum misses by, "6e-7", is rounding itself.
  if ([a, b].every((text) => /e-/.test(text) && Math.abs(Number(text)) < TINY)) return true;
  // Whole numbers are counts, ranks and indices: they are equal or different.
  const places = Math.max(...[a, b].map((text) => /^-?\d+\.(\d+)$/.exec(text)?.[1].length ?? 0));
  const apart = Math.abs(Number(a) - Number(b));
  return places > 0 && apart <= Math.max(slack, PLACES * 10 ** -places, SHARE * Math.abs(Number(a)));
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((i) => Number.parseInt(colour.slice(i, i + 2), 16));
}
