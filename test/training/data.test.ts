/** Rows of tokens, tokenizers trained from text, synthetic tasks, random weights. */
import { describe, expect, test } from "vitest";
import { initWeights } from "../../src/models/weights/init.ts";
import { HookedTransformer, parseConfig } from "../../src/node.ts";
import { Tokenizer } from "../../src/text/index.ts";
import { modularAddition, repeatedTokens } from "../../src/training/data/synthetic.ts";
import { tokenizeAndConcatenate } from "../../src/training/data/tokenize-and-concatenate.ts";
import { trainBpe } from "../../src/training/data/train-bpe.ts";

const text =
  "the cat sat on the mat; the rat sat on the hat.\n  It's 1984, naïve aaaa banana bananas 🐈🐈 — the thin cat thinks that it's that hat";
const mergesOf = (json: Record<string, unknown>) =>
  (json.model as { merges: [string, string][] }).merges.map((pair) => pair.join(" "));

describe("a tokenizer trained from text", () => {
  test("has the merges of Hugging Face's trainer", () => {
    expect(mergesOf(trainBpe(text, { vocabSize: 1000 }))).toEqual([
      ...["a t", "t h", "Ġ th", "n a", "Ġth e", "a a", "' s", "a na", "b ana", "c at", "h at", "i n", "o n", "s at"],
      ...["ð Ł", "Ġ bana", "Ġ cat", "Ġ hat", "Ġ on", "Ġ sat", "Ĳ Ī", "Ġth at", "Ġth in", "ðŁ ĲĪ", "Ġbana na"],
    ]);
    expect(mergesOf(trainBpe(text, { vocabSize: 262, minFrequency: 0 }))).toEqual(["a t", "t h", "Ġ th"]);
    expect(mergesOf(trainBpe(text, { vocabSize: 1000, minFrequency: 0 }))).toHaveLength(50);
  });

  test("reads back what it wrote, knows its special tokens and splits numbers into digits", () => {
    const tokenizer = Tokenizer.fromJson(JSON.parse(JSON.stringify(trainBpe(text, { vocabSize: 280 }))));
    expect(tokenizer.vocabSize).toBe(280);
    expect([tokenizer.eosTokenId, tokenizer.bosTokenId, tokenizer.padTokenId]).toEqual([0, 1, 2]);
    for (const s of [text, "Ünïcödé 漢字 \t\n", "new words 2026"]) {
      expect(tokenizer.decode(tokenizer.encode(s))).toBe(s);
    }
    expect(tokenizer.encode("the cat").length).toBeLessThan(5);
    expect(tokenizer.encode("1984")).toHaveLength(4);
    const whole = Tokenizer.fromJson(trainBpe("1984 1984 1984", { vocabSize: 270, individualDigits: false }));
    expect(whole.encode("1984")).toHaveLength(1);
  });

  test("needs room for the bytes, and a text", () => {
    expect(() => trainBpe(text, { vocabSize: 200 })).toThrow(/256 bytes and 3 special tokens.*at least 259/);
    expect(() => trainBpe("", { vocabSize: 300 })).toThrow(/no text to make/);
  });
});

describe("rows of tokens", () => {
  const tokenizer = Tokenizer.fromJson(trainBpe(text, { vocabSize: 300 }));
  const [EOS, BOS] = [0, 1];

  test("have BOS first and, joined, the tokens of the texts with EOS between", () => {
    const texts = [text, "the thin cat sat on the hat. ".repeat(4), text];
    const { shape, data } = tokenizeAndConcatenate(texts, tokenizer, { maxLength: 9 });
    expect(shape[1]).toBe(9);
    const rows = Array.from({ length: shape[0] }, (_, row) => [...data.subarray(row * 9, row * 9 + 9)]);
    expect(rows.every(([first]) => first === BOS)).toBe(true);
    const all = texts.flatMap((t, i) => [...(i > 0 ? [EOS] : []), ...tokenizer.encode(t)]);
    expect(shape[0]).toBe(Math.floor(all.length / 8));
    expect(rows.flatMap((row) => row.slice(1))).toEqual(all.slice(0, shape[0] * 8));
  });

  test("can leave out BOS", () => {
    const { shape, data } = tokenizeAndConcatenate(text, tokenizer, { maxLength: 5, addBosToken: false });
    expect([...data]).toEqual(tokenizer.encode(text).slice(0, shape[0] * 5));
  });

  test("need a text that fills one, and room for more than BOS", () => {
    expect(() => tokenizeAndConcatenate("the cat", tokenizer, { maxLength: 64 })).toThrow(
      /has 3 tokens, but one row needs 63 besides BOS/,
    );
    expect(() => tokenizeAndConcatenate("the cat", tokenizer, { maxLength: 1 })).toThrow(
      /no room for anything but BOS/,
    );
    const bare = Tokenizer.fromJson(trainBpe(text, { vocabSize: 300, specialTokens: [] }));
    expect(() => tokenizeAndConcatenate(text, bare, { maxLength: 4 })).toThrow(/no BOS token; pass addBosToken: false/);
    const two = () => tokenizeAndConcatenate([text, text], bare, { maxLength: 4, addBosToken: false });
    expect(two).toThrow(/no EOS token to put between texts/);
  });
});

