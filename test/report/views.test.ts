import { describe, expect, it } from "vitest";
import { HEAD, LAYER, LOSS, POS, PROMPT, TOKEN } from "../../src/finding/columns.ts";
import type { FacetsSpec, ImshowSpec, ScatterSpec, TokensSpec } from "../../src/finding/picture.ts";
import { type Column, tableOf } from "../../src/finding/table.ts";
import { drawSvg } from "../../src/report/draw/draw.ts";
import { drawFacets } from "../../src/report/draw/facets.ts";
import { textSize } from "../../src/report/draw/text-size.ts";
import { pictureOf } from "../../src/report/views/picture-of.ts";

const SHARE: Column = { name: "share", title: "share", format: "percent", description: "A share." };
const EFFECT: Column = { name: "effect", title: "effect", unit: "logits", description: "An effect." };
const SITE: Column = { name: "site", title: "site", format: "text", description: "Where." };

const heads = tableOf(
  { name: "heads", title: "Heads" },
  [
    { layer: 1, head: 0, share: 0.25, effect: -2 },
    { layer: 0, head: 1, share: 0.5, effect: 1 },
    { layer: 0, head: 0, share: 0.125, effect: 0.5 },
  ],
  [
    [LAYER, ({ layer }) => layer],
    [HEAD, ({ head }) => head],
    [SHARE, ({ share }) => share],
    [EFFECT, ({ effect }) => effect],
  ],
);

const tokens = tableOf(
  { name: "tokens", title: "Tokens" },
  ["a", "b", "c", "d"].map((token, i) => ({ token, prompt: i >> 1, pos: i % 2, loss: i, chosen: i === 2 })),
  [
    [PROMPT, ({ prompt }) => prompt],
    [POS, ({ pos }) => pos],
    [TOKEN, ({ token }) => token],
    [LOSS, ({ loss }) => loss],
    [{ name: "chosen", title: "chosen", description: "Whether it is chosen." }, ({ chosen }) => chosen],
  ],
);

const base = { name: "p", title: "P" };

