import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError, lmAccuracy, lmCrossEntropyLoss, type Tensor } from "../../src/node.ts";
import { END, smallModel } from "./small-model.ts";

const model = smallModel();

const piece = fc.constantFrom("a", "b", "c", "d", "e", END);
/** Texts that hold the end-of-text token, which is BOS and padding too, anywhere, or nothing else. */
const text = fc.oneof(
  fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join("")),
  fc.integer({ min: 1, max: 4 }).map((n) => END.repeat(n)),
  fc.stringMatching(/^[a-e]{1,7}$/).map((word) => word + END),
  fc.stringMatching(/^[a-e]{1,7}$/).map((word) => END + word),
);
const batch = fc.array(text, { minLength: 2, maxLength: 3 });
const side = fc.constantFrom("left" as const, "right" as const);

function expectNear(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < found.length; i++) expect(Math.abs(found[i] - expected[i])).toBeLessThan(2e-3);
}

/** A row's positions that are text: of a row of `width`, `length` at a side. */
const places = (width: number, length: number, at: "left" | "right") => {
  const start = at === "left" ? width - length : 0;
  return { start, end: start + length };
};

describe("a batch equals each text alone, whatever the texts contain", () => {
  test("in logits, cached values and losses, for texts or their tokens", async () => {
    await fc.assert(
      fc.asyncProperty(batch, side, fc.boolean(), async (texts, paddingSide, asTokens) => {
        const input = asTokens ? model.toTokens(texts, { paddingSide }) : texts;
        const options = asTokens ? {} : { paddingSide };
        const [logits, cache] = await model.runWithCache(input, { ...options, namesFilter: "blocks.1.hook_resid_mid" });
        const width = logits.shape[1];
        const lossy = width > 1;
        const losses = lossy
          ? await model.forward(input, { ...options, returnType: "loss", lossPerToken: true })
          : undefined;
        const sums: number[] = [];
        let count = 0;
        for (const [b, one] of texts.entries()) {
          const [alone, own] = await model.runWithCache(one, { namesFilter: "blocks.1.hook_resid_mid" });
          const { start, end } = places(width, alone.shape[1], paddingSide);
          const cut = (x: Tensor) => [...x.row(b).data].slice(start * x.shape[2], end * x.shape[2]);
          expectNear(cut(logits), alone.data);
          expectNear(cut(cache.get("blocks.1.hook_resid_mid")), own.get("blocks.1.hook_resid_mid").data);
          if (!losses || alone.shape[1] < 2) continue;
          const ownLoss = await model.forward(one, { returnType: "loss", lossPerToken: true });
          expectNear([...losses.row(b).data].slice(start, end - 1), ownLoss.data);
          const elsewhere = [...losses.row(b).data].filter((_, p) => p < start || p >= end - 1);
          expect(elsewhere.every((x) => x === 0)).toBe(true);
          sums.push(...ownLoss.data);
          count += ownLoss.data.length;
        }
        if (count === 0) return;
        const expected = sums.reduce((a, x) => a + x, 0) / count;
        const mean = await model.forward(input, { ...options, returnType: "loss" });
        expect(mean.item()).toBeCloseTo(expected, 2);
        const tokens = model.toTokens(texts, { paddingSide });
        expect((await lmCrossEntropyLoss(logits, tokens).compute()).item()).toBeCloseTo(expected, 2);
        const right = await lmAccuracy(logits, tokens, { perToken: true }).compute();
        const share = await lmAccuracy(logits, tokens).compute();
        expect(share.item()).toBeCloseTo([...right.data].reduce((a, x) => a + x, 0) / count, 5);
      }),
      { numRuns: 25 },
    );
  });

  test("in its continuation, greedy or with a frequency penalty", async () => {
    await fc.assert(
      fc.asyncProperty(batch, fc.boolean(), fc.boolean(), async (texts, usePastKvCache, asTokens) => {
        const options = { maxNewTokens: 4, doSample: false, usePastKvCache } as const;
        const input = asTokens ? model.toTokens(texts, { paddingSide: "left" }) : texts;
        const together = await model.generate(input, { ...options, returnType: "str" });
        for (const [b, one] of texts.entries()) expect(together[b]).toBe(await model.generate(one, options));
      }),
      { numRuns: 12 },
    );
    // One token is left to draw from, so that nothing is left to chance.
    const penalized = { maxNewTokens: 6, topK: 1, freqPenalty: 30, stopAtEos: false, returnType: "tokens" } as const;
    const both = await model.generate(["ab", "abcdeabc"], penalized);
    const alone = await model.generate("ab", penalized);
    expect([...both.row(0).data].slice(-6)).toEqual([...alone.data].slice(-6));
  });
});

