/** Pictures of graphs: where nodes are, and how edges look. */
import { expect, test } from "vitest";
import type { GraphSpec } from "../../src/finding/picture.ts";
import { drawSvg } from "../../src/report/draw/draw.ts";

const spec: GraphSpec = {
  kind: "graph",
  name: "graph",
  title: "",
  columns: 2,
  rows: ["tokens", "L0", "logits"],
  groups: [
    { name: "token", shape: "box" },
    { name: "neuron", shape: "disc" },
    { name: "others", shape: "ring" },
  ],
  nodes: [
    { name: " a", column: 0, row: 0, group: "token" },
    { name: " bcd", column: 1, row: 0, group: "token" },
    {
      name: "L0N7",
      label: "7",
      column: 1,
      row: 1,
      group: "neuron",
      size: 1,
      words: "active",
      place: "layer=0 d_mlp=7",
    },
    { name: "L0 others", label: "", column: 1, row: 1, group: "others", size: 0 },
    { name: " e", column: 1, row: 2, group: "token" },
  ],
  edges: [
    { from: 0, to: 2, weight: 3 },
    { from: 2, to: 4, weight: -1 },
    { from: 3, to: 4, weight: 0.1, strength: 3 },
  ],
  unit: "logits",
};

/** The numbers of an attribute of each element of a kind. */
const numbers = (svg: string, element: string, name: string) =>
  [...svg.matchAll(new RegExp(`<${element}\\b[^>]*? ${name}="([-\\d.]+)"`, "g"))].map(([, value]) => Number(value));

test("rows go upwards, and columns to the right", async () => {
  const svg = await drawSvg(spec);
  const [a, bcd, e] = numbers(svg.split('data-mark="node"')[1], "rect", "y");
  const [left, right, above] = numbers(svg.split('data-mark="node"')[1], "rect", "x");
  const [disc, ring] = numbers(svg.split('data-mark="node"')[1], "circle", "cy");
  expect(a).toBe(bcd);
  expect(e).toBeLessThan(disc);
  expect(disc).toBeLessThan(a);
  expect(ring).toBe(disc);
  expect(left).toBeLessThan(right);
  expect(above).toBeGreaterThan(left);
});

test("edges are as wide as they are strong, blue where they add and orange where they take away", async () => {
  const svg = await drawSvg(spec);
  const edges = [...svg.matchAll(/<path data-edge="(\d+ \d+)"[^>]*stroke="(#\w+)" stroke-width="([\d.]+)"/g)];
  const found = new Map(edges.map(([, ends, color, width]) => [ends, { color, width: Number(width) }]));
  expect(found.get("0 2")!.width).toBe(found.get("3 4")!.width);
  expect(found.get("2 4")!.width).toBeLessThan(found.get("0 2")!.width);
  expect(found.get("0 2")!.color).toBe(found.get("3 4")!.color);
  expect(found.get("2 4")!.color).not.toBe(found.get("0 2")!.color);
  expect(svg).toContain("<title>L0N7 → ␣e: −1 logits</title>");
  expect(svg).toContain("<title>L0N7\nactive\nfrom ␣a +3 logits\nto ␣e −1 logits</title>");
});

test("what is large is drawn large, and a node without a label has none", async () => {
  const svg = await drawSvg(spec);
  const [disc, ring] = numbers(svg.split('data-mark="node"')[1], "circle", "r");
  expect(disc).toBeGreaterThan(ring);
  const texts = [...svg.split('data-mark="node"')[1].matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);
  expect(texts).toEqual(["␣a", "␣bcd", "7", "", "␣e"]);
  expect(svg).toContain('data-at="layer=0 d_mlp=7"');
});

test("a narrow picture has shorter labels and more lines, and everything is in it", async () => {
  const columns = 9;
  const tokens = Array.from({ length: columns }, (_, column) => {
    return { name: ` tok${column}`, column, row: 0, group: "token" };
  });
  const neurons = Array.from({ length: 24 }, (_, i) => ({ name: `${i}`, column: 8, row: 1, group: "neuron" }));
  const wide: GraphSpec = { ...spec, columns, nodes: [...tokens, ...neurons], edges: [] };
  for (const width of [350, 680]) {
    const svg = await drawSvg(wide, { width });
    const nodes = svg.split('data-mark="node"')[1];
    const lines = new Set(numbers(nodes, "circle", "cy")).size;
    expect(lines).toBeLessThanOrEqual(width === 350 ? 12 : 5);
    const xs = numbers(nodes, "circle", "cx");
    expect(Math.min(...xs)).toBeGreaterThan(0);
    expect(Math.max(...xs)).toBeLessThan(width);
    expect(nodes.includes("tok8</text>")).toBe(width === 680);
  }
});

test("more edges than a picture shows are refused", async () => {
  const edges = Array.from({ length: 5001 }, () => ({ from: 0, to: 2, weight: 1 }));
  await expect(drawSvg({ ...spec, edges })).rejects.toThrow(/5,001 edges, but at most 5,000/);
});

test("a part of a graph says how much it is, and what is locked is not faded", async () => {
  const shares = { ...spec, edges: spec.edges.map((edge, i) => ({ ...edge, share: (i + 1) / 4 })) };
  const svg = await drawSvg({ ...shares, state: { share: 0.5, locked: [" a"] } });
  expect(svg).toContain("Shown is 50 % of the influence: 5 of 5 nodes, 2 of 3 edges.");
  const faded = [...svg.matchAll(/data-(?:node|edge)="([\d ]+)"[^>]* opacity="0\.\d+"/g)].map(([, which]) => which);
  expect(faded).toEqual(["1", "3"]);
  expect(await drawSvg(shares)).not.toContain("of the influence");
});

test("pinned nodes have a second outline, and alone they have only their rows and columns", async () => {
  const pinned = ["L0N7", " e"];
  expect((await drawSvg({ ...spec, state: { pinned } })).match(/data-pin/g)).toHaveLength(2);
  const svg = await drawSvg({ ...spec, state: { pinned, pinnedOnly: true } });
  expect(svg).not.toContain("data-pin");
  expect(svg).toContain("Of 5 nodes, the 2 that are pinned.");
  expect([...svg.matchAll(/data-edge="([^"]*)"/g)].map(([, ends]) => ends)).toEqual(["0 1"]);
  expect(svg).not.toContain(">tokens<");
});
