import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadTokenizer } from "../../src/lens/from-pretrained.ts";
import { memoryFiles } from "../../src/load/index.ts";
import { ndarray } from "../../src/tensor/array.ts";
import { ArgumentError, InputError, ShapeError } from "../../src/tensor/errors.ts";
import { TokenRules, type TokenRulesOptions } from "../../src/text/token-rules.ts";
import { Tokenizer } from "../../src/text/tokenizer.ts";
import { bundled, rules, seedPrompts } from "./bundled.ts";
import { tinyTokenizerJson } from "./tiny-tokenizer.ts";

// The tiny tokenizer puts BOS (id 0) before a text by itself; it has no padding token, so EOS stands in, then "<|endoftext|>".
const selfBos = new TokenRules({
  tokenizer: Tokenizer.fromJson(tinyTokenizerJson, { bos_token: "<|BOS|>", eos_token: "<x>" }),
  nCtx: 4,
});
const list = (a: { data: Int32Array }) => Array.from(a.data);

describe("toTokens", () => {
  it.each(seedPrompts)("tokenizes $prompt as TransformerLens does", ({ prompt, tokens, str_tokens }) => {
    const array = rules.toTokens(prompt);
    expect(array.dtype).toBe("int32");
    expect(array.shape).toEqual([1, tokens.length]);
    expect(list(array)).toEqual(tokens);
    expect(rules.toStrTokens(prompt)).toEqual(str_tokens);
    expect(rules.toString(tokens)).toBe("<|BOS|>" + prompt);
  });

  it("pads shorter prompts, on the right or on the left", () => {
    expect(list(rules.toTokens(["I am", "I"]))).toEqual([1, 43, 534, 1, 43, 2]);
    expect(list(rules.toTokens(["I am", "I"], { paddingSide: "left" }))).toEqual([1, 43, 534, 2, 1, 43]);
    const left = new TokenRules({ tokenizer: bundled, nCtx: 256, defaultPaddingSide: "left" });
    expect(list(left.toTokens(["I am", "I"]))).toEqual([1, 43, 534, 2, 1, 43]);
  });

  it("leaves out BOS on request, for one call or by default", () => {
    expect(list(rules.toTokens("I am", { prependBos: false }))).toEqual([43, 534]);
    const without = new TokenRules({ tokenizer: bundled, nCtx: 256, defaultPrependBos: false });
    expect(list(without.toTokens("I am"))).toEqual([43, 534]);
    expect(list(without.toTokens("I am", { prependBos: true }))).toEqual([1, 43, 534]);
  });

  it("gives BOS alone for the empty text, and refuses it without BOS", () => {
    expect(list(rules.toTokens(""))).toEqual([1]);
    expect(() => rules.toTokens("", { prependBos: false })).toThrow(/The text "" has no tokens/);
    expect(() => rules.toTokens([])).toThrow(InputError);
  });

  it("cuts after nCtx tokens including BOS, by default", () => {
    const short = new TokenRules({ tokenizer: bundled, nCtx: 3 });
    expect(list(short.toTokens("I am happy."))).toEqual([1, 43, 534]);
    expect(list(short.toTokens("I am happy.", { prependBos: false }))).toEqual([43, 534, 1596]);
    expect(short.toTokens("I am happy.", { truncate: false }).shape).toEqual([1, 5]);
  });

  it("neither doubles the BOS of a tokenizer that adds it itself, nor keeps it if it is not wanted", () => {
    expect(selfBos.tokenizerPrependsBos).toBe(true);
    expect(rules.tokenizerPrependsBos).toBe(false);
    expect(list(selfBos.toTokens("ab ab"))).toEqual([0, 10, 11]);
    expect(list(selfBos.toTokens("ab ab", { prependBos: false }))).toEqual([10, 11]);
    expect(list(selfBos.toTokens("ab ab ab ab ab"))).toEqual([0, 10, 11, 11]);
  });
});

describe("missing special tokens", () => {
  const model = (config: object) =>
    new TokenRules({ tokenizer: Tokenizer.fromJson({ ...tinyTokenizerJson, post_processor: null }, config), nCtx: 9 });

  it("fall back as in TransformerLens: EOS to <|endoftext|>, padding and BOS to EOS", () => {
    expect([selfBos.bosToken, selfBos.eosToken, selfBos.padToken]).toEqual(["<|BOS|>", "<x>", "<x>"]);
    expect(list(selfBos.toTokens(["ab ab", "ab"]))).toEqual([0, 10, 11, 0, 10, 24]);
    const none = model({});
    expect([none.bosToken, none.eosToken, none.padToken]).toEqual(Array(3).fill("<|endoftext|>"));
    expect(none.bosTokenId).toBeUndefined();
  });

  it("are an error only if the vocabulary lacks one that is needed", () => {
    const none = model({});
    expect(() => none.toTokens("ab")).toThrow(/BOS cannot be added, because "<\|endoftext\|>" is not in/);
    expect(() => none.toTokens(["ab", "ab ab"], { prependBos: false })).toThrow(/padding token "<\|endoftext\|>"/);
    expect(list(none.toTokens(["ab", "ab"], { prependBos: false }))).toEqual([10, 10]);
  });
});

