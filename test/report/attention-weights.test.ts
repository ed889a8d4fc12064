/** Attention patterns in few bytes: what is kept, how exactly, and how large it is. */
import { describe, expect, it } from "vitest";
import { denseWeights, isPacked, keptPerQuery, packPattern, storedHeads } from "../../src/finding/attention-weights.ts";
import type { AttentionSpec, PackedPattern } from "../../src/finding/picture.ts";
import { scaleEnd } from "../../src/report/draw/attention-scale.ts";
import { attentionHeads, render } from "../../src/report/index.ts";
import { seedFinding } from "./seed-finding.ts";

/** Numbers from 0 to 1, the same each time (Park and Miller). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** A causal softmax of random scores; the larger `sharp`, the fewer keys a query looks at. */
function pattern(tokens: number, sharp: number, next = random(7)): Float32Array {
  const weights = new Float32Array(tokens * tokens);
  for (let q = 0; q < tokens; q++) {
    const scores = Array.from({ length: q + 1 }, () => Math.exp(sharp * next()));
    const sum = scores.reduce((a, b) => a + b);
    scores.forEach((score, k) => {
      weights[q * tokens + k] = score / sum;
    });
  }
  return weights;
}

const rowSum = (weights: Float32Array, tokens: number, q: number) =>
  weights.subarray(q * tokens, (q + 1) * tokens).reduce((a, b) => a + b);

describe("a packed pattern", () => {
  it("has each weight within 2 % of itself, and smaller ones than 1/1024 of the largest as their query's mean", () => {
    const tokens = 150;
    const weights = pattern(tokens, 12);
    const packed = packPattern(weights, tokens, tokens);
    expect(packed).toMatchObject({ largest: 1, causal: true });
    const shown = denseWeights(packed, tokens);
    let small = 0;
    weights.forEach((weight, i) => {
      const [q, k] = [Math.floor(i / tokens), i % tokens];
      if (k > q) expect(shown[i]).toBe(0);
      else if (weight > 1.02 / 1024) expect(Math.abs(shown[i] / weight - 1)).toBeLessThan(0.0185);
      else {
        small++;
        expect(shown[i]).toBeLessThan(1.02 / 1024);
      }
    });
    expect(small).toBeGreaterThan(1000);
    for (let q = 0; q < tokens; q++) expect(rowSum(shown, tokens, q)).toBeCloseTo(1, 1);
  });

  it("keeps of each query no more than it may, the largest, and the others as their mean, so that sums are right", () => {
    const tokens = 200;
    const weights = pattern(tokens, 6);
    const packed = packPattern(weights, tokens, 5);
    const shown = denseWeights(packed, tokens);
    let left = 0;
    for (let q = 20; q < tokens; q++) {
      const row = [...shown.subarray(q * tokens, q * tokens + q + 1)];
      const mean = row.toSorted((a, b) => a - b)[0];
      const kept = row.flatMap((weight, k) => (weight > mean ? [k] : []));
      expect(kept.length).toBeLessThanOrEqual(5);
      const lost = row.flatMap((_, k) => (kept.includes(k) ? [] : [weights[q * tokens + k]]));
      for (const k of kept) expect(weights[q * tokens + k]).toBeGreaterThan(Math.max(...lost));
      expect(mean).toBeCloseTo(lost.reduce((a, b) => a + b) / lost.length, 6);
      left += lost.reduce((a, b) => a + b);
      expect(rowSum(shown, tokens, q)).toBeCloseTo(1, 1);
    }
    // The first queries are left out above: they have few keys, of which most are kept.
    expect(packed.left).toBeGreaterThan(left / tokens);
    expect(packed.left).toBeLessThan((left + 15) / tokens);
  });

  it("of a head that looks everywhere equally is exact, whatever is kept: equal weights are kept all or not at all", () => {
    const tokens = 300;
    const weights = pattern(tokens, 0);
    const shown = denseWeights(packPattern(weights, tokens, 3), tokens);
    weights.forEach((weight, i) => {
      if (i >= 3 * tokens) expect(shown[i]).toBeCloseTo(weight, 6);
    });
  });

  it("may look at later keys, or at nothing", () => {
    const both = packPattern([0.5, 0.5, 1, 0], 2, 2);
    expect(both.causal).toBe(false);
    expect([...denseWeights(both, 2)].map((w) => Math.round(100 * w))).toEqual([50, 50, 100, 0]);
    expect([...denseWeights(packPattern([0, 0, 0, 0], 2, 2), 2)]).toEqual([0, 0, 0, 0]);
  });

  it("of 144 heads on 1024 tokens is under 90 kB, however spread its attention is", () => {
    const tokens = 1024;
    for (const sharp of [0, 3, 12]) {
      const packed = packPattern(pattern(tokens, sharp), tokens, keptPerQuery(144, tokens));
      expect(JSON.stringify(packed).length).toBeLessThan(90_000);
    }
  });
});

