/** Tokenizers that would make a text ever longer. */
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/tensor/errors.ts";
import { Tokenizer } from "../../src/text/index.ts";

describe("a tokenizer that makes a text ever longer is stopped", () => {
  const letters = { type: "WordLevel", vocab: { "[UNK]": 0, a: 1 }, unk_token: "[UNK]" };
  const json = (parts: object) => ({ version: "1.0", added_tokens: [], model: letters, ...parts });
  const doubled = { type: "Replace", pattern: { String: "a" }, content: "aa" };
  const sequence = (name: string, part: object, count: number) => ({
    type: "Sequence",
    [name]: Array(count).fill(part),
  });

  test("in its normalizer", () => {
    const made = Tokenizer.fromJson(json({ normalizer: sequence("normalizers", doubled, 60) }));
    expect(() => made.encode("a")).toThrow(/turns 1 characters into over \d+/);
    const whole = { ...doubled, content: "a".repeat(100_000) };
    const twice = Tokenizer.fromJson(json({ normalizer: sequence("normalizers", whole, 2) }));
    expect(() => twice.encode("a")).toThrow(InputError);
  });

  test("in its decoder", () => {
    const spaces = { type: "BPEDecoder", suffix: "" };
    const made = Tokenizer.fromJson(json({ decoder: sequence("decoders", spaces, 60) }));
    expect(() => made.decode([1, 1])).toThrow(/turns 2 characters into over \d+/);
    const replacing = Tokenizer.fromJson(json({ decoder: sequence("decoders", doubled, 60) }));
    expect(() => replacing.decode([1])).toThrow(InputError);
  });

  test("before it is created, if a sequence has absurdly many parts", () => {
    const many = sequence("pretokenizers", { type: "WhitespaceSplit" }, 100_000);
    expect(() => Tokenizer.fromJson(json({ pre_tokenizer: many }))).toThrow(/a list of at most 100/);
  });
});
