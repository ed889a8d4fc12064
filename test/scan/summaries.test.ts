/** The law of summaries: however values are divided, and in whatever order the parts are merged, the state is the same. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Counts } from "../../src/scan/summaries/counts.ts";
import { GridSums } from "../../src/scan/summaries/grid-sums.ts";
import { linearGrid, logGrid } from "../../src/scan/summaries/grids.ts";
import { Histograms } from "../../src/scan/summaries/histograms.ts";
import { Moments } from "../../src/scan/summaries/moments.ts";
import { packedRows, unpackedRows } from "../../src/scan/summaries/packed.ts";
import { Sample } from "../../src/scan/summaries/sample.ts";
import type { Summary } from "../../src/scan/summaries/summary.ts";
import { TopK } from "../../src/scan/summaries/top-k.ts";

/** A value of one of a few things, and where it is. */
interface Seen {
  readonly index: number;
  readonly value: number;
  readonly key: number;
}

const THINGS = 3;

/** Numbers of all sizes that a float32 can have between its ends, equal ones among them. */
const value = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true, min: -(2 ** 31), max: 2 ** 31 }),
  fc.constantFrom(0, -0, 1, -1, 0.5, 1e-30, -1e-30, 3e9),
);
const raw = fc.array(fc.record({ index: fc.nat(THINGS - 1), value }), { maxLength: 40 });
/** Three parts, in which no place comes twice. */
const parts = fc.tuple(raw, raw, raw).map((lists) => {
  let i = 0;
  return lists.map((list) => list.map((one): Seen => ({ ...one, key: (i++ * 0x9e3779b1) % 2 ** 45 })));
});
const seen = parts.map((lists) => lists.flat());

/** A summary without its own type. */
type AnySummary = Summary<AnySummary>;

interface Case {
  readonly name: string;
  readonly make: () => AnySummary;
  readonly add: (summary: AnySummary, one: Seen) => void;
}

function of<S extends Summary<S>>(name: string, make: () => S, add: (summary: S, one: Seen) => void): Case {
  return { name, make, add } as unknown as Case;
}

const CASES = [
  of(
    "counts",
    () => new Counts(THINGS),
    (s, { index }) => s.add(index),
  ),
  of(
    "sums",
    () => new GridSums(THINGS),
    (s, { index, value }) => s.add(index, value),
  ),
  of(
    "moments",
    () => new Moments(THINGS),
    (s, { index, value }) => s.add(index, value),
  ),
  of(
    "histograms on a linear grid",
    () => new Histograms(linearGrid(-3, 5, 16), THINGS),
    (s, { index, value }) => s.add(index, value),
  ),
  of(
    "histograms on a logarithmic grid",
    () => new Histograms(logGrid(-20, 20, 32), THINGS),
    (s, { index, value }) => s.add(index, value),
  ),
  of(
    "largest values",
    () => new TopK(THINGS, 4, 2),
    (s, { index, value, key }) => s.add(index, value, key, [key & 0xff, index]),
  ),
  of(
    "a sample",
    () => new Sample(5, 1, 7),
    (s, { key, index }) => s.add(key, [index]),
  ),
];

describe.each(CASES)("$name", ({ make, add }) => {
  const ofAll = (values: readonly Seen[]) => {
    const summary = make();
    for (const one of values) add(summary, one);
    return summary;
  };
  const merged = (...parts: readonly AnySummary[]) => {
    const all = make();
    for (const part of parts) all.merge(part);
    return all.state();
  };

  it("of two parts merged are those of both together", () => {
    fc.assert(
      fc.property(parts, ([a, b]) => {
        expect(merged(ofAll(a), ofAll(b))).toEqual(ofAll([...a, ...b]).state());
      }),
    );
  });

  it("do not depend on the order of values", () => {
    fc.assert(
      fc.property(seen, (a) => {
        expect(ofAll([...a].reverse()).state()).toEqual(ofAll(a).state());
      }),
    );
  });

  it("merge in any order and any grouping", () => {
    fc.assert(
      fc.property(parts, ([a, b, c]) => {
        const left = make();
        left.merge(ofAll(a));
        left.merge(ofAll(b));
        const right = make();
        right.merge(ofAll(c));
        right.merge(ofAll(b));
        expect(merged(ofAll(c), left)).toEqual(merged(right, ofAll(a)));
      }),
    );
  });

  it("with nothing added change nothing", () => {
    fc.assert(
      fc.property(seen, (a) => {
        expect(merged(make(), ofAll(a), make())).toEqual(ofAll(a).state());
      }),
    );
  });

  it("come back from their state", () => {
    fc.assert(
      fc.property(seen, (a) => {
        const state = ofAll(a).state();
        const again = make();
        again.restore(state);
        expect(again.state()).toEqual(state);
      }),
    );
  });
});