describe("a picture of heads", () => {
  const words = (count: number) => Array.from({ length: count }, (_, i) => ` ${i}`);

  it("has plain numbers where there are few, or where some are negative or missing", () => {
    const few = storedHeads([{ name: "H0", weights: pattern(64, 3) }], 64);
    expect(few[0].pattern).toHaveLength(64);
    const large = pattern(250, 3);
    expect(isPacked(storedHeads([{ name: "H0", weights: large }], 250)[0].pattern)).toBe(true);
    for (const odd of [-0.1, null]) {
      const weights = [...large, odd].slice(1);
      expect(isPacked(storedHeads([{ name: "H0", weights }], 250)[0].pattern)).toBe(false);
    }
  });

  it("is the same of a typed array as of nested arrays", () => {
    const [heads, tokens] = [24, 210];
    const data = new Float32Array(heads * tokens ** 2);
    const next = random(3);
    for (let h = 0; h < heads; h++) data.set(pattern(tokens, h / 2, next), h * tokens ** 2);
    const nested = Array.from({ length: 2 }, (_, l) =>
      Array.from({ length: 12 }, (_, h) =>
        Array.from({ length: tokens }, (_, q) =>
          Array.from(data.subarray(((12 * l + h) * tokens + q) * tokens, ((12 * l + h) * tokens + q + 1) * tokens)),
        ),
      ),
    );
    const typed = attentionHeads(words(tokens), { data, shape: [2, 12, tokens, tokens] }).spec as AttentionSpec;
    expect(typed).toEqual(attentionHeads(words(tokens), nested).spec);
    const half = data.length / 2;
    const layers = [0, 1].map((l) => ({
      data: data.subarray(l * half, (l + 1) * half),
      shape: [1, 12, tokens, tokens],
    }));
    expect(attentionHeads(words(tokens), layers).spec).toEqual(typed);
    expect(typed).toMatchObject({
      perRow: 12,
      metrics: expect.arrayContaining([expect.objectContaining({ name: "previous token" })]),
    });
  });

  it("of more than eight heads shows the first by its first metric, and says so", async () => {
    const tokens = 12;
    const even = Array.from({ length: tokens }, (_, q) =>
      Array.from({ length: tokens }, (_, k) => (k <= q ? 1 / (q + 1) : 0)),
    );
    const previous = even.map((row, q) => row.map((_, k) => (k === Math.max(0, q - 1) ? 1 : 0)));
    const heads = Array.from({ length: 9 }, (_, h) => (h === 6 ? previous : even));
    const svg = await attentionHeads(words(tokens), heads).svg();
    expect(svg).toContain(">H6, the highest of 9 heads in previous token</text>");
    expect(await attentionHeads(words(tokens), heads.slice(0, 8)).svg()).toContain(">all heads, mixed by hue</text>");
  });

  it("that is packed says how exact it is and what it leaves out", async () => {
    const heads = Array.from({ length: 60 }, () => pattern(300, 1));
    const data = new Float32Array(60 * 300 ** 2);
    heads.forEach((head, h) => {
      data.set(head, h * 300 ** 2);
    });
    const drawn = await attentionHeads(words(300), { data, shape: [60, 300, 300] }).svg();
    const svg = [...drawn.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text).join(" ");
    expect(svg).toMatch(/The 222 largest weights of each query are drawn one by one, rounded within 2 %/);
    expect(svg).toMatch(/the others, \d+\.\d %/);
  });

  it("has a row for each layer where there are many, as images of few bytes", async () => {
    const data = new Float32Array(36 * 100 ** 2);
    for (let h = 0; h < 36; h++) data.set(pattern(100, h), h * 100 ** 2);
    const svg = await attentionHeads(words(100), { data, shape: [3, 12, 100, 100] }).svg();
    expect([...svg.matchAll(/<image /g)]).toHaveLength(36);
    for (const word of ["layer", "head", "11"]) expect(svg).toContain(`>${word}</text>`);
    expect(svg.length).toBeLessThan(400_000);
  });

  it("is in a report's page once, and not again for the buttons that save a picture's numbers", async () => {
    const heads = 36;
    const data = new Float32Array(heads * 150 ** 2);
    for (let h = 0; h < heads; h++) data.set(pattern(150, 4), h * 150 ** 2);
    const { spec } = attentionHeads(words(150), { data, shape: [3, 12, 150, 150] });
    const packed = (spec as AttentionSpec).heads[0].pattern as PackedPattern;
    const finding = { ...seedFinding(), parts: [], tables: [], pictures: [spec] };
    const html = await render(finding, "html");
    expect(html.split(packed.weights)).toHaveLength(2 + heads - 1);
    expect(JSON.parse(/data-have="([^"]*)"/.exec(html)![1].replaceAll("&quot;", '"')).files[0].forms).toEqual(["svg"]);
  });
});

describe("the scale of a head's colours", () => {
  const even = (n: number) =>
    Float32Array.from({ length: n * n }, (_, i) => (i % n <= Math.floor(i / n) ? 1 / (Math.floor(i / n) + 1) : 0));

  it("ends where one in ten queries has a larger weight, so that even attention is visible", () => {
    // The queries are 1 to 199, and the largest weight of each is 1 / (query + 1).
    expect(scaleEnd(even(200), 200)).toBeCloseTo(1 / 21, 6);
  });

  it("ends at the largest weight where many queries reach it, and leaves the first token aside", () => {
    const n = 30;
    const on = (key: (q: number) => number, weight: number) => {
      const weights = new Float32Array(n * n);
      for (let q = 0; q < n; q++) weights[q * n + key(q)] = weight;
      return weights;
    };
    expect(
      scaleEnd(
        on((q) => Math.max(0, q - 1), 1),
        n,
      ),
    ).toBe(1);
    expect(
      scaleEnd(
        on(() => 0, 1),
        n,
      ),
    ).toBeCloseTo(2 / n, 6);
    expect(scaleEnd(new Float32Array(n * n), n)).toBe(1);
    expect(scaleEnd([1], 1)).toBe(1);
  });
});
