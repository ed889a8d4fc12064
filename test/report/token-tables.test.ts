import { describe, expect, it } from "vitest";
import type { TopkSpec } from "../../src/finding/picture.ts";
import { drawTopk } from "../../src/report/draw/topk.ts";
import {
  imshow,
  logitLensCells,
  logitLensTable,
  textNeuronActivations,
  tokenTicks,
  topkTable,
  topkTokens,
} from "../../src/report/index.ts";
import { ndarray } from "../../src/tensor/array.ts";
import { ArgumentError, ShapeError } from "../../src/tensor/errors.ts";

const titles = (svg: string) => [...svg.matchAll(/<title>([^<]*)<\/title>/g)].map((match) => match[1]);

describe("topkTokens", () => {
  const tokens = ["a", " b", " c", "d", "e"];
  const values = [
    [1, -1],
    [5, 0],
    [3, -7],
    [-2, 2],
    [0, 4],
  ];

  it("ranks each column's tokens, the largest first and the smallest last", () => {
    const [first, second] = (topkTokens(tokens, values, { k: 2 }).spec as TopkSpec).columns;
    expect(first).toEqual({
      name: "0",
      top: [
        { token: " b", value: 5, pos: 1 },
        { token: " c", value: 3, pos: 2 },
      ],
      bottom: [
        { token: "e", value: 0, pos: 4 },
        { token: "d", value: -2, pos: 3 },
      ],
    });
    expect(second).toMatchObject({ top: [{ token: "e" }, { token: "d" }], bottom: [{ token: "a" }, { token: " c" }] });
  });

  it("writes all numbers of a picture with the same decimals, so that their points line up", () => {
    const drawn = drawTopk(topkTokens(tokens, [[1.5], [0.25], [-0.001], [12], [-3]], { k: 2 }).spec as TopkSpec, 600);
    const numbers = [...drawn.content.matchAll(/text-anchor="end"[^>]*>([^<]*)</g)].map(([, number]) => number);
    expect(numbers).toEqual(["12.000", "1.500", "−0.001", "−3.000"]);
  });

  it("does not put a token on both sides", () => {
    expect(topkTokens(tokens, values, { k: 4 }).spec).toMatchObject({
      columns: [{ bottom: [{ token: "d" }] }, { bottom: [{ token: " c" }] }],
    });
  });

  it("shows the columns with the largest |value| if there are many", () => {
    const wide = ndarray(
      "float32",
      [2, 100],
      Float32Array.from({ length: 200 }, (_, i) => (i === 142 ? -9 : i % 100 < 7 ? 1 + i : 0)),
    );
    const { columns } = topkTokens(["x", "y"], wide).spec as TopkSpec;
    expect(columns).toHaveLength(8);
    expect(columns.map(({ name }) => name)).toContain("42");
  });

  it("shows each token's position and value on hover", async () => {
    const svg = await topkTokens(tokens, values, { k: 1, color: { unit: "logits" } }).svg();
    expect(titles(svg)[0]).toBe("“␣b” at position 1: 5 logits");
  });

  it("refuses a k of 0, a column that does not exist, and values for other tokens", () => {
    expect(() => topkTokens(tokens, values, { k: 0 })).toThrow(ArgumentError);
    expect(() => topkTokens(tokens, values, { columns: [2] })).toThrow("There is no column 2: there are 2");
    expect(() => topkTokens(["a"], values)).toThrow(ShapeError);
  });

  it("draws tokens that are already ranked, such as a vocabulary", async () => {
    const svg = await topkTable([{ name: "direction 0", top: [{ token: " the", value: 2 }] }]).svg();
    expect(titles(svg)).toEqual(["“␣the”: 2"]);
    expect(svg).not.toContain("smallest");
  });
});

