import { beforeAll, describe, expect, test } from "vitest";
import { sampleLogits } from "../../src/lens/sampling.ts";
import { ArgumentError, HookedTransformer, KeyValueCache, type Tensor } from "../../src/node.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { uniform } from "../../src/tensor/random.ts";
import { expectClose } from "../close.ts";
import { type Golden, golden, goldenModel, goldenNames } from "../goldens.ts";
import { smallModel } from "./small-model.ts";

const causal = goldenNames.filter((name) => name !== "bidirectional_1l");

describe.each(causal)("%s", (name) => {
  test("continues greedily as TransformerLens does, with kept keys and values and without", async () => {
    const g = await golden(name);
    const model = goldenModel(g);
    const expected = [...g.get("greedy_10_from_4").data];
    const prompt = expected.slice(0, 4);
    for (const usePastKvCache of [true, false]) {
      const tokens = await model.generate(prompt, { maxNewTokens: 10, doSample: false, usePastKvCache });
      expect([...tokens.data]).toEqual(expected);
    }
  });

  test("gives the same logits with kept keys and values as without", async () => {
    const g = await golden(name);
    const model = goldenModel(g);
    const row = [...g.tokens.row(0).data];
    const cache = new KeyValueCache();
    await model.forward(row.slice(0, 7), { pastKvCache: cache });
    await model.forward(row.slice(7, 8), { pastKvCache: cache });
    const rest = await model.forward(row.slice(8), { pastKvCache: cache });
    const whole = await model.forward(row);
    expectClose(rest, await whole.at({ pos: [8, 9, 10, 11] }).compute(), 1e-4);
    expect(cache.length).toBe(12);
  });
});

describe("the bundled model", () => {
  let model: HookedTransformer;
  beforeAll(async () => {
    model = await HookedTransformer.fromPretrained("solu-1l-novels");
  });
  const prompts = ["It was a dark and", "She", "The old man looked at the"];

  test("continues texts of different lengths in one batch as it does each alone", async () => {
    const greedy = { maxNewTokens: 8, doSample: false } as const;
    const together = await model.generate(prompts, greedy);
    for (const [i, prompt] of prompts.entries()) expect(together[i]).toBe(await model.generate(prompt, greedy));
    expect(await model.generate(prompts, { ...greedy, usePastKvCache: false })).toEqual(together);
  });

  test("gives the same text for the same seed, and another for another seed", async () => {
    const text = (seed: number) => model.generate(prompts[0], { maxNewTokens: 12, seed });
    expect(await text(1)).toBe(await text(1));
    expect(await text(1)).not.toBe(await text(2));
    expect(await text(1)).toMatch(/^It was a dark and/);
  });

  test.each([Number.NaN, Infinity])("does not draw a token from logits of %d", async (broken) => {
    const fwdHooks = [["ln_final.hook_normalized", (x: Tensor) => x.mul(broken)]] as const;
    for (const options of [{ doSample: false }, { temperature: 0.7 }, { topK: 5 }, { topP: 0.9 }]) {
      const running = model.generate(prompts[0], { maxNewTokens: 3, fwdHooks, ...options });
      await expect(running).rejects.toThrow(/logits of the next token hold (NaN|Infinity)/);
    }
  });

  test("streams the tokens that it would return, and can be stopped", async () => {
    const options = { maxNewTokens: 6, seed: 3 } as const;
    const pieces: string[] = [];
    for await (const { texts } of model.generateStream(prompts[0], options)) pieces.push(texts[0]);
    expect(prompts[0] + pieces.join("")).toBe(await model.generate(prompts[0], options));
    let steps = 0;
    for await (const _ of model.generateStream(prompts[0], options)) if (++steps === 2) break;
    expect(steps).toBe(2);
  });

  test("runs hooks on every step, and says which step it is", async () => {
    const seen: unknown[] = [];
    await model.generate(prompts[0], {
      maxNewTokens: 3,
      fwdHooks: [["blocks.0.hook_mlp_out", (x, hook) => void seen.push([hook.step, x.shape[1]])]],
    });
    expect(seen).toEqual(
      [
        [0, 6],
        [1, 1],
        [2, 1],
      ].map(([step, pos]) => [step, step === 0 ? (seen[0] as number[])[1] : pos]),
    );
  });

  test("stops a prompt at its end-of-text token, and pads it while others go on", async () => {
    const comma = model.toSingleToken(",");
    const tokens = await model.generate(prompts, {
      maxNewTokens: 20,
      seed: 1,
      eosTokenId: comma,
      returnType: "tokens",
    });
    const [, width] = tokens.shape;
    const length = model.toTokens(prompts).shape[1];
    for (let b = 0; b < prompts.length; b++) {
      const added = [...tokens.row(b).data].slice(length, width);
      const at = added.indexOf(comma);
      if (at >= 0) expect(new Set(added.slice(at))).toEqual(new Set([comma]));
    }
  });

  test("refuses to go beyond its context, and sampling parameters out of range", async () => {
    await expect(model.generate("a", { maxNewTokens: 1000 })).rejects.toThrow(/context holds 256.*at most 254/);
    await expect(model.generate("a", { temperature: -1 })).rejects.toThrow(
      /temperature of generate must be a number of at least 0, not -1/,
    );
    await expect(model.generate("a", { topP: 1.5 })).rejects.toThrow(
      /topP of generate must be a number above 0 and at most 1, not 1.5/,
    );
    await expect(model.generate("a", { topK: 0 })).rejects.toThrow(
      /topK of generate must be a whole number of at least 1, not 0/,
    );
    await expect(model.generate("a", { maxNewTokens: 0 })).rejects.toThrow(
      /maxNewTokens of generate must be a whole number of at least 1, not 0/,
    );
  });

  test("gives the same logits for a prompt padded on the left, on the right, and alone", async () => {
    for (const paddingSide of ["left", "right"] as const) {
      const logits = await model.forward(prompts, { paddingSide });
      for (const [i, prompt] of prompts.entries()) {
        const alone = await model.forward(prompt);
        const [, pos] = alone.shape;
        const width = logits.shape[1];
        const places = Array.from({ length: pos }, (_, p) => (paddingSide === "left" ? width - pos + p : p));
        const part = await logits.at({ batch: [i], pos: places }).compute();
        expectClose(part, alone, 1e-4);
      }
    }
  });

  test("does not count padding in the loss of texts of different lengths", async () => {
    const losses = await model.forward(prompts, { returnType: "loss", lossPerToken: true });
    const mean = await model.forward(prompts, { returnType: "loss" });
    let [sum, count] = [0, 0];
    for (const [i, prompt] of prompts.entries()) {
      const alone = await model.forward(prompt, { returnType: "loss", lossPerToken: true });
      for (const [p, x] of alone.data.entries()) {
        expect(losses.get(i, p)).toBeCloseTo(x, 4);
        sum += x;
        count++;
      }
    }
    expect(mean.item()).toBeCloseTo(sum / count, 4);
  });
});

