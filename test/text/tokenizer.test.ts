import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ArgumentError, FileFormatError, InputError } from "../../src/tensor/errors.ts";
import { Tokenizer } from "../../src/text/tokenizer.ts";
import { bundled, type ExpectedText, expected } from "./bundled.ts";
import { tinyTokenizerJson, tinyVocabulary } from "./tiny-tokenizer.ts";

const tiny = Tokenizer.fromJson(tinyTokenizerJson);

function sameAsHuggingFace(tokenizer: Tokenizer, texts: readonly ExpectedText[]) {
  it.each(texts)("reads $text like Hugging Face's library", ({ text, ids, decoded, without_special }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe(without_special);
  });
  // Where NFC joins a letter and its accent, Hugging Face's ranges leave the accent out and ours do not.
  it.each(texts.filter((t) => t.text === t.text.normalize("NFC")))("finds the tokens of $text in it", (t) => {
    expect(tokenizer.offsets(t.text)).toEqual(t.offsets);
  });
}

describe("a tokenizer.json whose added tokens contradict its vocabulary", () => {
  it("gives a token in the vocabulary the vocabulary's id, not the one written next to the added token", () => {
    const written = tinyTokenizerJson.added_tokens.find((t) => t.content === "  ")!.id;
    expect(written).toBe(90);
    expect(tiny.encode("a  a", { addSpecialTokens: false })).toEqual([2, tinyVocabulary["  "], 2]);
    expect(tiny.idToToken(90)).toBeUndefined();
  });

  it("numbers the added tokens that the vocabulary lacks from its size on, in the file's order", () => {
    for (const [token, id] of Object.entries(expected.tiny.ids)) expect(tiny.tokenToId(token)).toBe(id);
    expect(tiny.vocabSize).toBe(expected.tiny.vocab_size);
  });

  it("gives no id outside the vocabulary, whatever the text", () => {
    const units = fc.constantFrom("a", "b", " ", "  ", "mask", "FOO", "foo", "<x>", "<|BOS|>", "1", "é", "²", "\n");
    fc.assert(
      fc.property(fc.array(units), (parts) => {
        expect(tiny.encode(parts.join("")).every((id) => id < tiny.vocabSize)).toBe(true);
      }),
    );
  });

  sameAsHuggingFace(tiny, expected.tiny.texts);
});

describe("the bundled model's tokenizer", () => {
  it("has 4096 tokens, and knows its special tokens without a tokenizer_config.json", () => {
    expect(bundled.vocabSize).toBe(4096);
    expect([bundled.eosToken, bundled.bosToken, bundled.padToken]).toEqual(["<|EOS|>", "<|BOS|>", "<|PAD|>"]);
    expect([bundled.eosTokenId, bundled.bosTokenId, bundled.padTokenId]).toEqual([0, 1, 2]);
  });

  it("makes one token of each digit, even of digits that are not ASCII", () => {
    const strings = (text: string) => bundled.encode(text).map((id) => bundled.decode([id]));
    expect(strings("1812")).toEqual(["1", "8", "1", "2"]);
    expect(bundled.encode("²³")).toEqual([...bundled.encode("²"), ...bundled.encode("³")]);
  });

  it("decodes every text that it encoded", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        const ids = bundled.encode(text);
        if (text !== "") expect(bundled.decode(ids)).toBe(text);
        expect(ids.every((id) => bundled.idToToken(id) !== undefined)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it("covers the whole text with its tokens, in order, without gaps", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        let covered = 0;
        for (const [start, end] of bundled.offsets(text)) {
          expect(start).toBeLessThanOrEqual(covered);
          expect(end).toBeGreaterThanOrEqual(covered);
          covered = end;
        }
        expect(covered).toBe(text.length);
      }),
    );
  });

  it("gives every token of an emoji the range of the whole emoji", () => {
    const offsets = bundled.offsets("a🦙b");
    expect(offsets.length).toBeGreaterThan(3);
    expect(offsets.slice(1, -1).every(([start, end]) => start === 1 && end === 3)).toBe(true);
    expect(offsets.at(-1)).toEqual([3, 4]);
  });

  it("cuts at maxLength", () => {
    expect(bundled.encode("one two three", { maxLength: 2 })).toEqual(bundled.encode("one two three").slice(0, 2));
    expect(tiny.encode("ab ab ab", { maxLength: 2 })).toEqual([0, 10]);
  });

  it("refuses an id outside the vocabulary", () => {
    expect(() => bundled.decode([1, 4096])).toThrow(InputError);
    expect(() => bundled.decode([1, 4096])).toThrow(/Token id 4096 is outside .* 4096 tokens \(0 to 4095\)/);
    expect(() => bundled.decode([-1])).toThrow(InputError);
  });

  sameAsHuggingFace(bundled, expected["solu-1l-novels"].texts);
});

