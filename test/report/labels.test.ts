/** Words in pictures, measured in Chromium: none runs into another, out of its picture, or over a point that it does not name. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bar, hist, imshow, line, type Picture, scatter } from "../../src/report/index.ts";
import { pictureOf } from "../../src/report/views/picture-of.ts";
import { hasChromium, launch } from "./chromium.ts";

interface Word {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Numbers from −1 to 1, the same each time (Park and Miller). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  };
}

describe.skipIf(!hasChromium)("the words of a picture (skipped without /usr/bin/chromium)", () => {
  let chromium: Awaited<ReturnType<typeof launch>>;
  beforeAll(async () => {
    chromium = await launch();
  });
  afterAll(() => chromium?.close());

  /** The words of a picture's SVG that stand straight, and its circles. */
  async function drawn(picture: Picture, width: number) {
    const page = await chromium.browser.newPage();
    await page.setContent(`<body style="margin:0">${await picture.svg({ width })}`);
    const found = await page.evaluate(() => {
      const boxOf = (e: Element) => {
        const { left, right, top, bottom } = e.getBoundingClientRect();
        return { text: e.textContent ?? "", left, right, top, bottom };
      };
      const straight = (e: Element) => !/rotate/.test(e.getAttribute("transform") ?? "");
      const svg = document.querySelector("svg")!;
      return {
        frame: boxOf(svg),
        words: [...svg.querySelectorAll("text")].filter(straight).map(boxOf),
        points: [...svg.querySelectorAll("circle")].map(boxOf),
      };
    });
    await page.close();
    return found;
  }

  const overlap = (a: Word, b: Word) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3;
  const collisions = (words: readonly Word[]) =>
    words.flatMap((a, i) =>
      words
        .slice(i + 1)
        .filter((b) => overlap(a, b))
        .map((b) => `${a.text} / ${b.text}`),
    );

  const names = ["embed", ...Array.from({ length: 12 }, (_, i) => [`${i}_attn_out`, `${i}_mlp_out`]).flat()];
  const near = [
    { kind: "y", at: 0.5, label: "guessing" },
    { kind: "y", at: 0.52, label: "the unembedding's bias alone" },
    { kind: "y", at: 0.54, label: "all tokens alike" },
  ] as const;
  const next = random(11);
  const numbers = (count: number) => Array.from({ length: count }, next);

  it.each([680, 350])("do not run into each other or out of the picture, %i pixels wide", async (width) => {
    const pictures: Record<string, Picture> = {
      lines: line({ a: numbers(25), b: numbers(25) }, { x: { label: "component", ticks: names }, references: near }),
      "close lines": line([0.1, 0.9, 0.3, 0.2], { references: near }),
      "bars that lie": bar(numbers(25), { x: { ticks: names }, total: "sum" }),
      "bars that stand": bar([1, 2, 3], { x: { ticks: ["a name of words", "two", "three"] }, references: near }),
      histogram: hist(numbers(300), {
        references: [-0.5, 0, 0.04, 0.9].map((at) => ({ kind: "x", at, label: `the value ${at}` })),
      }),
      points: scatter(numbers(60), numbers(60), {
        labels: Array.from({ length: 60 }, (_, i) => `edge L0H${i} → logits`),
        references: [{ kind: "slope", slope: 1, label: "equal" }],
      }),
      "few cells": imshow([[0.123, -0.456, 12]], { x: "head", y: "layer" }),
      "many cells": imshow([numbers(40), numbers(40)], { x: "head", y: "layer" }),
    };
    for (const [name, picture] of Object.entries(pictures)) {
      const { words, frame } = await drawn(picture, width);
      expect(words.length, name).toBeGreaterThan(3);
      expect(collisions(words), name).toEqual([]);
      const outside = words.filter(
        (w) => w.left < frame.left - 1 || w.right > frame.right + 1 || w.bottom > frame.bottom + 1,
      );
      expect(outside, name).toEqual([]);
    }
  });

  it("next to points cover no point, and name the first of them", async () => {
    const labels = Array.from({ length: 40 }, (_, i) => `point ${i}`);
    const { words, points } = await drawn(scatter(numbers(40), numbers(40), { labels }), 680);
    const named = words.filter((w) => w.text.startsWith("point"));
    expect(named.length).toBeGreaterThan(15);
    expect(named[0].text).toBe("point 0");
    for (const word of named)
      expect(
        points.filter((p) => overlap(word, p)),
        word.text,
      ).toEqual([]);
  });
});

