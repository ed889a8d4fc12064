import { describe, expect, it } from "vitest";
import { usePlatform } from "../../src/platform.ts";
import { hist, imshow, line, picture, scatter, tokens } from "../../src/report/index.ts";
import { rasterizeWithResvg } from "../../src/report/resvg.ts";
import { ndarray } from "../../src/tensor/array.ts";
import { ShapeError } from "../../src/tensor/errors.ts";

const count = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length;
/** Fills of the heatmap's cells, row by row. */
const cellFills = (svg: string) => {
  const cells = svg.slice(svg.indexOf('data-mark="cell"'));
  return [...cells.slice(0, cells.indexOf("</g>")).matchAll(/<rect[^>]* fill="(#\w+)"/g)].map((match) => match[1]);
};

/** The texts at an axis, in order. */
const axisTexts = (svg: string, axis: "x" | "y") => {
  const texts = svg.slice(svg.indexOf(`data-mark="${axis}-axis tick label"`));
  return [...texts.slice(0, texts.indexOf("</g>")).matchAll(/>([^<>]+)<\/text>/g)].map((match) => match[1]);
};

describe("imshow", () => {
  it("has the published colours of each scheme at its ends and in its middle", async () => {
    const ends = {
      RdBu: ["#67001f", "#053061"],
      Blues: ["#f7fbff", "#08306b"],
      Viridis: ["#440154", "#fde725"],
    } as const;
    for (const [scheme, [low, high]] of Object.entries(ends)) {
      const color = { scheme: scheme as keyof typeof ends, domain: [0, 1] as const };
      expect(cellFills(await imshow([[0, 1]], { color }).svg())).toEqual([low, high]);
    }
    const viridis = await imshow([[0.25, 0.5]], { color: { scheme: "Viridis", domain: [0, 1] } }).svg();
    expect(cellFills(viridis)).toEqual(["#3b528b", "#21918c"]);
  });

  it("draws a cell for each number, red below 0, blue above and nearly white at 0, symmetrically", async () => {
    const svg = await imshow([
      [-1, 0, 4],
      [4, -4, 1],
    ]).svg();
    const [low, zero, high, , lowest] = cellFills(svg);
    expect(cellFills(svg)).toHaveLength(6);
    expect(zero).toBe("#f2efee");
    expect(high).toBe("#053061");
    expect(lowest).toBe("#67001f");
    expect(Number.parseInt(low.slice(1, 3), 16)).toBeGreaterThan(Number.parseInt(low.slice(5), 16));
    expect(svg).toContain(">−4</text>");
  });

  it("takes an NDArray with axes of size 1 around a matrix", async () => {
    const pattern = ndarray("float32", [1, 2, 3], Float32Array.from([1, 2, 3, 4, 5, 6]));
    expect(imshow(pattern).spec).toMatchObject({
      values: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    });
  });

  it("refuses what is not a matrix, saying the shape it found", () => {
    const cube = ndarray("float32", [2, 2, 2], new Float32Array(8));
    expect(() => imshow(cube)).toThrow(ShapeError);
    expect(() => imshow(cube)).toThrow("has shape [2,2,2]");
    expect(() => imshow([[1, 2], [3]])).toThrow("row 0 has 2 numbers and row 1 has 1");
  });

  it("draws anything but a number as a gap, in grey", async () => {
    expect(cellFills(await imshow([[1, Number.NaN]]).svg())[1]).toBe("#dcdcdc");
  });

  it("shows each cell's labels and value on hover", async () => {
    const svg = await imshow([[0.5]], { x: { ticks: ["key"] }, y: { ticks: ["query"] } }).svg();
    expect(svg).toContain("<title>query, key: 0.5</title>");
  });
});

