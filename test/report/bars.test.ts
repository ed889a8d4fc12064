import { describe, expect, it } from "vitest";
import { bar } from "../../src/report/index.ts";

const titles = (svg: string) => [...svg.matchAll(/<title>([^<]*)<\/title>/g)].map((match) => match[1]);
/** x, y, width and height of the bars, in order. */
const boxes = (svg: string) =>
  [...svg.slice(svg.indexOf('data-mark="rect"')).matchAll(/<rect ([^>]*)><title>/g)].map(([, attributes]) =>
    ["x", "y", "width", "height"].map((name) => Number(new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)![1])),
  );

describe("bars", () => {
  it("stand on 0, upwards and downwards, and say their name, number and unit", async () => {
    const svg = await bar([2, -1], {
      x: { label: "head", ticks: ["L0H0", "L0H1"] },
      y: { label: "score", unit: "nats" },
    }).svg();
    expect(titles(svg)).toEqual(["head L0H0: score 2 nats", "head L0H1: score −1 nats"]);
    const [[, top, , height], [, below, , half]] = boxes(svg);
    expect(below).toBeCloseTo(top + height, 0);
    expect(height / half).toBeCloseTo(2, 1);
  });

  it("have their numbers written at their ends, and their names below them", async () => {
    const svg = await bar([2.5, -1], { x: { ticks: ["one", "two"] } }).svg();
    for (const text of ["2.50", "−1.00", "one", "two"]) expect(svg).toContain(`>${text}</text>`);
  });

  it("of several rows stand next to each other in groups, with their intervals", async () => {
    const low = { clean: [0.5, 1] };
    const svg = await bar(
      { clean: [1, 2], ablated: [2, 3] },
      { low, high: { clean: [1.5, 2.5] }, y: { unit: "nats" } },
    ).svg();
    expect(titles(svg)).toEqual([
      "0, clean: 1 nats (0.5 to 1.5 nats)",
      "1, clean: 2 nats (1 to 2.5 nats)",
      "0, ablated: 2 nats",
      "1, ablated: 3 nats",
    ]);
    const [first, , second] = boxes(svg);
    expect(second[0]).toBeGreaterThanOrEqual(first[0] + first[2] - 0.1);
    expect(svg).toContain(">ablated</text>");
  });

  it("lie if their names do not fit below them, with every name written", async () => {
    const ticks = Array.from({ length: 26 }, (_, i) => `${i}_attn_out`);
    const svg = await bar(
      ticks.map((_, i) => i),
      { x: { ticks } },
    ).svg();
    for (const name of ticks) expect(svg).toContain(`>${name}</text>`);
    const [[left, , shortest], , [otherLeft, , longer]] = boxes(svg);
    expect(otherLeft).toBeCloseTo(left, 0);
    expect(longer).toBeGreaterThan(shortest);
    expect(await bar([1, 2], { x: { ticks: ["a", "b"] } }).svg({ width: 300 })).toContain(">a</text>");
  });

  it("of a waterfall begin where the one before ended, and end with the sum", async () => {
    const svg = await bar([3, -1, 2.5], {
      total: "logit",
      x: { ticks: ["bias", "embed", "mlp"] },
      y: { unit: "logits" },
    }).svg();
    expect(titles(svg)).toEqual([
      "bias: 3 logits\nsum so far: 3 logits",
      "embed: −1 logits\nsum so far: 2 logits",
      "mlp: 2.5 logits\nsum so far: 4.5 logits",
      "logit: 4.5 logits",
    ]);
    const [bias, embed, mlp, logit] = boxes(svg);
    expect(embed[1]).toBeCloseTo(bias[1], 0);
    expect(mlp[1] + mlp[3]).toBeCloseTo(embed[1] + embed[3], 0);
    expect(logit[1]).toBeCloseTo(mlp[1], 0);
    expect(logit[1] + logit[3]).toBeCloseTo(bias[1] + bias[3], 0);
  });

  it("are refused where rows, names and intervals do not fit together", () => {
    expect(() => bar({ a: [1, 2], b: [1] })).toThrow('"a" has 2 bars, but "b" has 1.');
    expect(() => bar([1, 2], { x: { ticks: ["one"] } })).toThrow('There are 2 bars, but "ticks" has 1 names.');
    expect(() => bar([1], { low: [0] })).toThrow('only "low" is there');
    expect(() => bar([1, 2], { low: [0], high: [3] })).toThrow('There are 2 numbers, but "low" has 1.');
    expect(() => bar({ a: [1] }, { low: { b: [0] }, high: { b: [2] } })).toThrow('"b"');
    expect(() => bar({ a: [1], b: [2] }, { total: "sum" })).toThrow("one row of numbers");
    expect(() => bar([1], { references: [{ kind: "x", at: 1, label: "one" }] })).toThrow('not kind "x"');
  });
});
