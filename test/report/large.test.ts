/** Pictures of very many numbers: they look right without a node for each, or are refused in a sentence. */
import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { attentionHeads, hist, imshow, line, scatter, tokens, topkTokens } from "../../src/node.ts";
import { thinned } from "../../src/report/draw/thinned.ts";
import { ArgumentError } from "../../src/tensor/errors.ts";

/** Numbers from 0 to 1, the same each time (Park and Miller). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** Reads a palette PNG strictly by the standard: the colour of each pixel. */
function colorsOf(png: Buffer): { width: number; height: number; at: (x: number, y: number) => string } {
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    chunks.set(png.toString("latin1", at + 4, at + 8), png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const [header, palette] = [chunks.get("IHDR")!, chunks.get("PLTE")!];
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const rows = inflateSync(chunks.get("IDAT")!);
  expect([...header.subarray(8), rows.length]).toEqual([8, 3, 0, 0, 0, (width + 1) * height]);
  const at = (x: number, y: number) => {
    const index = rows[y * (width + 1) + 1 + x];
    return `#${palette.toString("hex", 3 * index, 3 * index + 3)}`;
  };
  return { width, height, at };
}

const imagesOf = (drawn: string) =>
  [...drawn.matchAll(/<image [^>]*href="data:image\/png;base64,([^"]*)"/g)].map((m) => Buffer.from(m[1], "base64"));
const rows = (count: number, columns: number, of: (i: number) => number | null) =>
  Array.from({ length: count }, (_, r) => Array.from({ length: columns }, (_, c) => of(r * columns + c)));

describe("an imshow of many cells", () => {
  it("is one image whose pixels have the same colours as separate cells, including gaps", async () => {
    const next = random(5);
    const values = rows(90, 80, (i) => (i % 7 === 3 ? null : next() - 0.4));
    const domain = [-0.6, 0.6] as const;
    const svg = await imshow(values as number[][], { color: { domain } }).svg();
    const [image, ...others] = imagesOf(svg).map(colorsOf);
    expect([image.width, image.height, others.length]).toEqual([80, 90, 0]);
    expect(svg).not.toContain("<title>");
    expect(svg.length).toBeLessThan(40_000);
    for (let i = 0; i < 60; i++) {
      const [r, c] = [Math.floor(next() * 90), Math.floor(next() * 80)];
      const few = await imshow([[values[r][c] as number]], { color: { domain } }).svg();
      expect(few).toContain(`fill="${image.at(c, r)}"`);
    }
  });

  it("has the same axes, labels and legend as one with few cells", async () => {
    const ticks = Array.from({ length: 100 }, (_, i) => ` tick${i}`);
    const svg = await imshow(
      rows(100, 100, (i) => i),
      {
        ...{ x: { label: "keys", ticks }, y: { label: "queries", ticks }, title: "Many", color: { unit: "nats" } },
      },
    ).svg();
    for (const text of ["keys", "queries", "Many", "nats", "␣tick0", "9999"]) expect(svg).toContain(text);
  });

  it("adapts to a dark page, and has the numbers for its tips", async () => {
    const values = rows(80, 80, (i) => i / 7);
    const html = await imshow(values as number[][]).html();
    const images = imagesOf(html).map(colorsOf);
    expect(images).toHaveLength(4); // light and dark, for a wide and for a narrow window
    expect(images[0].at(0, 0)).not.toBe(images[1].at(0, 0));
    expect(html).toContain("img-src data:;");
    const packed = Buffer.from(/data-values="([^"]*)"/.exec(html)![1], "base64");
    const told = new Float32Array(packed.buffer.slice(packed.byteOffset, packed.byteOffset + packed.length));
    expect([...told]).toEqual([...Float32Array.from(values.flat() as number[])]);
  });

  it("may have facets, each of them an image", async () => {
    const facets = Array.from({ length: 3 }, (_, f) => rows(90, 90, (i) => i * f));
    const svg = await imshow(facets as number[][][], { facet: "head" }).svg();
    expect(imagesOf(svg)).toHaveLength(3);
    expect(svg).toContain("head 2");
  });

  it("is drawn with 300 x 300 and 1000 x 1000 cells in every form, and refused with more than a screen shows", async () => {
    for (const size of [300, 1000]) {
      const picture = imshow(rows(size, size, (i) => Math.sin(i)) as number[][]);
      expect((await picture.svg()).length).toBeLessThan(3e6);
      expect((await picture.html()).length).toBeLessThan(15e6);
      expect((await picture.png({ scale: 1 })).length).toBeGreaterThan(1000);
    }
    const wide = { data: new Float32Array(4_100_000), shape: [1000, 4100] };
    await expect(imshow(wide).svg()).rejects.toThrow(/4,100,000 cells \(1000 x 4100\), but at most 4,000,000/);
  });
});