describe("toString and toStrTokens", () => {
  it("give a string or a list of strings, depending on whether tokens are [pos] or [batch, pos]", () => {
    const batch = rules.toTokens(["I am", "I"]);
    expect(rules.toString(batch)).toEqual(["<|BOS|>I am", "<|BOS|>I<|PAD|>"]);
    expect(rules.toString([[43], [534, 1596]])).toEqual(["I", " am happy"]);
    expect(rules.toString(Int32Array.of(43, 534))).toBe("I am");
    expect(rules.toString(ndarray("int32", [2], Int32Array.of(43, 534)))).toBe("I am");
    expect(rules.toStrTokens(batch)).toEqual([
      ["<|BOS|>", "I", " am"],
      ["<|BOS|>", "I", "<|PAD|>"],
    ]);
    expect(rules.toStrTokens(["I am", "I"])).toEqual([
      ["<|BOS|>", "I", " am"],
      ["<|BOS|>", "I"],
    ]);
    expect(rules.toStrTokens([43, 534])).toEqual(["I", " am"]);
    expect(rules.toStrTokens([[43], Int32Array.of(534)])).toEqual([["I"], [" am"]]);
    expect(rules.toStrTokens(rules.toTokens("I"))).toEqual([["<|BOS|>", "I"]]);
  });

  it("leave text with spaces before punctuation as it is", () => {
    const text = " Well , it 's ' odd ' .";
    expect(rules.toString(list(rules.toTokens(text, { prependBos: false })))).toBe(text);
  });

  it("decode each token separately, so that part of an emoji reads as U+FFFD", () => {
    expect(new Set(rules.toStrTokens("🦙", { prependBos: false }))).toEqual(new Set(["\uFFFD"]));
  });

  it("refuse an id outside the vocabulary, and tokens with three axes", () => {
    expect(() => rules.toStrTokens([5000])).toThrow(/Token id 5000 is outside/);
    expect(() => rules.toString(ndarray("int32", [1, 1, 1], Int32Array.of(1)))).toThrow(ShapeError);
  });
});

describe("toSingleToken and toSingleStrToken", () => {
  it("go from a token's text to its id and back", () => {
    expect(rules.toSingleToken(" am")).toBe(534);
    expect(rules.toSingleStrToken(534)).toBe(" am");
    expect(selfBos.toSingleToken("ab")).toBe(10);
  });

  it("list the tokens of a text that is several", () => {
    expect(() => rules.toSingleToken("I am")).toThrow(InputError);
    expect(() => rules.toSingleToken("I am")).toThrow(
      /"I am" is not a single token but 2: "I" \(43\), " am" \(534\)\. Mind the leading space/,
    );
    expect(() => rules.toSingleToken("")).toThrow(/An empty text is not a token/);
  });
});

describe("getTokenPosition", () => {
  const text = "I am what I am";

  it("finds the first or the last position of a token in a text or in tokens", () => {
    expect(rules.getTokenPosition(" am", text)).toBe(2);
    expect(rules.getTokenPosition(534, text, "last")).toBe(5);
    expect(rules.getTokenPosition(" am", text, "first", { prependBos: false })).toBe(1);
    expect(rules.getTokenPosition(" am", rules.toTokens(text))).toBe(2);
    expect(rules.getTokenPosition(" am", [43, 534])).toBe(1);
  });

  it("says so when the token does not occur", () => {
    expect(() => rules.getTokenPosition(".", text)).toThrow(
      /^The token does not occur in the prompt: "\." \(16\) is not one of "<\|BOS\|>", "I", " am"/,
    );
  });

  it("refuses several rows and an unknown mode", () => {
    expect(() => rules.getTokenPosition(43, rules.toTokens(["I", "I"]))).toThrow(ShapeError);
    expect(() => rules.getTokenPosition(43, text, "middle" as "last")).toThrow(ArgumentError);
  });
});