describe("offsets under a normalizer", () => {
  it("cover a letter and its accent if the two are joined", () => {
    const text = "ae\u0301b";
    expect(tiny.encode(text)).toEqual([0, 2, 13, 14, 3]);
    expect(tiny.offsets(text)).toEqual([
      [0, 0],
      [0, 1],
      [1, 3],
      [1, 3],
      [3, 4],
    ]);
  });
});

describe("special tokens", () => {
  const { post_processor: _, ...bare } = tinyTokenizerJson;

  it("are those that tokenizer_config.json names, as strings or as objects", () => {
    const config = { bos_token: { content: "<|BOS|>" }, eos_token: "<x>", pad_token: null };
    const t = Tokenizer.fromJson(bare, config);
    expect([t.bosToken, t.eosToken, t.padToken]).toEqual(["<|BOS|>", "<x>", undefined]);
    expect([t.bosTokenId, t.eosTokenId, t.padTokenId]).toEqual([0, 24, undefined]);
  });

  it("have no id if the vocabulary lacks them", () => {
    expect(Tokenizer.fromJson(bare, { eos_token: "<|endoftext|>" }).eosTokenId).toBeUndefined();
  });

  it("are recognised in the text even if added_tokens omits them", () => {
    const t = Tokenizer.fromJson({ ...bare, added_tokens: [] }, { bos_token: "<|BOS|>" });
    expect(t.encode("<|BOS|>ab")).toEqual([0, 10]);
    expect(t.decode([0, 10], { skipSpecialTokens: true })).toBe("ab");
  });
});

describe("a garbled tokenizer.json", () => {
  const model = tinyTokenizerJson.model;
  it.each([
    ["not an object", "text", /a string/],
    ["no model", { added_tokens: [] }, /with a "model".*added_tokens/],
    ["an unknown model", { model: { type: "Magic" } }, /Magic/],
    ["an unknown post-processor", { model, post_processor: { type: "Magic" } }, /post_processor of type "Magic"/],
    ["an added token without content", { model, added_tokens: [{ id: 3 }] }, /added_tokens\[0\]\.content".*missing/],
    [
      "a template without the text",
      { model, post_processor: { type: "TemplateProcessing", single: [], pair: [], special_tokens: {} } },
      /single" .*the text/,
    ],
    ["a normalizer that is a list", { model, normalizer: [] }, /"normalizer".*a list/],
  ])("is refused: %s", (_, json, message) => {
    expect(() => Tokenizer.fromJson(json)).toThrow(FileFormatError);
    expect(() => Tokenizer.fromJson(json)).toThrow(message);
  });

  it("is refused: a config whose bos_token is a number", () => {
    expect(() => Tokenizer.fromJson(tinyTokenizerJson, { bos_token: 1 })).toThrow(/"bos_token".*a number/);
  });
});

describe("a wrong argument", () => {
  it.each<[string, () => unknown]>([
    ["a text that is a number", () => tiny.encode(5 as never)],
    ["no text", () => tiny.encode(undefined as never)],
    ["an option that does not exist", () => tiny.encode("a", { addSpecial: false } as never)],
    ["a length that is negative", () => tiny.encode("a", { maxLength: -1 })],
    ["ids that are a text", () => tiny.decode("x" as never)],
    ["an id that is a fraction", () => tiny.decode([0.5])],
    ["an id that is a text", () => tiny.decode(["x"] as never)],
    ["a flag that is a text", () => tiny.decode([1], { skipSpecialTokens: "no" } as never)],
    ["offsets of a list", () => tiny.offsets(["a"] as never)],
  ])("is an ArgumentError: %s", (_, call) => {
    expect(call).toThrow(ArgumentError);
  });
});

describe("a file made to confuse", () => {
  const vocab = JSON.parse('{"[UNK]": 0, "__proto__": 1, "constructor": 2}');
  const model = { type: "WordLevel", vocab, unk_token: "[UNK]" };

  it("may name tokens like JavaScript's own properties, and has no others", () => {
    const tokenizer = Tokenizer.fromJson({ model });
    expect(["__proto__", "constructor", "toString"].map((text) => tokenizer.encode(text))).toEqual([[1], [2], [0]]);
  });

  it("is refused in a sentence however deeply it nests", () => {
    let list: unknown = [];
    let sequence: unknown = { type: "NFC" };
    for (let i = 0; i < 20_000; i++) {
      list = [list];
      sequence = { type: "Sequence", normalizers: [sequence] };
    }
    for (const json of [
      { model, normalizer: sequence },
      { model, normalizer: { type: "Prepend", prepend: list } },
      { model: { ...model, vocab: { a: list } } },
      { model, added_tokens: [list] },
      { model, decoder: { type: list } },
      { model, post_processor: { type: "toString" } },
    ]) {
      expect(() => Tokenizer.fromJson(json)).toThrow(FileFormatError);
    }
  });
});