describe("an axis", () => {
  const texts = async (...domain: [number, number]) =>
    axisTexts(await line([domain[0], domain[1]], { y: { domain } }).svg({ width: 400 }), "y");

  it("has the round numbers that its pixels have room for, with the decimals of their step", async () => {
    expect(await texts(0, 1)).toEqual(["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    expect(await texts(-0.06, 0.3)).toEqual(["−0.05", "0.00", "0.05", "0.10", "0.15", "0.20", "0.25", "0.30"]);
    expect(await texts(2, 11)).toEqual(["2", "4", "6", "8", "10"]);
    expect(await texts(-70_000, 20_000)).toEqual(["−60000", "−40000", "−20000", "0", "20000"]);
  });

  it("writes very small and very large numbers shortly", async () => {
    expect(await texts(0, 5e-6)).toEqual(["0", "1e−6", "2e−6", "3e−6", "4e−6", "5e−6"]);
    expect(await texts(0, 5e7)).toEqual(["0", "1e7", "2e7", "3e7", "4e7", "5e7"]);
  });

  it("has its numbers where they are: a line through them is straight", async () => {
    const svg = await line([1, 2, 4], { y: { domain: [0, 4] }, height: 200 }).svg();
    const [, ...points] = /data-mark="line".*? d="M[\d.]+,([\d.]+)L[\d.]+,([\d.]+)L[\d.]+,([\d.]+)"/.exec(svg)!;
    // The frame is from 28 below the top to 42 above the foot.
    expect(points.map(Number)).toEqual([125.5, 93, 28]);
  });
});

describe("line", () => {
  it("labels its axes with units and names its lines", async () => {
    const svg = await line(
      { clean: [1, 2, 3], ablated: [2, 3, 4] },
      { x: "layer", y: { label: "loss", unit: "nats" } },
    ).svg();
    expect(svg).toContain("layer →");
    expect(svg).toContain("↑ loss (nats)");
    expect(svg).toContain(">clean</text>");
    expect(svg).toContain(">ablated</text>");
  });

  it("breaks where a number is missing, instead of drawing it as 0", async () => {
    const path = (svg: string) => svg.slice(svg.indexOf('data-mark="line"')).match(/ d="([^"]*)"/)![1];
    expect(count(path(await line([1, 2, 3, 4]).svg()), /M/g)).toBe(1);
    expect(count(path(await line([1, 2, Number.NaN, 3, 4]).svg()), /M/g)).toBe(2);
  });

  it("refuses a different number of points and positions", () => {
    expect(() => line({ loss: [1, 2, 3] }, { at: [0, 1] })).toThrow('The line "loss" has 3 points, but "at" has 2.');
  });
});

describe("scatter", () => {
  it("draws a point for each pair, in groups that the legend counts", async () => {
    const svg = await scatter(Float32Array.from([1, 2, 3]), [1, 4, 9], { groups: ["rest", "top", "rest"] }).svg();
    expect(count(svg, /<title>/g)).toBe(3);
    expect(svg).toContain(">rest (2)</text>");
    expect(svg).toContain(">top (1)</text>");
  });

  it("says how many points are outside the requested axes", async () => {
    const svg = await scatter([1, 2, 300], [1, 2, 3], { x: { domain: [0, 10] } }).svg();
    expect(count(svg, /<title>/g)).toBe(2);
    expect(svg).toContain("points (2, 1 not shown)");
  });

  it("draws a line with a slope only inside the frame, even on logarithmic axes", async () => {
    const reference = [{ kind: "slope", slope: 100, label: "slope 100" }] as const;
    for (const scale of ["linear", "log"] as const) {
      const options = { x: { scale }, y: { scale }, references: reference, width: 400, height: 300 };
      const svg = await scatter([0.01, 1], [1, 10], options).svg();
      const path = svg.match(/stroke-dasharray="5 4"[^>]*><path d="([^"]*)"/)![1];
      for (const [, x, y] of path.matchAll(/[ML](-?[\d.]+),(-?[\d.]+)/g)) {
        expect(Number(x)).toBeGreaterThanOrEqual(59.9);
        expect(Number(x)).toBeLessThanOrEqual(384.1);
        expect(Number(y)).toBeGreaterThanOrEqual(27.9);
        expect(Number(y)).toBeLessThanOrEqual(258.1);
      }
      expect(svg).toContain("slope 100");
    }
  });

  it("writes plain numbers on a logarithmic axis", async () => {
    const svg = await scatter([0.01, 0.3], [1, 2], { x: { scale: "log" } }).svg();
    for (const tick of ["0.01", "0.02", "0.05", "0.1", "0.2"]) expect(svg).toContain(`>${tick}</text>`);
  });

  it("writes 0 and powers of ten on an axis that is logarithmic on both sides of 0", async () => {
    const svg = await scatter([1, 2, 3], [-900, 0, 1500], { y: { scale: "symlog" } }).svg();
    expect(axisTexts(svg, "y")).toEqual(["−100", "−10", "−1", "0", "1", "10", "100", "1000"]);
  });

  it("leaves out what has no place on a logarithmic axis", async () => {
    const svg = await scatter([0, -1, 10], [1, 2, 3], { x: { scale: "log" } }).svg();
    expect(count(svg, /<title>/g)).toBe(1);
  });

  it("refuses x and y of different lengths", () => {
    expect(() => scatter([1, 2], [1])).toThrow('There are 2 points on x, but "y" has 1.');
  });
});

