import { beforeAll, describe, expect, it } from "vitest";
import { attentionHeads, attentionPattern, picture } from "../../src/report/index.ts";
import { ndarray } from "../../src/tensor/array.ts";
import { ShapeError, UnknownNameError } from "../../src/tensor/errors.ts";
import { type Golden, golden, goldenModel } from "../goldens.ts";
import { manyHeads, threeTokens } from "./patterns.ts";

const count = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length;
const names = (spec: unknown) => (spec as { heads: { name: string }[] }).heads.map((head) => head.name);
const { tokens, patterns } = threeTokens;

describe("attention heads", () => {
  it("are small patterns, next to or below a large one with the tokens along its sides", async () => {
    const svg = await attentionHeads(tokens, patterns, { layers: 5 }).svg();
    expect(count(svg, /class="cells"/g)).toBe(1 + 2);
    expect(svg).toContain(">L5H0</text>");
    expect(svg).toContain(">L5H1</text>");
    expect(count(svg, />␣b<\/text>/g)).toBe(2);
  });

  it("of several layers are named by layer and head", () => {
    const layer = ndarray("float32", [1, 2, 3, 3], Float32Array.from(patterns.flat(2)));
    expect(names(attentionHeads(tokens, [layer, layer]).spec)).toEqual(["L0H0", "L0H1", "L1H0", "L1H1"]);
    expect(names(attentionHeads(tokens, [layer, layer], { layers: [3, 7] }).spec)).toEqual([
      "L3H0",
      "L3H1",
      "L7H0",
      "L7H1",
    ]);
    expect(names(attentionHeads(tokens, layer).spec)).toEqual(["H0", "H1"]);
    expect(attentionHeads(tokens, [layer, layer]).spec).toMatchObject({ perRow: 2 });
  });

  it("have the model's own patterns, with each query's weights summing to 1", async () => {
    const { spec } = attentionHeads(await goldenTokens(), await goldenPatterns());
    const { heads } = spec as { heads: { pattern: number[][] }[] } & typeof spec;
    expect(heads).toHaveLength(8);
    for (const { pattern } of heads) for (const row of pattern) expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
  });

  it("with values below 0 are red and blue around white", async () => {
    const svg = await attentionPattern(
      ["a", "b"],
      [
        [-1, 0],
        [0.5, 1],
      ],
    ).svg();
    expect(svg).toContain('stroke="#67001f"');
    expect(svg).toContain('stroke="#053061"');
    expect(svg).toContain(">−1</text>");
  });

  it("mix the hues of a cell by weight: its own for one head, in between for two equal ones", async () => {
    const strokes = async (a: number, b: number) => {
      const svg = await attentionHeads(["t"], [[[a]], [[b]]], { domain: [0, 1] }).svg();
      return svg.match(/class="cells"[^>]*><path stroke="(#\w+)"/)![1];
    };
    const [first, second, both] = [await strokes(1, 0), await strokes(0, 1), await strokes(1, 1)];
    expect(new Set([first, second, both]).size).toBe(3);
    const spread = (color: string) => {
      const channels = [1, 3, 5].map((i) => Number.parseInt(color.slice(i, i + 2), 16));
      return Math.max(...channels) - Math.min(...channels);
    };
    expect(spread(both)).toBeLessThan(12);
    expect(spread(first)).toBeGreaterThan(80);
  });

  it("are refused unless queries, keys and tokens are equally many", () => {
    expect(() => attentionHeads(["a", "b"], patterns)).toThrow(ShapeError);
    expect(() => attentionHeads(["a", "b"], patterns)).toThrow("over 2 tokens, but the array has shape [2,3,3]");
    expect(() => attentionHeads(tokens, patterns, { headNames: ["one"] })).toThrow("There are 2 heads, but 1 names");
  });

  it("name the closest match for a focus that does not exist", () => {
    const run = () => attentionHeads(tokens, patterns, { layers: 0, focus: "L0H2" });
    expect(run).toThrow(UnknownNameError);
    expect(run).toThrow("L0H");
  });

  it("stay small: 144 heads over 15 tokens are under half a megabyte as SVG and under one as HTML", async () => {
    const shown = manyHeads();
    const svg = await shown.svg();
    expect(count(svg, /class="cells"/g)).toBe(145);
    expect(svg.length).toBeLessThan(500_000);
    expect((await shown.html()).length).toBeLessThan(1_000_000);
  });

  it("are the same after a round trip through JSON", async () => {
    const shown = attentionHeads(tokens, patterns);
    expect(await picture(JSON.parse(JSON.stringify(shown.spec))).html()).toBe(await shown.html());
  });

  it("need nothing from outside", async () => {
    expect(await attentionHeads(tokens, patterns).svg()).not.toMatch(/<style|href|url\(|@import/);
  });

  let two: Golden;
  beforeAll(async () => {
    two = await golden("solu_ln_2l");
  });

  async function goldenPatterns() {
    const [, cache] = await goldenModel(two).runWithCache(two.tokens);
    return [0, 1].map((layer) => {
      const { data, shape } = cache.get(`blocks.${layer}.attn.hook_pattern`);
      const size = shape.slice(1).reduce((a, b) => a * b);
      return { data: Float32Array.from(data.slice(0, size)), shape: shape.slice(1) };
    });
  }

  async function goldenTokens() {
    const length = two.tokens.shape[1];
    return Array.from({ length }, (_, pos) => ` t${two.tokens.data[pos]}`);
  }
});
