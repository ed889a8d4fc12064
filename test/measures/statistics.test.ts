import { sampleCorrelation, sampleRankCorrelation } from "simple-statistics";
import { describe, expect, it } from "vitest";
import { bootstrapInterval } from "../../src/measures/statistics/bootstrap.ts";
import { pearson, spearman } from "../../src/measures/statistics/correlation.ts";
import { permutationTest } from "../../src/measures/statistics/permutation-test.ts";
import { Random } from "../../src/measures/statistics/random.ts";

describe("seeded randomness", () => {
  it("draws the same for the same seed, and each number at most once", () => {
    const drawn = new Random(3).sample(100, 20);
    expect(new Random(3).sample(100, 20)).toEqual(drawn);
    expect(new Random(4).sample(100, 20)).not.toEqual(drawn);
    expect(new Set(drawn).size).toBe(20);
  });

  it("draws a few as the first of all, also when it draws the same number twice", () => {
    for (const [n, k] of [
      [1, 1],
      [17, 1],
      [40, 2],
      [400, 24],
      [50_257, 3000],
    ]) {
      for (let seed = 0; seed < 20; seed++) {
        expect(new Random(seed).sample(n, k)).toEqual(new Random(seed).sample(n, n).slice(0, k));
      }
    }
  });

  it("draws every number equally often", () => {
    const random = new Random(0);
    const counts = new Array(5).fill(0);
    for (let i = 0; i < 5000; i++) for (const n of random.sample(5, 2)) counts[n]++;
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(150); // more than four standard deviations
  });
});

describe("the permutation test", () => {
  it("agrees with counting all selections if there are few", () => {
    // Of the 10 pairs out of 1..5, only {4, 5} and {1, 2} lie 2.5 from the mean of the rest.
    const found = permutationTest([1, 2, 3, 4, 5], [3, 4], new Random(1), 20_000)!;
    expect(found.difference).toBeCloseTo(2.5);
    expect(found.p).toBeCloseTo(0.2, 1.7);
  });

  it("gives uniform p-values where there is nothing to find", () => {
    const random = new Random(2);
    const ps = Array.from({ length: 400 }, () => {
      const values = Array.from({ length: 30 }, () => random.integer(1_000_000));
      return permutationTest(values, [0, 1, 2, 3, 4], random, 199)!.p;
    });
    const below = (p: number) => ps.filter((x) => x <= p).length / ps.length;
    expect(Math.abs(below(0.5) - 0.5)).toBeLessThan(0.1);
    expect(below(0.05)).toBeLessThan(0.1);
  });

  it("never gives 0, and nothing if there is no rest", () => {
    const values = [...new Array(50).fill(0), 100, 101, 102];
    expect(permutationTest(values, [50, 51, 52], new Random(0), 99)!.p).toBeGreaterThan(0);
    expect(permutationTest([1, 2], [0, 1], new Random(0))).toBeUndefined();
  });
});

describe("the bootstrap interval", () => {
  const meanOf = (values: readonly number[]) => (counts: ArrayLike<number>) => {
    const n = values.reduce((sum, _, i) => sum + counts[i], 0);
    return values.reduce((sum, value, i) => sum + counts[i] * value, 0) / n;
  };

  it("of a mean is about two standard errors to each side", () => {
    const random = new Random(5);
    const values = Array.from({ length: 400 }, () => random.integer(1001));
    const single = values.map((_, i) => i);
    const { interval } = bootstrapInterval(single, meanOf(values), random, { samples: 2000 })!;
    const mean = meanOf(values)(values.map(() => 1));
    const error = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 400 / 400);
    expect(Math.abs((interval[1] - mean) / error - 1.96)).toBeLessThan(0.2);
    expect(Math.abs((mean - interval[0]) / error - 1.96)).toBeLessThan(0.2);
  });

  it("is wider for clusters of equal values than for the same number of independent values", () => {
    const values = Array.from({ length: 100 }, (_, i) => Math.floor(i / 10) ** 2);
    const width = (clusters: readonly number[]) => {
      const { interval } = bootstrapInterval(clusters, meanOf(values), new Random(1))!;
      return interval[1] - interval[0];
    };
    const tens = values.map((_, i) => Math.floor(i / 10));
    expect(width(tens)).toBeGreaterThan(2 * width(values.map((_, i) => i)));
  });

  it("does not exist for one cluster, or where the statistic mostly does not", () => {
    expect(bootstrapInterval([0, 0], () => 1, new Random(0))).toBeUndefined();
    expect(bootstrapInterval([0, 1], () => Number.NaN, new Random(0))).toBeUndefined();
  });
});

describe("correlations", () => {
  const x = [3, 1, 4, 1, 5, 9, 2, 6];
  const y = [2, 7, 1, 8, 2, 8, 1, 8];

  it("are those of simple-statistics", () => {
    expect(pearson(x, y)()).toBeCloseTo(sampleCorrelation(x, y), 12);
    expect(spearman(x, y)()).toBeCloseTo(sampleRankCorrelation(x, y), 12);
  });

  it("treat a value's count as repetitions", () => {
    const counts = [2, 0, 1, 3, 1, 0, 1, 2];
    const repeated = (values: readonly number[]) => values.flatMap((v, i) => new Array<number>(counts[i]).fill(v));
    expect(pearson(x, y)(counts)).toBeCloseTo(sampleCorrelation(repeated(x), repeated(y)), 12);
    expect(spearman(x, y)(counts)).toBeCloseTo(sampleRankCorrelation(repeated(x), repeated(y)), 12);
  });

  it("are NaN if nothing varies or there is too little data", () => {
    expect(pearson([1, 1, 1], [1, 2, 3])()).toBeNaN();
    expect(spearman([1, 2], [1, 2])()).toBeNaN();
  });
});