describe("hist", () => {
  const titles = (svg: string) => [...svg.matchAll(/<title>([^<]*)<\/title>/g)].map((match) => match[1]);

  it("counts every number once, the largest too", async () => {
    const svg = await hist([0, 1, 1, 2, 10], { bins: 10 }).svg();
    expect(titles(svg)).toEqual(["1 of 5, 0 to 1", "2 of 5, 1 to 2", "1 of 5, 2 to 3", "1 of 5, 9 to 10"]);
  });

  it("compares rows of unequal size by their shares, in the same bins", async () => {
    const svg = await hist({ all: [1, 1, 2, 2], top: [1] }, { bins: 2, of: "positions" }).svg();
    expect(svg).toContain("share of positions");
    expect(titles(svg)).toContain("top: 1 of 1 positions, 1 to 1.5");
  });

  it("says how many numbers are outside the axis", async () => {
    expect(await hist([1, 2, 300], { x: { domain: [0, 10] } }).svg()).toContain("values (3, 1 not shown)");
  });
});

describe("tokens", () => {
  it("shows whitespace that would be invisible, and spaces at the ends of tokens as ␣", async () => {
    const svg = await tokens(["<|BOS|>", " the", "\n", "\t"], [0, 1, 2, 3]).svg();
    expect(svg).toContain(">␣the</text>");
    expect(svg).toContain(">⏎</text>");
    expect(svg).toContain(">⇥</text>");
    expect(svg).toContain("&lt;|BOS|&gt;");
  });

  it("shows each token's position, values and extra values on hover", async () => {
    const svg = await tokens(["a", "b"], { ablation: [0.5, -1] }, { unit: "nats", hover: { rank: [2, 1] } }).svg();
    expect(svg).toContain("“b” at position 1\nablation: −1 nats\nrank: 1");
  });

  it("writes white on dark cells and black on light ones", async () => {
    const svg = await tokens(["dark", "light"], [1, 0]).svg();
    expect(svg).toMatch(/fill="#ffffff"[^>]*>dark</);
    expect(svg).toMatch(/fill="#000000"[^>]*>light</);
  });

  it("draws a line of tokens for each row of values", async () => {
    expect(count(await tokens(["tok"], { one: [1], two: [2] }).svg(), />tok<\/text>/g)).toBe(2);
  });

  it("refuses fewer values than tokens", () => {
    expect(() => tokens(["a", "b"], { loss: [1] })).toThrow('There are 2 tokens, but "loss" has 1 values.');
  });
});

describe("a picture", () => {
  const heat = imshow([[1, -1]], { title: "Heat", caption: "Two cells." });

  it("is the same after a round trip through JSON", async () => {
    expect(await picture(JSON.parse(JSON.stringify(heat.spec))).svg()).toBe(await heat.svg());
  });

  it("is an SVG that needs nothing from outside, says what it is and has no style sheet", async () => {
    const svg = await heat.svg();
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="680"/);
    expect(svg).toContain('role="img" aria-label="Heatmap: Heat. Two cells."');
    expect(svg).not.toMatch(/<style|href|url\(|@import/);
  });

  it("has the requested width", async () => {
    expect(await heat.svg({ width: 350 })).toContain('width="350"');
    expect(await imshow([[1]], { width: 500 }).svg()).toContain('width="500"');
  });

  it("says what to do if nothing can draw a PNG", async () => {
    await expect(heat.png()).rejects.toThrow("Import glassformer's Node or web entry, or use SVG");
  });

  it("is a PNG with the requested scale, including its text, in Node", async () => {
    usePlatform({ rasterize: rasterizeWithResvg });
    const withText = await heat.png({ scale: 1 });
    const size = new DataView(withText.buffer, withText.byteOffset);
    expect([...withText.subarray(1, 4)].map((c) => String.fromCharCode(c)).join("")).toBe("PNG");
    expect(size.getUint32(16)).toBe(680);
    const without = await imshow([[1, -1]], { title: " ", caption: " " }).png({ scale: 1 });
    expect(withText.length).toBeGreaterThan(without.length + 500);
  });
});
