/** What consoles and notebooks show: few numbers as they are, of many what they are like, and never a wall of fields. */
import { inspect } from "node:util";
import { parseHTML } from "linkedom";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  ActivationCache,
  arange,
  element,
  type Finding,
  GlassformerError,
  HookedTransformer,
  imshow,
  initWeights,
  ones,
  parseConfig,
  render,
  Tensor,
  tensor,
  zeros,
} from "../../src/node.ts";
import { smallModel } from "../lens/small-model.ts";
import { hasChromium, launch } from "./chromium.ts";
import { seedFinding } from "./seed-finding.ts";

const x = tensor(
  [
    [1, -2.5, Number.NaN],
    [10, 0.25, 3],
  ],
  { axes: ["query", "key"] },
);

describe("a tensor in a console", () => {
  test("shows its numbers where they are few, aligned", () => {
    const lines = inspect(tensor([...x.toArray(), [Infinity, -Infinity, 0]])).split("\n");
    expect(lines).toEqual([
      "Tensor float32 [3, 3]",
      "  [[ 1.0000, -2.5000,     NaN],",
      "   [10.0000,  0.2500,  3.0000],",
      "   [      ∞,      -∞,  0.0000]]",
    ]);
  });

  test("shows a corner of many numbers, and what they are like", () => {
    const many = tensor(
      [...Array(2)].map((_, i) =>
        [...Array(5)].map((_, j) => [...Array(20)].map((_, k) => (i + j + k === 0 ? NaN : k === 1 ? -Infinity : k))),
      ),
      { axes: ["batch", "pos", "d_model"] },
    );
    const text = inspect(many);
    expect(text.split("\n")[0]).toBe(
      "Tensor float32 [batch 2, pos 5, d_model 20]: mean 10, from 0 to 19, 1 NaN, 10 infinite",
    );
    expect(text.split("\n")).toHaveLength(7);
    expect(text).toContain("[NaN,  -∞,   2,   3, …]");
  });

  test("says what it would be made of where it has not been computed", () => {
    const w = Tensor.leaf(x.array!, ["key", "d_model"], "weight", "blocks.0.attn.W_V");
    expect(inspect(x.matmul(w.transpose()).point("blocks.0.hook_x"))).toBe(
      'Tensor "blocks.0.hook_x" float32 [query 2, key 2], not computed: matmul of [query 2, key 3] and [d_model 3, key 2]',
    );
    expect(inspect(x.mul(0.1))).toMatch(/not computed: mul of \[query 2, key 3\] and 0\.1$/);
  });

  test("is one line within something else", () => {
    expect(inspect({ x: ones([30, 30]), few: arange(3) })).toBe(
      "{\n  x: Tensor float32 [30, 30]: mean 1, from 1 to 1,\n  few: Tensor int32 [3]: [0, 1, 2]\n}",
    );
  });

  test("shows truth values, no numbers, tiny and large ones", () => {
    expect(inspect(tensor([true, false]))).toBe("Tensor bool [2]: [true, false]");
    expect(inspect(zeros([0, 3]))).toBe("Tensor float32 [0, 3]: no numbers");
    expect(inspect(tensor([1.5e-7, -2e-7]))).toBe("Tensor float32 [2]: [1.500e-7, -2.000e-7]");
    expect(inspect(tensor(new Uint8Array(200).fill(1), { dtype: "bool" }))).toMatch(/200 of 200 are true/);
  });

  test("is its number in a text, if it is one", () => {
    expect(`${tensor(0.1)} nats of ${tensor([1, 2])}`).toBe("0.1 nats of Tensor float32 [2]: [1, 2]");
  });

  test("has no control characters from names", () => {
    expect(inspect(x.point("a\u001b[2J"))).not.toContain("\u001b");
  });

  test("is JSON with nested lists, and what JSON has no number for as text", () => {
    expect(JSON.parse(JSON.stringify({ x: x.row(0) }))).toEqual({
      x: { dtype: "float32", shape: [3], axes: ["key"], values: [1, -2.5, "NaN"] },
    });
    const weight = Tensor.leaf(tensor([true]).array!, [], "weight", "mask");
    expect(JSON.parse(JSON.stringify(weight))).toEqual({
      name: "mask",
      dtype: "bool",
      shape: [1],
      axes: [""],
      values: [true],
    });
    expect(() => JSON.stringify(x.add(1))).toThrow(GlassformerError);
    expect(() => JSON.stringify(x.add(1))).toThrow(/has not been computed: `await x.compute\(\)`/);
  });
});