describe("sampling", () => {
  const logits = Float32Array.of(0, 1, 2, 3, 4);
  const draws = (options: Parameters<typeof sampleLogits>[2], seen: number[] = []) => {
    const random = uniform(7);
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < 4000; i++) counts[sampleLogits(logits, seen, options, random)]++;
    return counts.map((n) => n / 4000);
  };

  test("draws from the softmax of the logits over the temperature", () => {
    for (const temperature of [1, 2]) {
      const weights = [...logits].map((x) => Math.exp(x / temperature));
      const total = weights.reduce((a, b) => a + b);
      draws({ temperature }).forEach((share, i) => {
        expect(Math.abs(share - weights[i] / total)).toBeLessThan(0.03);
      });
    }
  });

  test("from the top k or the top p leaves the others out, but keeps the one that crosses p", () => {
    expect(draws({ topK: 2 }).map((x) => x > 0)).toEqual([false, false, false, true, true]);
    expect(draws({ topP: 0.5 }).map((x) => x > 0)).toEqual([false, false, false, false, true]);
    expect(draws({ topP: 0.7 }).map((x) => x > 0)).toEqual([false, false, false, true, true]);
  });

  test("with a frequency penalty lowers what has occurred", () => {
    expect(draws({ freqPenalty: 2 }, [4, 4])[4]).toBeLessThan(draws({})[4] / 10);
  });

  test("at temperature 0 takes the highest", () => {
    expect(draws({ temperature: 0 })[4]).toBe(1);
  });
});

test("a frozen cache is read and stays as it is", async () => {
  const g: Golden = await golden("gelu_2l");
  const model = goldenModel(g);
  const row = [...g.tokens.row(0).data];
  const cache = new KeyValueCache();
  await model.forward(row.slice(0, 6), { pastKvCache: cache });
  cache.frozen = true;
  const one = await model.forward(row.slice(6, 8), { pastKvCache: cache });
  const again = await model.forward(row.slice(6, 8), { pastKvCache: cache });
  expect(again.data).toEqual(one.data);
  expect(cache.length).toBe(6);
});

describe("logits at the limits of float32", () => {
  const half = () => 0.5;
  const logits = Float32Array.of(1, 3, 2);

  test("a temperature near 0 draws the most probable token", () => {
    for (const temperature of [1e-300, 1e-310, Number.MIN_VALUE]) {
      for (const more of [{}, { topK: 2 }, { topP: 0.9 }, { freqPenalty: 1 }]) {
        expect(sampleLogits(logits, [], { temperature, ...more }, half)).toBe(1);
      }
    }
  });

  test("a penalty beyond float32 acts like an infinite one", () => {
    expect(sampleLogits(logits, [2, 2, 2], { freqPenalty: -1e308 }, half)).toBe(2);
    expect([0, 2]).toContain(sampleLogits(logits, [1, 1, 1], { freqPenalty: 1e308 }, half));
  });

  test.each([[[1, Number.POSITIVE_INFINITY]], [[Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]]])(
    "%j say nothing, and are refused",
    (row) => {
      for (const options of [{}, { doSample: false }, { topP: 0.5 }]) {
        expect(() => sampleLogits(Float32Array.from(row), [], options, half)).toThrow(/none can be drawn/);
      }
      expect(sampleLogits(Float32Array.of(Number.NEGATIVE_INFINITY, 1), [], {}, half)).toBe(1);
    },
  );

  test("a model whose logits are not numbers gives no text", async () => {
    const model = smallModel();
    const arrays = new Map([...model.weights.entries()].map(([name, { array }]) => [name, array!]));
    const W_U = arrays.get("unembed.W_U")!;
    const broken = { ...W_U, data: W_U.data.map((x: number, i: number) => (i === 3 ? Number.NaN : x)) } as NDArray;
    const other = new HookedTransformer(model.cfg, new Map([...arrays, ["unembed.W_U", broken]]));
    for (const doSample of [true, false]) {
      await expect(other.generate([1, 2], { doSample })).rejects.toThrow(/hold NaN \(token 3\)/);
    }
  });

  test("the function to draw with returns numbers from 0 to below 1", () => {
    for (const drawn of [Number.NaN, 1, -0.1, "x"]) {
      expect(() => sampleLogits(logits, [], {}, () => drawn as number)).toThrow(ArgumentError);
    }
  });
});

test("rows of ids are not an end of text", async () => {
  await expect(smallModel().generate("a", { eosTokenId: [[1], [2]] as never })).rejects.toThrow(/cannot be rows/);
});
