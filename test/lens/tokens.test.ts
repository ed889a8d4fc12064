import { afterEach, describe, expect, test, vi } from "vitest";
import { testPrompt } from "../../src/analyses/test-prompt.ts";
import { batchOf, onePrompt, readTokens } from "../../src/lens/tokens.ts";
import { HookedTransformer, headDetector, logitLens, Tokenizer } from "../../src/node.ts";

const model = await HookedTransformer.fromPretrained("solu-1l-novels");
const encoded = vi.spyOn(Tokenizer.prototype, "encode");
afterEach(() => encoded.mockClear());

/** How often a text went to tokens. */
const times = (text: string) => encoded.mock.calls.filter(([given]) => given.includes(text)).length;

describe("a text goes to tokens once", () => {
  test("in an analysis of one prompt", async () => {
    await logitLens(model, { prompt: "The old man sat down" });
    expect(times("The old man sat down")).toBe(1);
  });

  test("in an analysis of several prompts, which runs in parts", async () => {
    await headDetector(model, { prompts: ["The cat and the cat", "A dog and then a dog"] });
    expect(times("The cat and the cat")).toBe(1);
    expect(times("A dog and then a dog")).toBe(1);
  });

  test("if a prompt is checked before its answers", async () => {
    await testPrompt(model, { prompt: "The lady was so tired that", answers: [" she", " he"] });
    expect(times("The lady was so tired that")).toBe(1);
  });
});

describe("tokens that were read", () => {
  test("are not checked again, except for a smaller vocabulary", () => {
    const tokens = readTokens([5, 6, 7], model);
    expect(readTokens(tokens, model)).toBe(tokens);
    const smaller = { cfg: { ...model.cfg, dVocab: 7 }, text: undefined };
    expect(() => readTokens(tokens, smaller)).toThrow("Token id 7 (position 2) is outside the vocabulary of 7.");
  });

  test("are all in the vocabulary, also those of texts", () => {
    const smaller = { cfg: { ...model.cfg, dVocab: 10 }, text: model.text };
    expect(() => readTokens("The old man", smaller)).toThrow(/^Token id \d+ .* is outside the vocabulary of 10\.$/);
  });

  test("of a text that is too long for the context are refused by runs; toTokens cuts them", async () => {
    const long = "word ".repeat(400);
    const run = model.forward(long);
    await expect(run).rejects.toThrow(
      /^The input has \d+ tokens, but the model's context holds 256, BOS included: shorten it, or pass model\.toTokens\(text\)/,
    );
    expect((await model.forward(model.toTokens(long), { logitsPos: -1 })).shape[0]).toBe(1);
    expect(model.toTokens(long).shape).toEqual([1, 256]);
  });

  test("as rows of different lengths are padded on the right, and the padding is masked", async () => {
    const [long, short] = [
      [5, 6, 7, 8],
      [5, 6],
    ];
    const tokens = batchOf([long, short], model);
    expect(tokens.shape).toEqual([2, 4]);
    expect([...model.graph(tokens).attentionMask!.data]).toEqual([1, 1, 1, 1, 1, 1, 0, 0]);
    expect(model.graph(batchOf([long, short], model, { masked: false })).attentionMask).toBeUndefined();
    expect(model.graph(batchOf([long, long], model)).attentionMask).toBeUndefined();
  });
});

test("anything but one prompt is refused", () => {
  expect(onePrompt([5, 6], 10)).toEqual([5, 6]);
  for (const wrong of [[[5, 6]], []])
    expect(() => onePrompt(wrong, 10)).toThrow(/^A prompt must be one text or a list/);
});
