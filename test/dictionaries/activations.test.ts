/** Activations that SAELens does not have, by their definition. */
import { describe, expect, test } from "vitest";
import { Dictionary, tensor } from "../../src/node.ts";

const pre = [
  [0.5, -3, 2, -0.1, 1, 0.7],
  [-1, -2, -0.5, -4, -3, -0.25],
];

/** A dictionary whose pre-activations are its input. */
const identity = (architecture: string, k: number | undefined, threshold?: readonly number[]) => {
  const eye = tensor(pre[0].map((_, i) => pre[0].map((_, j) => +(i === j))));
  const none = tensor(pre[0].map(() => 0));
  const weights = new Map([
    ...Object.entries({ W_enc: eye, W_dec: eye, b_enc: none, b_dec: none }),
    ...(threshold ? [["threshold", tensor(threshold)] as const] : []),
  ]);
  return new Dictionary({ architecture, dIn: 6, dSae: 6, ...(k && { k }) }, weights);
};
const features = async (...args: Parameters<typeof identity>) =>
  (
    await identity(...args)
      .encode(tensor(pre))
      .compute()
  )
    .toArray()
    .map((row: number[]) => row.map((x) => +x.toFixed(3) + 0));

describe("features of", () => {
  test("topk are never negative, so that fewer than k can fire", async () => {
    expect(await features("topk", 3)).toEqual([
      [0, 0, 2, 0, 1, 0.7],
      [0, 0, 0, 0, 0, 0],
    ]);
  });

  test("signed_topk are the k largest as they are", async () => {
    expect(await features("signed_topk", 3)).toEqual([
      [0, 0, 2, 0, 1, 0.7],
      [-1, 0, -0.5, 0, 0, -0.25],
    ]);
  });

  test("groupmax are the largest of each of k runs", async () => {
    expect(await features("groupmax", 2)).toEqual([
      [0, 0, 2, 0, 1, 0],
      [0, 0, 0, 0, 0, 0],
    ]);
    expect(await features("groupmax", 3)).toEqual([
      [0.5, 0, 2, 0, 1, 0],
      [0, 0, 0, 0, 0, 0],
    ]);
  });

  test("jumprelu are over the threshold, strictly, and never negative; those of signed_jumprelu may be", async () => {
    const threshold = [0.5, 1, 1, -1, 1, 0.6];
    expect(await features("jumprelu", undefined, threshold)).toEqual([
      [0, 0, 2, 0, 0, 0.7],
      [0, 0, 0, 0, 0, 0],
    ]);
    expect(await features("signed_jumprelu", undefined, threshold)).toEqual([
      [0, 0, 2, -0.1, 0, 0.7],
      [0, 0, 0, 0, 0, 0],
    ]);
  });
});

test("a transcoder may have any of them, with a skip connection or without", () => {
  const eye = tensor(pre[0].map((_, i) => pre[0].map((_, j) => +(i === j))));
  const none = tensor(pre[0].map(() => 0));
  const weights = new Map(Object.entries({ W_enc: eye, W_dec: eye, b_enc: none, b_dec: none, W_skip: eye }));
  const dictionary = new Dictionary({ architecture: "signed_topk_skip_transcoder", dIn: 6, dSae: 6, k: 2 }, weights);
  expect(dictionary.isTranscoder).toBe(true);
  expect(`${dictionary}`).toBe("Dictionary(of your own)");
});