describe("offsets", () => {
  it("refer to the original text, with an empty range for BOS", () => {
    expect(rules.offsets("I am.")).toEqual([
      [0, 0],
      [0, 1],
      [1, 4],
      [4, 5],
    ]);
    expect(rules.offsets("I am.", { prependBos: false })).toEqual([
      [0, 1],
      [1, 4],
      [4, 5],
    ]);
    expect(selfBos.offsets("ab ab")).toEqual([
      [0, 0],
      [0, 2],
      [2, 5],
    ]);
    expect(selfBos.offsets("ab ab", { prependBos: false })).toEqual([
      [0, 2],
      [2, 5],
    ]);
  });

  it("has one range per token of toTokens, even if the text is cut", () => {
    const short = new TokenRules({ tokenizer: bundled, nCtx: 4 });
    for (const { prompt } of seedPrompts) {
      for (const r of [rules, short]) expect(r.offsets(prompt).length).toBe(r.toTokens(prompt).shape[1]);
      const strings = rules.offsets(prompt, { prependBos: false }).map(([start, end]) => prompt.slice(start, end));
      expect(strings).toEqual(rules.toStrTokens(prompt, { prependBos: false }));
    }
  });
});

describe("models of families", () => {
  const models = (name: string) => readFileSync(new URL(`vocabularies/${name}.model`, import.meta.url));
  const rulesOf = async (files: Record<string, unknown>, options: Partial<TokenRulesOptions> = {}) => {
    const entries = Object.entries(files).map(([path, content]): [string, string | Uint8Array] => [
      path,
      content instanceof Uint8Array ? content : JSON.stringify(content),
    ]);
    const inMemory = memoryFiles("folder", Object.fromEntries(entries));
    return new TokenRules({ tokenizer: await loadTokenizer("folder", { files: inMemory }), nCtx: 100, ...options });
  };
  const ids = (rules: TokenRules, text: string, options = {}) => Array.from(rules.toTokens(text, options).data);

  it("whose tokenizer puts BOS before a text get no second one, and lose it on request", async () => {
    const config = { tokenizer_class: "LlamaTokenizer", add_bos_token: true };
    const rules = await rulesOf({ "tokenizer.model": models("llama"), "tokenizer_config.json": config });
    expect(rules.tokenizerPrependsBos).toBe(true);
    const [bos, ...rest] = ids(rules, "the whale");
    expect(bos).toBe(rules.bosTokenId);
    expect(rest).not.toContain(rules.bosTokenId);
    expect(ids(rules, "the whale", { prependBos: false })).toEqual(rest);
  });

  it("whose tokenizer does not (add_bos_token: false) get one by default", async () => {
    const config = { tokenizer_class: "GemmaTokenizer", add_bos_token: false };
    const rules = await rulesOf({ "tokenizer.model": models("gemma"), "tokenizer_config.json": config });
    expect(rules.tokenizerPrependsBos).toBe(false);
    expect(ids(rules, "the")[0]).toBe(rules.bosTokenId);
    expect(ids(rules, "the", { prependBos: false })).toEqual(ids(rules, "the").slice(1));
  });

  it("without BOS have EOS for it, and none where it is not wanted by default", async () => {
    const vocab = { a: 0, "<|endoftext|>": 1 };
    const json = {
      model: { type: "BPE", vocab, merges: [] },
      added_tokens: [{ id: 1, content: "<|endoftext|>", special: true }],
    };
    const files = {
      "tokenizer.json": json,
      "tokenizer_config.json": { tokenizer_class: "Qwen2Tokenizer", bos_token: null },
    };
    expect(ids(await rulesOf(files), "aa")).toEqual([1, 0, 0]);
    expect(ids(await rulesOf(files, { defaultPrependBos: false }), "aa")).toEqual([0, 0]);
  });

  it("whose tokenizer puts only EOS after a text (T5) keep their first token", async () => {
    const config = { tokenizer_class: "T5Tokenizer" };
    const rules = await rulesOf({ "spiece.model": models("t5"), "tokenizer_config.json": config });
    const tokens = rules.tokenizer.encode("the whale");
    expect(tokens.at(-1)).toBe(rules.eosTokenId);
    expect(ids(rules, "the whale")).toEqual(tokens);
    expect(ids(rules, "the whale", { prependBos: false })).toEqual(tokens);
  });

  it("with more ids than their tokenizer has tokens have no text for the others", async () => {
    const json = { model: { type: "BPE", vocab: { a: 0, b: 1 }, merges: [] } };
    const rules = await rulesOf({ "tokenizer.json": json }, { dVocab: 5 });
    expect(rules.toString([0, 4, 3])).toBe("a");
    expect(rules.toSingleStrToken(4)).toBe("");
    expect(rules.toStrTokens([0, 4])).toEqual(["a", ""]);
    expect(() => rules.toSingleStrToken(5)).toThrow(InputError);
    expect(() => new TokenRules({ tokenizer: rules.tokenizer, nCtx: 9 }).toSingleStrToken(4)).toThrow(InputError);
  });
});