describe("a model, its configuration and its cache in a console", () => {
  const cfg = parseConfig({
    n_layers: 3,
    d_model: 8,
    n_ctx: 16,
    d_head: 4,
    d_vocab: 5,
    act_fn: "gelu",
    model_name: "three",
    seed: 1,
    eps: 0.5,
  });
  const model = new HookedTransformer(cfg, initWeights(cfg));

  test("are a line, and the fields that say more", () => {
    expect(inspect(model)).toBe(
      "HookedTransformer(three): 3 layers, d_model 8, 2 heads of 4, d_mlp 32 (gelu), 5 tokens, 16 positions (standard), LN",
    );
    expect(inspect(cfg).split("\n")).toEqual([
      "HookedTransformerConfig of three: 3 layers, d_model 8, 2 heads of 4, d_mlp 32 (gelu), 5 tokens, 16 positions (standard), LN",
      "  eps: 0.5",
      "  seed: 1",
    ]);
    expect(Object.keys(cfg)).toContain("nLayers");
    expect(JSON.parse(JSON.stringify(cfg))).toMatchObject({ nLayers: 3 });
  });

  test("have one line for hook points that differ in their layer alone", async () => {
    const [, cache] = await model.runWithCache([[0, 1, 2]], {
      namesFilter: (name) => /hook_z|resid_pre$|hook_embed/.test(name) && !name.startsWith("blocks.1.attn"),
    });
    expect(inspect(cache).split("\n")).toEqual([
      "ActivationCache of three: 6 values",
      "  hook_embed                   float32 [batch 1, pos 3, d_model 8]",
      "  blocks.{0–2}.hook_resid_pre  float32 [batch 1, pos 3, d_model 8]",
      "  blocks.{0,2}.attn.hook_z     float32 [batch 1, pos 3, head 2, d_head 4]",
    ]);
    expect(`${cache}`).toBe("ActivationCache of three: 6 values");
    const planned = new ActivationCache(new Map([["hook_embed", cache.get("hook_embed").mul(2)]]), model);
    expect(inspect(planned)).toMatch(/hook_embed {2}float32 \[batch 1, pos 3, d_model 8\], not computed$/);
  });
});

describe("findings and pictures", () => {
  const finding = seedFinding() as Finding;
  const chart = imshow([[1, 2]], { title: "Two numbers" });

  test("are a few lines in a console, and plain data otherwise", () => {
    const text = inspect(finding);
    expect(text).toContain(finding.question);
    expect(text).toContain(finding.summary[0].text);
    expect(text.split("\n").length).toBeLessThan(8);
    expect(inspect(chart)).toBe("Picture imshow (imshow): Two numbers; await its svg(), html() or png()");
    expect(Object.getOwnPropertySymbols({ ...finding })).toEqual([]);
    expect(structuredClone(finding)).toEqual(finding);
  });

  test("are pages in frames for Deno's notebooks, and text, a picture also SVG", async () => {
    const bundle = await displayed(finding);
    expect(Object.keys(bundle)).toEqual(["text/plain", "text/html"]);
    const { document } = parseHTML(`<body>${bundle["text/html"]}</body>`);
    const frame = document.querySelector("iframe")!;
    expect(frame.getAttribute("sandbox")).toBe("allow-scripts allow-downloads");
    expect(frame.getAttribute("srcdoc")).toBe(await render(finding, "html"));
    const picture = await displayed(chart);
    expect(picture["image/svg+xml"]).toBe(await chart.svg());
    expect(
      parseHTML(`<body>${picture["text/html"]}</body>`).document.querySelector("iframe")!.getAttribute("srcdoc"),
    ).toBe(await chart.html());
  });

  test("tensors are tables there, coloured by value, with a corner of many numbers", async () => {
    const table = parseHTML(`<body>${(await displayed(x))["text/html"]}</body>`).document;
    expect([...table.querySelectorAll("td")].map((cell) => cell.textContent)).toEqual([
      "1",
      "−2.5",
      "NaN",
      "10",
      "0.25",
      "3",
    ]);
    const large = parseHTML(`<body>${(await displayed(zeros([2, 40, 50])))["text/html"]}</body>`).document;
    expect(large.querySelectorAll("tr")).toHaveLength(13);
    expect(large.querySelector("figcaption")!.textContent).toMatch(/mean 0, from 0 to 0; shown at axis 0 0$/);
    expect(await displayed(x.add(1))).toEqual({ "text/plain": inspect(x.add(1)) });
  });

  test.skipIf(!hasChromium)("are drawn in their frames, without requests or complaints", async () => {
    const chromium = await launch();
    try {
      const frames = [(await displayed(chart))["text/html"], (await displayed(finding))["text/html"]];
      const { page, requests, messages } = await chromium.open(`<!doctype html><body>${frames.join("")}</body>`);
      const [, first, second] = page.frames();
      await first.waitForSelector("svg");
      await second.waitForSelector("h1");
      expect(messages).toEqual([]);
      expect(requests.filter((url) => !/^(file|about):/.test(url))).toEqual([]);
    } finally {
      await chromium.close();
    }
  });

  describe("as elements", () => {
    afterEach(() => vi.unstubAllGlobals());

    test("are what notebooks show", async () => {
      vi.stubGlobal("document", parseHTML("<body></body>").document);
      expect((await element(chart)).tagName).toBe("IFRAME");
      expect((await element(x)).tagName).toBe("FIGURE");
      const model = await element(smallModel());
      expect([model.tagName, model.textContent]).toEqual(["PRE", inspect(smallModel())]);
    });

    test("need a document, and something to show", async () => {
      await expect(element(chart)).rejects.toThrow(/There is no document here/);
      await expect(element({ a: 1 })).rejects.toThrow(/takes a picture, a finding, a tensor/);
    });
  });
});

async function displayed(x: object): Promise<Record<string, string>> {
  return (x as Record<symbol, () => Promise<Record<string, string>>>)[Symbol.for("Jupyter.display")]();
}
