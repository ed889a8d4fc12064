/** Pictures of tensors: their axes' names are labels, and what is not computed yet is computed when it is drawn. */
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import {
  attentionHeads,
  attentionPattern,
  bar,
  GlassformerError,
  hist,
  imshow,
  line,
  ShapeError,
  scatter,
  tensor,
  textNeuronActivations,
  tokens,
  topkTokens,
} from "../../src/node.ts";
import { displayOf } from "../../src/tensor/display.ts";
import { smallModel } from "../lens/small-model.ts";

const pattern = tensor(
  [
    [1, 0],
    [0.25, 0.75],
  ],
  { axes: ["query", "key"] },
);
const titles = (svg: string) => [...svg.matchAll(/<title>([^<]*)<\/title>/g)].map((match) => match[1]);

describe("a picture of a tensor", () => {
  it("has its axes' names as labels, unless they have others", () => {
    expect(imshow(pattern).spec).toMatchObject({ x: { label: "key" }, y: { label: "query" } });
    const own = imshow(pattern, { x: { ticks: ["a", "b"] }, y: "destination" }).spec;
    expect(own).toMatchObject({ x: { label: "key", ticks: ["a", "b"] }, y: { label: "destination" } });
    const heads = tensor([pattern.toArray(), pattern.toArray()] as number[][][], { axes: ["head", "query", "key"] });
    expect(imshow(heads, { facet: {} }).spec).toMatchObject({ facets: [{ title: "head 0" }, { title: "head 1" }] });
    const layers = tensor([1, 2], { axes: ["layer"] });
    expect(line({ clean: layers, ablated: layers }).spec).toMatchObject({ x: { label: "layer" } });
    expect(bar(layers).spec).toMatchObject({ x: { label: "layer" } });
    expect(line(layers, { at: [1, 2] }).spec).not.toHaveProperty("x");
  });

  it("that is not computed is computed when it is drawn, and then has its numbers", async () => {
    const picture = imshow(pattern.mul(4));
    expect(inspect(picture)).toContain("Picture imshow (imshow)");
    expect(() => picture.spec).toThrow(GlassformerError);
    expect(() => picture.spec).toThrow("await its svg(), html() or png() first");
    expect(titles(await picture.svg())).toContain("query 1, key 1: 3");
    expect(picture.spec).toMatchObject({
      values: [
        [4, 0],
        [1, 3],
      ],
      y: { label: "query" },
    });
    expect(await picture.html()).toContain("query 1, key 1: 3");
  });

  it("may be a place in a cache, in one expression", async () => {
    const model = smallModel();
    const [, cache] = await model.runWithCache("abc");
    const value = cache.get("blocks.1.attn.hook_pattern");
    const svg = await imshow(value.at({ batch: 0, head: 1 })).svg();
    expect(titles(svg)[0]).toMatch(/^query 0, key 0: /);
    const sum = await line(cache.get("blocks.1.hook_resid_post").at({ batch: 0 }).sum("d_model")).svg();
    expect(titles(sum)[1]).toMatch(/^pos 1, /);
  });

  it("is refused immediately where its shape does not fit, computed or not", () => {
    expect(() => imshow(tensor([1, 2, 3]).mul(2))).toThrow(ShapeError);
    expect(() => tokens(["a"], tensor([1, 2]).mul(2))).toThrow("There are 1 tokens");
  });

  it("works in every chart, and in the rows of several", async () => {
    const row = tensor([1, 2, 4]).mul(2);
    expect(titles(await line({ a: row, b: [1, 2, 3] }).svg())).toContain("a: 2, 8");
    expect(titles(await line([2, 4, 8], { low: row.sub(1), high: row.add(1) }).svg())).toContain("2, 8 (7 to 9)");
    expect(titles(await bar(row).svg())).toContain("2: 8");
    expect(titles(await scatter(row, [1, 2, 3], { color: row }).svg())).toContain("8, 3, 8");
    expect(titles(await hist(row, { bins: 3 }).svg())).toHaveLength(3);
    expect(titles(await tokens(["a", "b", "c"], row, { hover: { twice: row.mul(2) } }).svg())[2]).toContain(
      "twice: 16",
    );
  });

  it("works in the pictures of tokens: attention, activations, rankings", async () => {
    const model = smallModel();
    const words = ["a", "b", "c", "d"];
    const [, cache] = await model.runWithCache("abc");
    const pattern = cache.get("blocks.1.attn.hook_pattern");
    const half = pattern.mul(0.5);
    const made = attentionHeads(words.slice(0, pattern.shape.at(-1)), half, { layers: 1 });
    expect(() => made.spec).toThrow("have not been computed");
    expect(await made.svg()).toContain("L1H0");
    expect(made.spec).toEqual(
      attentionHeads(words.slice(0, pattern.shape.at(-1)), await half.compute(), { layers: 1 }).spec,
    );
    const one = attentionPattern(words.slice(0, pattern.shape.at(-1)), half.at({ head: 1 }));
    await one.svg();
    expect(one.spec).toMatchObject({ kind: "attention", heads: [{ name: "pattern" }] });
    expect(() => attentionHeads(["a"], half)).toThrow(ShapeError);
    expect(() => attentionHeads(words.slice(0, 3), [half, half], { focus: "H9" })).toThrow();

    const values = tensor([
      [1, 8],
      [2, 6],
      [3, 4],
    ]);
    const ranked = topkTokens(["a", "b", "c"], values.mul(2), { k: 1 });
    await ranked.svg();
    expect(ranked.spec).toMatchObject({ columns: [{ top: [{ token: "c", value: 6 }] }, { top: [{ token: "a" }] }] });
    const neurons = textNeuronActivations(["a", "b", "c"], values.reshape([3, 1, 2]).mul(2));
    await neurons.svg();
    expect(neurons.spec).toMatchObject({ chosen: { layer: 0, neuron: 1 } });
  });

  it("shows itself in a notebook", async () => {
    const shown = await displayOf(imshow(pattern.mul(4)))!();
    expect(shown["image/svg+xml"]).toContain("<title>query 1, key 1: 3</title>");
    expect(shown["text/html"]).toContain("<iframe");
  });
});

describe("a standalone picture", () => {
  it("has a free edge within its width, as wide as you say", async () => {
    const picture = imshow(pattern);
    expect(await picture.svg()).toMatch(/width="680" .*<g transform="translate\(12,12\)">/);
    expect(await picture.svg({ padding: 0 })).not.toContain("translate(12,12)");
    const [less, more] = await Promise.all(
      [0, 30].map(async (padding) => (await picture.svg({ padding })).match(/ height="([\d.]+)"/)![1]),
    );
    expect(Number(more)).toBe(Number(less) + 60);
  });
});