describe("synthetic tasks", () => {
  const config = (fields: object) =>
    parseConfig({ n_layers: 1, d_model: 8, d_head: 4, act_fn: "relu", normalization_type: null, ...fields });

  test("modular addition has every sum once, and its loss is that of the right answer", async () => {
    const task = modularAddition({ p: 5, share: 0.6 });
    expect([task.data.shape, task.heldOut!.shape]).toEqual([
      [15, 3],
      [10, 3],
    ]);
    const pairs = new Set<string>();
    for (const { data } of [task.data, task.heldOut!]) {
      for (let i = 0; i < data.length; i += 3) {
        pairs.add(`${data[i]} ${data[i + 1]}`);
        expect(data[i + 2]).toBe(5);
      }
    }
    expect(pairs.size).toBe(25);
    const cfg = config(task.sizes);
    const model = new HookedTransformer(cfg, initWeights(cfg));
    const tokens = { ...task.heldOut!, axes: ["batch", "pos"] };
    const input = Array.from({ length: 10 }, (_, row) => [...tokens.data.subarray(row * 3, row * 3 + 3)]);
    const logits = await model.forward(input);
    const expected = input.map(([a, b], row) => {
      const scores = Array.from({ length: 5 }, (_, c) => logits.get(row, 2, c));
      return Math.log(scores.reduce((sum, x) => sum + Math.exp(x), 0)) - scores[(a + b) % 5];
    });
    const found = await task.loss(model.graph(input)).compute();
    expect(found.item()).toBeCloseTo(expected.reduce((x, y) => x + y) / 10, 5);
  });

  test("repeated tokens come twice, different ones each step, and their loss is that of the second time", async () => {
    const task = repeatedTokens({ dVocab: 20, length: 4, batchSize: 3 });
    const { shape, data } = task.data(7);
    expect(shape).toEqual([3, 9]);
    for (let row = 0; row < 27; row += 9) {
      expect(data[row]).toBe(0);
      expect(data.slice(row + 1, row + 5)).toEqual(data.slice(row + 5, row + 9));
      expect(Math.min(...data.slice(row + 1, row + 5))).toBeGreaterThan(0);
    }
    expect(task.data(7)).toEqual(task.data(7));
    expect(task.data(8)).not.toEqual(task.data(7));
    const cfg = config({ d_vocab: 20, n_ctx: 9 });
    const model = new HookedTransformer(cfg, initWeights(cfg));
    const rows = [0, 9, 18].map((at) => [...data.subarray(at, at + 9)]);
    const losses = await model.forward(rows, { returnType: "loss", lossPerToken: true });
    // From the first token of the repetition, which cannot be predicted, the next three follow.
    const second = rows.flatMap((_, row) => [5, 6, 7].map((pos) => losses.get(row, pos)));
    const found = await task.loss(model.graph(rows)).compute();
    expect(found.item()).toBeCloseTo(second.reduce((x, y) => x + y) / 9, 5);
  });
});

describe("random weights", () => {
  const sizes = { n_layers: 1, d_model: 128, d_head: 16, d_mlp: 512, n_ctx: 64, d_vocab: 100, act_fn: "relu" };
  const stats = (data: Float32Array) => {
    const mean = data.reduce((a, b) => a + b) / data.length;
    return { mean, deviation: Math.sqrt(data.reduce((s, x) => s + (x - mean) ** 2, 0) / data.length) };
  };

  test.each([
    ["gpt2", 0.8 / Math.sqrt(128), 0.8 / Math.sqrt(128)],
    ["xavier_uniform", Math.sqrt(2 / 640), Math.sqrt(2 / 256)],
    ["xavier_normal", Math.sqrt(2 / 640), Math.sqrt(2 / 256)],
    ["kaiming_uniform", Math.sqrt(2 / 128), Math.sqrt(2 / 128)],
    ["kaiming_normal", Math.sqrt(2 / 128), Math.sqrt(2 / 128)],
  ])("of %s have the spread that TransformerLens gives them", (init_mode, ofIn, ofQ) => {
    const weights = initWeights(parseConfig({ ...sizes, init_mode }));
    for (const [name, spread] of [
      ["blocks.0.mlp.W_in", ofIn],
      ["blocks.0.attn.W_Q", ofQ],
    ] as const) {
      const { data } = weights.get(name)!;
      const { mean, deviation } = stats(data);
      expect(deviation / spread).toBeGreaterThan(0.97);
      expect(deviation / spread).toBeLessThan(1.03);
      expect(Math.abs(mean) / spread).toBeLessThan(0.03);
      if (init_mode.endsWith("uniform")) {
        const most = data.reduce((m, x) => Math.max(m, Math.abs(x)), 0) / spread;
        expect(most).toBeGreaterThan(1.7);
        expect(most).toBeLessThan(1.7321);
      }
    }
    expect(new Set(weights.get("blocks.0.ln1.w")!.data)).toEqual(new Set([1]));
    for (const name of ["blocks.0.ln1.b", "blocks.0.attn.b_Q", "unembed.b_U"]) {
      expect(new Set(weights.get(name)!.data)).toEqual(new Set([0]));
    }
  });

  test("are the same for a seed on every machine, and different for another", () => {
    const first = (seed: number | null) => initWeights(parseConfig({ ...sizes, seed })).get("embed.W_E")!.data;
    expect(first(1)).toEqual(first(1));
    expect(first(1)).not.toEqual(first(2));
    expect(first(null)).toEqual(first(0));
  });

  test("are refused for an initialisation that needs its own learning rates", () => {
    expect(() => initWeights(parseConfig({ ...sizes, init_mode: "muP" }))).toThrow(/muP.*Supported: gpt2/);
  });
});