describe("a picture's lines", () => {
  it("to compare with differ in dash and carry their label, so that no legend is needed", async () => {
    const references = [1, 2, 3].map((at) => ({ kind: "y", at, label: `line ${at}` }) as const);
    const svg = await line([0, 4], { references }).svg();
    const dashes = [...svg.matchAll(/stroke-dasharray="([^"]*)"/g)].map((match) => match[1]);
    expect(new Set(dashes).size).toBe(3);
    for (const { label } of references) expect([...svg.matchAll(new RegExp(`>${label}<`, "g"))]).toHaveLength(1);
  });

  it("differ in dash as well as in colour, in the legend too", async () => {
    const svg = await line({ one: [1, 2], two: [2, 3], three: [3, 1] }).svg();
    const dashes = [...svg.matchAll(/stroke-dasharray="([^"]*)"/g)].map((match) => match[1]);
    expect(dashes).toHaveLength(4);
    expect(new Set(dashes).size).toBe(2);
  });

  it("have an interval as a band, whose ends their tips say", async () => {
    const svg = await line([1, 2], {
      low: [0.5, 1.5],
      high: [1.5, 3],
      x: "layer",
      y: { label: "loss", unit: "nats" },
    }).svg();
    expect(svg).toContain('data-mark="area"');
    expect(svg).toContain("<title>layer 1, loss 2 nats (1.5 to 3 nats)</title>");
    expect(() => line([1, 2], { low: [1, 2] })).toThrow('only "low" is there: add the other');
  });
});

describe("a scatter with a line where both axes are equal", () => {
  it("is a square with one domain", async () => {
    const svg = await scatter([0, 1], [0, 10], { references: [{ kind: "slope", slope: 1, label: "equal" }] }).svg();
    const points = svg.slice(svg.indexOf('data-mark="line"')).match(/ d="([^"]*)"/)![1];
    const [from, ...rest] = [...points.matchAll(/[ML](-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) => [
      Number(x),
      Number(y),
    ]);
    const to = rest.at(-1)!;
    expect(to[0] - from[0]).toBeCloseTo(from[1] - to[1], 0);
    expect(to[0] - from[0]).toBeGreaterThan(200);
  });
});

describe("a heatmap of few cells", () => {
  it("has its numbers in cells of moderate size, in ink that can be read", async () => {
    const svg = await imshow([[0.5, -0.25]], { color: { unit: "logits" } }).svg();
    for (const text of ["0.500", "−0.250"]) expect(svg).toContain(`>${text}</text>`);
    const widths = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"[^>]*><title>/g)].map((m) => Number(m[1]));
    expect(Math.max(...widths)).toBeLessThan(70);
  });

  it("says row, column and unit in each tip, under the cell's own words", async () => {
    const svg = await imshow([[0.051]], {
      x: "head",
      y: "layer",
      color: { unit: "logits" },
      titles: [["previous"]],
    }).svg();
    expect(svg).toContain("<title>previous\nlayer 0, head 0: 0.051 logits</title>");
    const share = await imshow([[6.75]], { color: { unit: "%" } }).svg();
    expect(share).toContain("<title>0, 0: 6.8 %</title>");
  });
});

describe("a view's labels", () => {
  it("name the points furthest from 0 in a column, on either side", () => {
    const column = (name: string, values: readonly (string | number)[]) => ({
      name,
      title: name,
      description: name,
      values,
    });
    const table = {
      ...{ name: "edges", title: "Edges" },
      columns: [column("edge", ["a", "b", "c", "d"]), column("x", [1, 2, 3, 4]), column("y", [0.1, -5, 2, 0])],
    };
    const view = {
      ...({ kind: "scatter", name: "p", title: "", table: "edges", x: "x", y: "y" } as const),
      ...{ label: "edge", labels: 2, labelsBy: "y" },
    };
    expect(pictureOf(view, [table])).toMatchObject({ series: [{ labels: ["", "b", "c", ""] }] });
  });
});
