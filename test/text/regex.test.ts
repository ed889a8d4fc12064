import { describe, expect, it } from "vitest";
import { FileFormatError } from "../../src/tensor/errors.ts";
import { Regex } from "../../src/text/regex/regex.ts";
import { Tokenizer } from "../../src/text/tokenizer.ts";
import { bundled } from "./bundled.ts";

const found = (pattern: string, text: string) => {
  const bounds = new Regex(pattern).findAll(text);
  return Array.from({ length: bounds.length / 2 }, (_, i) => text.slice(bounds[2 * i], bounds[2 * i + 1]));
};

/** With each of these a backtracking matcher takes quadratic or exponential time. */
const SLOW: [pattern: string, text: string, matches: number][] = [
  [String.raw`(\p{L}+)+\d`, "a".repeat(60), 0],
  [String.raw`(\p{L}+)+\d`, "a".repeat(100_000), 0],
  [String.raw`(a|aa)+x`, "a".repeat(100_000), 0],
  [String.raw`\s+\d`, " ".repeat(200_000), 0],
  [String.raw`\s+$x`, " ".repeat(200_000), 0],
  [String.raw`(?:(?>\s+)x|\s)+y`, " ".repeat(100_000), 0],
  [String.raw`(?:ab|a)(?:(?=(?:ab)*x)ab|b)*y`, "ab".repeat(50_000), 0],
  [String.raw`\s+(?<!\s\s)`, " ".repeat(200_000), 1],
  [String.raw`(?:a+b?)+y`, "aaab".repeat(30_000), 0],
];

describe("a pattern that could hang", () => {
  it.each(SLOW)("%s ends", (pattern, text, matches) => {
    expect(found(pattern, text).length).toBe(matches);
  });

  it("ends in a tokenizer, even with many spaces and one very long word", () => {
    const split = { type: "Split", pattern: { Regex: String.raw`(\p{L}+)+\d` }, behavior: "Isolated", invert: false };
    const model = { type: "WordLevel", vocab: { "[UNK]": 0 }, unk_token: "[UNK]" };
    const tokenizer = Tokenizer.fromJson({ version: "1.0", pre_tokenizer: split, model });
    expect(tokenizer.encode("a".repeat(60))).toEqual([0]);
    for (const text of [" ".repeat(500_000), "x".repeat(200_000), "é".repeat(100_000)]) {
      expect(bundled.decode(bundled.encode(text))).toBe(text);
    }
  });
});

it("refuses tokens so long that searching for them would be slow everywhere", () => {
  const model = { type: "WordLevel", vocab: { "[UNK]": 0 }, unk_token: "[UNK]" };
  const added_tokens = [{ id: 1, content: `${"a".repeat(100_000)}b` }];
  expect(() => Tokenizer.fromJson({ version: "1.0", added_tokens, model })).toThrow(/100001 characters.*at most 1000/);
});

it("examines white space only once, even if many added tokens include it", () => {
  const model = { type: "WordLevel", vocab: { "[UNK]": 0 }, unk_token: "[UNK]" };
  const added_tokens = [{ id: 1, content: " ", rstrip: true }];
  const tokenizer = Tokenizer.fromJson({ version: "1.0", added_tokens, model });
  expect(tokenizer.encode(" ".repeat(1_000_000)).length).toBe(1_000_000);
});

describe("the matcher", () => {
  it("finds the first option that matches, not the longest", () => {
    expect(found("a|ab", "abab")).toEqual(["a", "a"]);
    expect(found("(?:a|ab)(?:c|bcd)", "abcd")).toEqual(["abcd"]);
    expect(found("(?>a|ab)c", "abc")).toEqual([]);
  });

  it("forgets one text before the next, and a match does not affect later ones", () => {
    const regex = new Regex("(?:ab)*c?");
    expect(regex.findAll("ababc")).toEqual([0, 5]);
    expect(regex.findAll("abx")).toEqual([0, 2, 3, 3]);
    expect(regex.findAll("ababc")).toEqual([0, 5]);
    expect(found(String.raw`\w+(?:'s)?`, "a's b's")).toEqual(["a's", "b's"]);
  });

  it("refuses unbounded patterns, saying which part", () => {
    expect(() => new Regex(String.raw`(a)\1`)).toThrow(FileFormatError);
    expect(() => new Regex(String.raw`(a)\1`)).toThrow(/"\\1", which is not supported/);
    expect(() => new Regex("(?:".repeat(100) + ")".repeat(100))).toThrow(/50 deep/);
    expect(() => new Regex(`(?:${"(?:a{60}){60}".repeat(2)})`)).toThrow(/too large/);
  });
});
