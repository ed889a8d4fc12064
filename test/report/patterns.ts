/** Attention patterns small enough to check by eye, and as many as GPT-2 has. */
import { attentionHeads } from "../../src/report/index.ts";

/** Head 0 looks at the token before, head 1 at the first; token 2 of head 0 looks a quarter at itself. */
export const threeTokens = {
  tokens: ["a", " b", " c"],
  patterns: [
    [
      [1, 0, 0],
      [1, 0, 0],
      [0, 0.75, 0.25],
    ],
    [
      [1, 0, 0],
      [1, 0, 0],
      [1, 0, 0],
    ],
  ],
};

const PROMPT = [
  "<|endoftext|>",
  "When",
  " Mary",
  " and",
  " John",
  " went",
  " to",
  " the",
  " store",
  ",",
  " John",
  " gave",
  " a",
  " drink",
  " to",
];

/** 12 layers of 12 heads, each a softmax of a different wave. */
export function manyHeads() {
  const head = (l: number, h: number) =>
    PROMPT.map((_, q) => {
      const scores = PROMPT.map((_, k) => (k > q ? 0 : Math.exp(2 * Math.sin(l + 1.7 * k * (h + 1)))));
      const sum = scores.reduce((a, b) => a + b);
      return scores.map((score) => score / sum);
    });
  const layers = Array.from({ length: 12 }, (_, l) => Array.from({ length: 12 }, (_, h) => head(l, h)));
  return attentionHeads(PROMPT, layers);
}
