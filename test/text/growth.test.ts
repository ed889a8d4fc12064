/** Tokenizers that would make ever more of a text. */
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/tensor/errors.ts";
import { Tokenizer } from "../../src/text/index.ts";

describe("a tokenizer that makes ever more of a text is stopped", () => {
  const letters = { type: "WordLevel", vocab: { "[UNK]": 0, a: 1 }, unk_token: "[UNK]" };
  const json = (parts: object) => ({ version: "1.0", added_tokens: [], model: letters, ...parts });
  const doubled = { type: "Replace", pattern: { String: "a" }, content: "aa" };
  const sequence = (name: string, part: object, count: number) => ({
    type: "Sequence",
    [name]: Array(count).fill(part),
  });

  test("in its normalizer", () => {
    const made = Tokenizer.fromJson(json({ normalizer: sequence("normalizers", doubled, 60) }));
    expect(() => made.encode("a")).toThrow(/makes over \d+ characters of 1/);
    const whole = { ...doubled, content: "a".repeat(100_000) };
    const twice = Tokenizer.fromJson(json({ normalizer: sequence("normalizers", whole, 2) }));
    expect(() => twice.encode("a")).toThrow(InputError);
  });

  test("in its decoder", () => {
    const spaces = { type: "BPEDecoder", suffix: "" };
    const made = Tokenizer.fromJson(json({ decoder: sequence("decoders", spaces, 60) }));
    expect(() => made.decode([1, 1])).toThrow(/makes over \d+ characters of 2/);
    const replacing = Tokenizer.fromJson(json({ decoder: sequence("decoders", doubled, 60) }));
    expect(() => replacing.decode([1])).toThrow(InputError);
  });

  test("before it is made, where a sequence has more parts than any has", () => {
    const many = sequence("pretokenizers", { type: "WhitespaceSplit" }, 100_000);
    expect(() => Tokenizer.fromJson(json({ pre_tokenizer: many }))).toThrow(/a list of at most 100/);
  });
});
