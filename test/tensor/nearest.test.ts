/** Which name a misspelt one is answered with. */
import { expect, test } from "vitest";
import { edits, nearest } from "../../src/tensor/nearest.ts";

const MODELS = ["gpt2", "gpt2-xl", "llama", "solu-1l", "solu-2l"];
const COMMANDS = ["ioi", "train", "models", "logit-lens", "ablation"];

test("an edit adds, removes or changes a letter, or swaps two neighbours", () => {
  for (const [a, b, fewest] of [
    ["", "", 0],
    ["", "abc", 3],
    ["llama", "lama", 1],
    ["gtp2", "gpt2", 1],
    ["kitten", "sitting", 3],
    ["abcd", "badc", 2],
    // Swapping, then putting a letter between, would be 2, but edits a part twice.
    ["ca", "abc", 3],
  ] as const) {
    expect([a, b, edits(a, b)]).toEqual([a, b, fewest]);
    expect([b, a, edits(b, a)]).toEqual([b, a, fewest]);
  }
});

test("edits are a way of measuring: none only to itself, at most the longer length, at least the difference", () => {
  const words = ["", "a", "ab", "ba", "bab", "abba", "baab", "aabbc", "cabab"];
  for (const a of words) {
    for (const b of words) {
      expect(edits(a, b) === 0).toBe(a === b);
      expect(edits(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      expect(edits(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
    }
  }
});

test.each([
  ["gtp2", MODELS, "gpt2"],
  ["lama", MODELS, "llama"],
  ["GPT2", MODELS, "gpt2"],
  ["solu-1I", MODELS, "solu-1l"],
  ["iio", COMMANDS, "ioi"],
  ["trian", COMMANDS, "train"],
  ["logitlens", COMMANDS, "logit-lens"],
])('"%s" is a misspelling', (asked, names, meant) => {
  expect(nearest(asked, names)).toBe(meant);
});

test.each([
  ["help", COMMANDS],
  ["foo", COMMANDS],
  ["foo", MODELS],
  ["xl", MODELS],
  ["", MODELS],
  ["pythia-70m", MODELS],
  ["a", ["b", "ab"]],
])('"%s" is near to none of the names, and none is suggested', (asked, names) => {
  expect(nearest(asked, names)).toBeUndefined();
});

test("of equally close names the first is suggested, and of others the closest", () => {
  expect(nearest("solu-3l", MODELS)).toBe("solu-1l");
  expect(nearest("gpt2-xx", ["gpt2-xxl", "gpt2-xx"])).toBe("gpt2-xx");
});
