/** Where the bins of histograms begin. A grid is fixed before any value is seen, so that histograms over it merge. */

/** Bins in ascending order, which have every number among them. */
export interface Grid {
  readonly bins: number;
  /** The bin of a number. */
  indexOf(value: number): number;
  /** Where a bin begins; -Infinity for the first. A bin ends where the next one begins. */
  from(bin: number): number;
}

/** Bins of one width from `from` to `to`, one for what is below and one for what is above. */
export function linearGrid(from: number, to: number, parts: number): Grid {
  const edge = (i: number) => from + ((to - from) * i) / parts;
  return {
    bins: parts + 2,
    indexOf(value) {
      if (value < from) return 0;
      if (value >= to) return parts + 1;
      let i = Math.min(parts - 1, Math.floor(((value - from) / (to - from)) * parts));
      // A quotient that was rounded may be on the wrong side of an edge.
      if (value < edge(i)) i--;
      else if (value >= edge(i + 1)) i++;
      return i + 1;
    },
    from: (bin) => (bin === 0 ? Number.NEGATIVE_INFINITY : edge(bin - 1)),
  };
}

/**
 * Bins whose width is a fixed share of where they are, for both signs: each power of 2 from 2^`lowest` to 2^`highest` is divided into
 * `parts` of one width, and one bin has what is closer to 0. A number differs from its bin's middle by at most 1/(2 `parts`) of itself.
 * Bins follow from a number's bits and not from a logarithm, whose last digit is another on another machine.
 */
export function logGrid(lowest: number, highest: number, parts: number): Grid {
  const octaves = highest - lowest;
  const side = octaves * parts + 1; // the last has all that is larger
  const size = (magnitude: number) => {
    if (magnitude >= 2 ** highest) return side - 1;
    const exponent = exponentOf(magnitude);
    return (exponent - lowest) * parts + Math.floor((magnitude / 2 ** exponent - 1) * parts);
  };
  const edge = (i: number) => 2 ** (lowest + Math.floor(i / parts)) * (1 + (i % parts) / parts);
  const least = 2 ** lowest;
  return {
    bins: 2 * side + 1,
    indexOf(value) {
      if (value >= least) return side + 1 + size(value);
      return value <= -least ? side - 1 - size(-value) : side;
    },
    from(bin) {
      if (bin === 0) return Number.NEGATIVE_INFINITY;
      if (bin === side) return -least;
      return bin > side ? edge(bin - side - 1) : -edge(side - bin);
    },
  };
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
/** Where the sign and the exponent are, in either order of bytes. */
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;

/** The power of 2 at or below a positive normal number. */
function exponentOf(value: number): number {
  double[0] = value;
  return ((words[HIGH] >>> 20) & 0x7ff) - 1023;
}