describe("a logit lens", () => {
  const words = [" the", " Mary", "x"];
  const logits = [
    [
      [0, 0, 0],
      [1, 0, 0],
    ],
    [
      [Math.log(2), Math.log(6), Math.log(2)],
      [0, 5, 9],
    ],
  ];
  const cells = logitLensCells(logits, { token: (i) => words[i], next: [1, null], k: 2 });

  it("has the softmax' probabilities, the rank of the right token and the entropy", () => {
    expect(cells[0][0].entropy).toBeCloseTo(Math.log(3), 12);
    const cell = cells[1][0];
    expect(cell.top.map(({ token }) => token)).toEqual([" Mary", " the"]);
    expect(cell.top[0].probability).toBeCloseTo(0.6, 12);
    expect(cell.right!.probability).toBeCloseTo(0.6, 12);
    expect(cell.right!.rank).toBe(0);
    expect(cell.entropy).toBeCloseTo(-(0.6 * Math.log(0.6) + 0.4 * Math.log(0.2)), 12);
    expect(cells[0][1].right).toBeUndefined();
  });

  it("of a long text is several tables on a page, with every position in its order, of which the last is unfolded", async () => {
    const text = Array.from({ length: 1024 }, (_, i) => `w${i}`);
    const layer = text.map((token) => ({ top: [{ token, probability: 0.5 }] }));
    const html = await logitLensTable(text, [layer, layer, layer]).html();
    const screen = html.slice(html.indexOf('class="screen"'), html.indexOf('class="paper"'));
    const parts = [...screen.matchAll(/<details class="rows"( open)?><summary>Positions (\d+) to (\d+)</g)];
    expect(parts.map(([, open]) => open !== undefined)).toEqual(parts.map((_, i) => i === parts.length - 1));
    expect(parts.slice(1).map(([, , from]) => Number(from))).toEqual(
      parts.slice(0, -1).map(([, , , to]) => Number(to) + 1),
    );
    const shown = [...screen.matchAll(/<td [^>]*data-at="layer=0 pos=(\d+)"/g)].map(([, pos]) => Number(pos));
    expect(shown).toEqual(text.map((_, i) => i));
  });

  it("has the last layer on top, the prompt below and the next tokens above", async () => {
    const svg = await logitLensTable(["<|BOS|>", " Mary"], cells, {
      next: [" Mary", null],
      layers: ["first", "last"],
    }).svg();
    const at = (text: string) => Number(svg.match(new RegExp(`<text x="[\\d.]+" y="([\\d.]+)"[^>]*>${text}<`))![1]);
    const order = ["next", "last", "first", "reads"].map(at);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it("frames the cells whose top token is the right one, and shows all tokens on hover", async () => {
    const svg = await logitLensTable(["<|BOS|>", " Mary"], cells, { next: [" Mary", null] }).svg();
    expect(titles(svg)).toContain(
      "1, after “&lt;|BOS|&gt;” (0)\n0.6  “␣Mary”\n0.2  “␣the”\nright next token “␣Mary”: 0.6, the most probable\nentropy: 0.9503 nats",
    );
    const cellsOf = svg.split("<g><title>").slice(1);
    expect(cellsOf.map((cell) => cell.includes('stroke-width="1.5"'))).toEqual([true, false, false, false]);
  });

  it("can be coloured by different numbers", async () => {
    const one = logitLensTable(["a", "b"], cells, { colorBy: "rank" });
    expect(await one.svg()).toContain("log₁₀ (1 + rank of the right next token)");
    expect(await logitLensTable(["a", "b"], cells, { colorBy: "entropy" }).svg()).toContain("entropy (nats)");
  });

  it("refuses a layer with more or fewer cells than tokens, and names for other layers", () => {
    expect(() => logitLensTable(["a"], cells)).toThrow("There are 1 tokens, but layer 0 has 2 cells.");
    expect(() => logitLensTable(["a", "b"], cells, { layers: ["x"] })).toThrow("There are 2 layers, but 1 names.");
    expect(() => logitLensCells([[1, 2]], { token: String })).toThrow(ShapeError);
  });
});

describe("textNeuronActivations", () => {
  const values = [
    [
      [0, 1],
      [2, 3],
    ],
    [
      [0, -8],
      [1, 1],
    ],
  ];

  it("shows the neuron with the largest |activation|, or the selected one", async () => {
    const shown = textNeuronActivations(["a", "b"], values);
    expect(shown.spec).toMatchObject({ chosen: { layer: 0, neuron: 1 } });
    expect(titles(await shown.svg())[1]).toBe("“b” at position 1\nlayer 0, neuron 1: −8");
    const other = textNeuronActivations(["a", "b"], values, { chosen: { layer: 1, neuron: 0 } });
    expect(titles(await other.svg())).toEqual([
      "“a” at position 0\nlayer 1, neuron 0: 2",
      "“b” at position 1\nlayer 1, neuron 0: 1",
    ]);
  });

  it("takes several texts of different lengths", async () => {
    const svg = await textNeuronActivations([["a", "b"], ["c"]], [values, [values[0]]], {
      labels: ["one", "two"],
    }).svg();
    expect(titles(svg)).toHaveLength(3);
    expect(svg).toContain(">two</text>");
  });

  it("refuses activations of other tokens, and a neuron that does not exist", () => {
    expect(() => textNeuronActivations(["a"], values)).toThrow("for 1 tokens, but those of text 0 have shape [2,2,2]");
    expect(() => textNeuronActivations(["a", "b"], values, { chosen: { layer: 2, neuron: 0 } })).toThrow(ArgumentError);
    expect(() => textNeuronActivations([["a"]], [])).toThrow("There are 1 texts, but activations for 0.");
  });
});

describe("several heatmaps", () => {
  const cube = [
    [
      [1, 0],
      [0, 0],
    ],
    [
      [0, 0],
      [0, -4],
    ],
  ];

  it("share one colour scale and say which one they are", async () => {
    const svg = await imshow(cube, { facet: { ticks: ["query", "key"] }, x: "head", y: "layer" }).svg();
    expect(titles(svg)).toHaveLength(8);
    expect(titles(svg)[7]).toBe("key\nlayer 1, head 1: −4");
    expect(svg).toContain(">−4</text>");
    expect(svg.match(/fill="(#\w+)"><title>query\nlayer 0, head 0/)![1]).not.toBe("#053061");
    expect(await imshow(cube, { facet: "head" }).svg()).toContain(">head 1</text>");
  });

  it("label positions with index and token", () => {
    expect(tokenTicks(["<|BOS|>", " Mary", "\n"])).toEqual(["0 <|BOS|>", "1 ␣Mary", "2 ⏎"]);
  });

  it("are refused without a third axis", () => {
    expect(() => imshow(cube[0], { facet: "head" })).toThrow("[facet, row, column], but the array has shape [2,2]");
  });
});