describe("what summaries say", () => {
  const numbers = fc.array(value, { minLength: 1, maxLength: 200 });

  it("sums are those of exact arithmetic on multiples of 2^-64", () => {
    const units = (x: number) => {
      // A double is a whole number of 2^-1074, cut to whole ones of 2^-64.
      const [, sign, digits, power] = /^(-?)([\d.]+)e([-+]\d+)$/.exec(x.toExponential(60).replace(/0+e/, "e"))!;
      const [whole, part = ""] = digits.split(".");
      const shift = Number(power) - part.length;
      const scaled = BigInt(whole + part) << 64n;
      const size = shift >= 0 ? scaled * 10n ** BigInt(shift) : scaled / 10n ** BigInt(-shift);
      return sign === "-" ? -size : size;
    };
    fc.assert(
      fc.property(numbers, (list) => {
        const sums = new GridSums(1);
        for (const x of list) sums.add(0, x);
        expect(sums.exact(0)).toBe(list.reduce((sum, x) => sum + units(x), 0n));
        const again = new GridSums(1);
        again.restore(sums.state());
        expect(again.exact(0)).toBe(sums.exact(0));
      }),
    );
  });

  it("sums stay exact over more additions than a digit has room for", () => {
    const sums = new GridSums(2);
    const n = 3 * 2 ** 20 + 5;
    for (let i = 0; i < n; i++) sums.add(1, 2 ** 32 - 2 ** -10);
    expect(sums.exact(1)).toBe(BigInt(n) * ((1n << 96n) - (1n << 54n)));
    expect(sums.value(0)).toBe(0);
  });

  it("what cannot be added is refused", () => {
    const sums = new GridSums(1);
    for (const x of [Number.NaN, Infinity, -Infinity, 2 ** 63])
      expect(() => sums.add(0, x)).toThrow(/A value of the scan is/);
    expect(() => new Histograms(linearGrid(0, 1, 2)).add(0, Number.NaN)).toThrow(/is NaN/);
    expect(() => new TopK(1, 1).add(0, Number.NaN, 0)).toThrow(/is NaN/);
    expect(sums.exact(0)).toBe(0n);
  });

  it("means and variances are those of the values, also where the mean is large", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 50 }), (list) => {
        const far = 2 ** 16;
        const moments = new Moments();
        for (const x of list) moments.add(0, far + x / 16);
        const mean = list.reduce((a, b) => a + b, 0) / list.length / 16;
        const variance = list.reduce((sum, x) => sum + (x / 16 - mean) ** 2, 0) / list.length;
        expect(moments.count()).toBe(list.length);
        expect(moments.mean() - far).toBeCloseTo(mean, 5);
        expect(moments.variance()).toBeCloseTo(variance, 8);
        expect([moments.min(), moments.max()]).toEqual([far + Math.min(...list) / 16, far + Math.max(...list) / 16]);
      }),
    );
  });

  it.each([
    ["linear", linearGrid(-3, 5, 17)],
    ["logarithmic", logGrid(-6, 9, 8)],
  ])("a value lies in its bin of a %s grid", (_name, grid) => {
    fc.assert(
      fc.property(value, (x) => {
        const bin = grid.indexOf(x);
        const to = bin + 1 < grid.bins ? grid.from(bin + 1) : Infinity;
        // Below 0 the bins of the logarithmic grid have their upper ends.
        const within =
          x < 0 && grid.from(0) === -Infinity ? grid.from(bin) <= x && x <= to : grid.from(bin) <= x && x < to;
        expect(within).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("quantiles are as close as the grid promises", () => {
    const parts = 32;
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: Math.fround(-1e6), max: Math.fround(1e6), noNaN: true }), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (list, share) => {
          const sketch = new Histograms(logGrid(-20, 20, parts));
          for (const x of list) sketch.add(0, x);
          const actual = [...list].sort((a, b) => a - b)[Math.floor(share * (list.length - 1))];
          expect(Math.abs(sketch.quantile(share) - actual)).toBeLessThanOrEqual(
            Math.abs(actual) / (2 * parts) + 2 ** -20,
          );
        },
      ),
    );
    expect(new Histograms(logGrid(-2, 2, 2)).quantile(0.5)).toBeNaN();
  });

  it("the largest values are those of the sorted list, equal ones by where they are", () => {
    fc.assert(
      fc.property(seen, (list) => {
        const top = new TopK(THINGS, 4, 1);
        for (const { index, value, key } of list) top.add(index, value, key, [key & 0xffff]);
        const again = new TopK(THINGS, 4, 1);
        again.restore(top.state());
        for (let thing = 0; thing < THINGS; thing++) {
          expect(again.of(thing)).toEqual(top.of(thing));
          const sorted = list
            .filter(({ index }) => index === thing)
            .sort((a, b) => (a.value === b.value ? a.key - b.key : b.value - a.value))
            .slice(0, 4);
          expect(top.of(thing).map(({ value, key, payload }) => [value, key, payload[0]])).toEqual(
            sorted.map(({ value, key }) => [value + 0, key, key & 0xffff]),
          );
        }
      }),
    );
  });

  it("packed rows are the rows again, and small numbers take a byte", () => {
    const number = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: -64, max: 63 }));
    fc.assert(
      fc.property(fc.nat(3), fc.array(number, { maxLength: 60 }), (width, list) => {
        const rows = Int32Array.from(list.slice(0, width === 0 ? 0 : list.length - (list.length % width)));
        const count = width === 0 ? 0 : rows.length / width;
        expect(unpackedRows(packedRows(rows, width), count)).toEqual(rows);
      }),
    );
    const { sizes, words } = packedRows(
      Int32Array.from({ length: 100 }, (_, i) => (i % 128) - 64),
      1,
    );
    expect([sizes[0], words.length]).toEqual([100, 25]);
  });

  it("a sample has everything with the same probability", () => {
    const times = new Array(20).fill(0);
    const seeds = 4000;
    for (let seed = 0; seed < seeds; seed++) {
      const sample = new Sample(5, 1, seed);
      for (let i = 0; i < 20; i++) sample.add(i * 2 ** 31, [i]);
      for (const { payload } of sample.all()) times[payload[0]]++;
    }
    // Each is drawn with probability 1/4: 5 standard deviations of a binomial distribution.
    const spread = 5 * Math.sqrt(seeds * 0.25 * 0.75);
    for (const count of times) expect(Math.abs(count - seeds / 4)).toBeLessThan(spread);
  });
});