describe("a line of many points", () => {
  it("goes through the same half pixels as with all points", () => {
    const next = random(3);
    const y = Array.from({ length: 20_000 }, (_, i) => (i % 5000 === 77 ? Number.NaN : Math.sin(i / 900) + next()));
    const at = (i: number) => (i * 600) / y.length;
    const kept = thinned(y.length, at, [(i) => y[i]]);
    expect(kept.length).toBeLessThan(5200);
    expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
    const extremes = (indices: readonly number[]) => {
      const found = new Map<number, [number, number]>();
      for (const i of indices) {
        if (Number.isNaN(y[i])) continue;
        const column = Math.floor(2 * at(i));
        const [low, high] = found.get(column) ?? [y[i], y[i]];
        found.set(column, [Math.min(low, y[i]), Math.max(high, y[i])]);
      }
      return found;
    };
    expect(extremes(kept)).toEqual(extremes(y.map((_, i) => i)));
    expect(kept.filter((i) => Number.isNaN(y[i]))).toEqual([77, 5077, 10_077, 15_077]);
  });

  it("is drawn with a million, and shows a single high one", async () => {
    const y = new Float32Array(1_000_000).map((_, i) => (i === 654_321 ? 9 : i % 3));
    const svg = await line(y, { y: { domain: [0, 10] } }).svg();
    expect(svg.length).toBeLessThan(300_000);
    const few = await line([9, 0], { y: { domain: [0, 10] } }).svg();
    const top = /d="M[\d.]+,([\d.]+)L/.exec(few.slice(few.indexOf("stroke-linejoin")))![1];
    expect(svg.slice(svg.indexOf("stroke-linejoin"))).toContain(`,${top}L`);
  });
});

describe("a scatter of many points", () => {
  it("draws each where it would be among few, without a node for each", async () => {
    const next = random(9);
    const [x, y] = [0, 1].map(() => Array.from({ length: 100_000 }, next));
    const axes = { x: { domain: [0, 1] }, y: { domain: [0, 1] } } as const;
    const svg = await scatter(x, y, axes).svg();
    expect(svg.length).toBeLessThan(2e6);
    const drawn = new Set(/class="dots"[^>]* d="([^"]*)"/.exec(svg)![1].split(/(?=M)/));
    for (const i of [0, 1, 99_999]) {
      const few = await scatter([x[i]], [y[i]], axes).svg();
      const [cx, cy] = ["cx", "cy"].map((name) => new RegExp(`<circle [^>]*${name}="([\\d.]+)"`).exec(few)![1]);
      const half = (value: string) => Math.round(2 * Number(value)) / 2;
      expect(drawn.has(`M${half(cx)} ${half(cy)}h0`)).toBe(true);
    }
  });
});

describe("what no screen can show is refused in a sentence:", () => {
  const words = (count: number) => Array.from({ length: count }, (_, i) => ` ${i}`);
  const cases: [what: string, draw: () => Promise<unknown>, told: RegExp][] = [
    ["tokens", () => tokens(words(200_001), new Float32Array(200_001)).svg(), /200,001 tokens/],
    [
      "ranked tokens",
      () => topkTokens(words(30_000), { data: new Float32Array(120_000), shape: [30_000, 4] }, { k: 15_000 }).html(),
      /120,000 ranked tokens/,
    ],
    [
      "attention",
      async () => attentionHeads(words(1024), { data: new Float32Array(0), shape: [1024, 1024, 1024] }).svg(),
      /1,073,741,824 weights \(1024 heads of 1024 x 1024\)/,
    ],
    ["bins", () => hist([1, 2], { bins: 1e9 }).svg(), /1,000,000,000 bins/],
    [
      "words",
      () => scatter(words(3000).map(Number), words(3000).map(Number), { labels: words(3000) }).svg(),
      /3,000 labels/,
    ],
    ["a PNG", () => line([1, 2]).png({ scale: 100 }), /The PNG would have 68,000 x [\d,]+ pixels/],
    ["a scale", () => line([1, 2]).png({ scale: Number.NaN }), /scale must be a number above 0, not NaN/],
  ];
  it.each(cases)("%s", async (_what, draw, told) => {
    const error = (await draw().catch((thrown) => thrown)) as Error;
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toMatch(told);
  });
});