describe("a view of a table", () => {
  it("puts rows into the cells of a heatmap by two columns, with a gap where there is no row", () => {
    const grid = pictureOf({ ...base, kind: "imshow", table: "heads", x: "head", y: "layer", color: "effect" }, [
      heads,
    ]);
    expect((grid as ImshowSpec).values).toEqual([
      [0.5, 1],
      [-2, null],
    ]);
    expect(grid).toMatchObject({ x: { label: "head", ticks: ["0", "1"] }, color: { label: "effect", unit: "logits" } });
  });

  it("draws a share in percent", () => {
    const grid = pictureOf({ ...base, kind: "imshow", table: "heads", x: "head", y: "layer", color: "share" }, [heads]);
    expect((grid as ImshowSpec).values).toEqual([
      [12.5, 50],
      [25, null],
    ]);
    expect((grid as ImshowSpec).color?.unit).toBe("%");
  });

  it("says of every cell where it is, for people and for linking", () => {
    const grid = pictureOf({ ...base, kind: "imshow", table: "heads", x: "head", y: "layer", color: "effect" }, [
      heads,
    ]);
    expect((grid as ImshowSpec).places).toEqual([
      ["layer=0 head=0", "layer=0 head=1"],
      ["layer=1 head=0", ""],
    ]);
    expect((grid as ImshowSpec).titles?.[1][0]).toBe("layer 1, head 0\neffect −2.000 logits");
  });

  it("has a heatmap for each of several columns, on one scale that may be symmetric", () => {
    const view = {
      ...base,
      kind: "imshow" as const,
      table: "heads",
      x: "head",
      y: "layer",
      color: { column: ["share", "effect"], atLeast: 1 },
    };
    const grids = pictureOf(view, [heads]) as FacetsSpec;
    expect(grids.facets.map(({ title }) => title)).toEqual(["share", "effect"]);
    expect(grids.color?.domain).toEqual([-50, 50]);
  });

  it("refuses two rows in one cell, and says which cell and what to do", () => {
    const rows = ["z", "mlp"].map((site) => ({ layer: 0, head: 1, site, effect: 1 }));
    const sites = tableOf({ name: "sites", title: "Sites" }, rows, [
      [LAYER, ({ layer }) => layer],
      [HEAD, ({ head }) => head],
      [SITE, ({ site }) => site],
      [EFFECT, ({ effect }) => effect],
    ]);
    const view = { ...base, kind: "imshow" as const, table: "sites", x: "head", y: "layer", color: "effect" };
    expect(() => pictureOf(view, [sites])).toThrow(
      'The heatmap "p" has two rows of the table "sites" in one cell, layer 0 and head 1: choose one with `where`, or draw a heatmap for each value of another column with `facet`.',
    );
    expect(() => pictureOf({ ...view, facet: "layer" }, [sites])).toThrow(/: choose one with `where`\.$/);
    expect((pictureOf({ ...view, where: { site: "z" } }, [sites]) as ImshowSpec).values).toEqual([[1]]);
    expect((pictureOf({ ...view, facet: "site" }, [sites]) as FacetsSpec).facets).toHaveLength(2);
  });

  it("has a row of heatmaps for each of several columns, of the facets that it names, with rows or without", () => {
    const view = {
      ...base,
      kind: "imshow" as const,
      table: "heads",
      x: "head",
      y: "layer",
      facet: { column: "layer", values: [1, 0, 7] },
      color: ["share", "effect"],
    };
    const grids = pictureOf(view, [heads]) as FacetsSpec;
    const titles = ["1, share", "0, share", "7, share", "1, effect", "0, effect", "7, effect"];
    expect(grids.facets.map(({ title }) => title)).toEqual(titles);
    expect(grids.perRow).toBe(3);
    expect(grids.facets[2].values.flat().every((value) => value === null)).toBe(true);
    expect(grids.facets[3].values[1][0]).toBe(-2);
  });

  it("is empty, and can still be drawn, where no row is meant", async () => {
    const none = { ...base, kind: "imshow" as const, table: "heads", where: { layer: 9 }, x: "head", y: "layer" };
    const views = [
      { ...none, color: "effect" },
      { ...none, color: "effect", facet: "head" },
    ];
    for (const view of views) expect(await drawSvg(pictureOf(view, [heads]))).toContain("<svg");
  });

  it("takes the rows that its `where` names, and groups the others into series", () => {
    const points = pictureOf(
      {
        ...base,
        kind: "scatter",
        table: "tokens",
        where: { prompt: [0, 1] },
        x: "pos",
        y: "loss",
        series: [
          { name: "others", where: { chosen: false } },
          { name: "chosen", where: { chosen: true }, label: "token" },
        ],
      },
      [tokens],
    ) as ScatterSpec;
    expect(points.series.map(({ name, y }) => [name, y])).toEqual([
      ["others", [0, 1, 3]],
      ["chosen", [2]],
    ]);
    expect(points.series[1].labels).toEqual(["c"]);
    expect(points.series[1].titles).toEqual(["prompt 1, pos 0, token “c”\nloss 2.000 nats"]);
  });

  it("has the first points of too many, or some at even distances", () => {
    const most = (thin: "first" | "evenly") =>
      (
        pictureOf({ ...base, kind: "scatter", table: "tokens", x: "pos", y: "loss", most: 2, thin }, [
          tokens,
        ]) as ScatterSpec
      ).series[0].y;
    expect(most("first")).toEqual([0, 1]);
    expect(most("evenly")).toEqual([0, 2]);
  });

  it("draws texts of tokens, those with framed tokens first if there are too many", () => {
    const strip = (most: number) =>
      pictureOf(
        {
          ...base,
          kind: "tokens",
          table: "tokens",
          text: "prompt",
          token: "token",
          rows: ["loss"],
          marked: { chosen: true },
          most,
        },
        [tokens],
      ) as TokensSpec;
    expect(strip(2).texts.map((text) => text.tokens)).toEqual([
      ["a", "b"],
      ["c", "d"],
    ]);
    expect(strip(1).texts).toMatchObject([{ label: "1", marked: [0], places: ["batch=1 pos=0", "batch=1 pos=1"] }]);
  });

  it("refuses a table or a column that does not exist, and names the nearest", () => {
    const view = { ...base, kind: "imshow" as const, table: "heads", x: "head", y: "layer", color: "effects" };
    expect(() => pictureOf(view, [heads])).toThrow('Did you mean "effect"?');
    expect(() => pictureOf({ ...view, table: "head" }, [heads])).toThrow('Did you mean "heads"?');
    expect(() => pictureOf({ ...view, color: "effect", where: { site: "z" } }, [heads])).toThrow("site");
  });

  it("has several columns' values as series, or each value of a column", () => {
    const sites = tableOf(
      { name: "sites", title: "Sites" },
      [
        { site: "z", pos: 0, loss: 1 },
        { site: "q", pos: 0, loss: 2 },
        { site: "z", pos: 1, loss: 3 },
      ],
      [
        [SITE, ({ site }) => site],
        [POS, ({ pos }) => pos],
        [LOSS, ({ loss }) => loss],
      ],
    );
    expect(
      pictureOf({ ...base, kind: "line", table: "sites", x: "pos", y: "loss", by: "site" }, [sites]),
    ).toMatchObject({
      series: [
        { name: "z", x: [0, 1], y: [1, 3] },
        { name: "q", x: [0], y: [2] },
      ],
      x: { label: "pos" },
      y: { label: "loss", unit: "nats" },
    });
  });
});

describe("heatmaps side by side", () => {
  const facets = (count: number, perRow?: number): FacetsSpec => ({
    ...{ kind: "facets", name: "facets", title: "Facets" },
    facets: Array.from({ length: count }, (_, i) => ({ title: `a-long-title-${i}`, values: [[i]] })),
    ...(perRow ? { perRow } : {}),
  });
  const places = async (spec: FacetsSpec, width: number) => {
    const { content } = await drawFacets(spec, width);
    return [...content.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*font-weight="600"/g)].map(([, x, y]) => [+x, +y]);
  };

  it("have room for their titles, where these are wider than the cells", async () => {
    const titles = await places(facets(3), 350);
    const rows = new Map<number, number[]>();
    for (const [x, y] of titles) rows.set(y, [...(rows.get(y) ?? []), x]);
    for (const xs of rows.values()) {
      for (let i = 1; i < xs.length; i++) expect(xs[i] - xs[i - 1]).toBeGreaterThan(textSize("a-long-title-0", 12));
    }
    expect(titles).toHaveLength(3);
  });

  it("do not mix rows that belong together where a row is too wide for the page", async () => {
    const titles = await places(facets(8, 4), 350);
    const perLine = titles.filter(([, y]) => y === titles[0][1]).length;
    expect([1, 2]).toContain(perLine);
  });
});