test("a text ends with a new end-of-text token, not with one in the prompt, and its padding is not part of it", async () => {
  const prompts = [`${END}ab`, "cde"];
  const steps = await model.generate(prompts, { maxNewTokens: 5, doSample: false, eosTokenId: [0, 1, 2, 3, 4, 5] });
  for (const [b, prompt] of prompts.entries()) {
    expect(steps[b].length).toBeLessThanOrEqual(prompt.replace(END, "").length + 1);
  }
});

test("in ids without a mask nothing is padding, and tokens that toTokens made say what is", async () => {
  const ids = [
    [5, 0, 5, 5],
    [5, 0, 1, 2],
  ];
  const both = await model.forward(ids);
  expectNear(both.row(0).data, (await model.forward([ids[0]])).data);
  const tokens = model.toTokens(["a", "abc"], { paddingSide: "right" });
  expect([...model.graph(tokens).attentionMask!.data]).toEqual([1, 1, 0, 0, 1, 1, 1, 1]);
  expect(model.graph(ids).attentionMask).toBeUndefined();
  const { text } = model;
  const one = text!.toTokens(`ab${END}`);
  expect([...text!.attentionMask(one).data]).toEqual([1, 1, 1, 1]); // and guesses nothing of tokens that it made
});

test("options for texts, and continuations after padding, are refused with ids", async () => {
  await expect(model.forward([1, 2], { paddingSide: "left" })).rejects.toThrow(/paddingSide is for texts/);
  await expect(model.forward([1, 2], { prependBos: true })).rejects.toThrow(/prependBos is for texts/);
  const right = model.toTokens(["a", "abc"], { paddingSide: "right" });
  await expect(model.generate(right)).rejects.toThrow(InputError);
  await expect(model.generate(["a", "ab"], { paddingSide: "right" as never })).rejects.toThrow(/paddingSide/);
});

test("mean ablation leaves padding out of the mean", async () => {
  const { sweeps } = await import("../../src/node.ts");
  const [, cache] = await model.runWithCache(["a", "abcde"], {
    paddingSide: "right",
    namesFilter: "blocks.0.hook_mlp_out",
  });
  const x = cache.get("blocks.0.hook_mlp_out");
  const graph = model.graph(["a", "abcde"], { paddingSide: "right" });
  const place = { name: "blocks.0.hook_mlp_out", layer: 0, attentionMask: graph.attentionMask };
  const found = await sweeps.mean(x, place).compute();
  const text = [...x.row(0).data].slice(0, 2 * 16).concat([...x.row(1).data]);
  const expected = Array.from({ length: 16 }, (_, i) => text.filter((_, j) => j % 16 === i)).map(
    (column) => column.reduce((a, b) => a + b, 0) / 8,
  );
  expectNear(found.data, expected);
});

test("tokens whose padding was overwritten are refused, as it is not known which of them are text", async () => {
  const tokens = model.toTokens(["abc", "a"], { paddingSide: "right" });
  tokens.data[tokens.data.length - 1] = 2;
  await expect(model.forward(tokens)).rejects.toThrow(/changed where toTokens had put padding \(row 1, position 3\)/);
  const given = await model.forward(tokens, {
    attentionMask: [
      [1, 1, 1, 1],
      [1, 1, 0, 1],
    ],
  });
  expect(given.data.every(Number.isFinite)).toBe(true);
});

test("tokens whose text was overwritten are run as they are then", async () => {
  const tokens = model.toTokens(["abc", "a"], { paddingSide: "right" });
  tokens.data[1] = 3;
  const found = await model.forward(tokens);
  expectNear(found.data, (await model.forward(["dbc", "a"], { paddingSide: "right" })).data);
});
