/** Against `detect_head` of TransformerLens 2.18; `head-detector-golden.py` wrote its numbers. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { tensor } from "../../src/graph/from-numbers.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { detectHead, type ErrorMeasure } from "../../src/measures/head-detector/detect-head.ts";
import { detectionPattern, type HeadName } from "../../src/measures/head-detector/detection-patterns.ts";
import { HookedTransformer } from "../../src/node.ts";
import { expectClose } from "../close.ts";
import { golden, goldenModel } from "../goldens.ts";

interface Case {
  readonly sequence: number;
  readonly pattern: HeadName;
  readonly exclude_bos: boolean;
  readonly exclude_current_token: boolean;
  readonly error_measure: ErrorMeasure;
  readonly scores: number[][];
}
const theirs = JSON.parse(readFileSync(new URL("./head-detector.json", import.meta.url), "utf8"));
const cases: readonly Case[] = theirs.cases;
const sequences: readonly number[][] = theirs.sequences;
const optionsOf = (c: Case) => ({
  excludeBos: c.exclude_bos,
  excludeCurrentToken: c.exclude_current_token,
  errorMeasure: c.error_measure,
});

let model: HookedTransformer;
beforeAll(async () => {
  model = goldenModel(await golden(theirs.model));
});

describe("detectHead", () => {
  test("gives TransformerLens' scores for each kind of head, measure and exclusion", async () => {
    expect(cases.length).toBe(72);
    for (const c of cases) {
      const found = await detectHead(model, sequences[c.sequence], c.pattern, optionsOf(c));
      expect(found.axes).toEqual(["layer", "head"]);
      expectClose(found, tensor(c.scores), 1e-4);
    }
  });

  test("takes your own pattern", async () => {
    const pattern = tensor(theirs.custom_pattern);
    for (const errorMeasure of ["mul", "abs"] as const) {
      const found = await detectHead(model, sequences[0], pattern, { errorMeasure });
      expectClose(found, tensor(theirs.custom[errorMeasure]), 1e-4);
    }
  });

  test("scores some heads and gives the others -1, by pairs and by layer", async () => {
    const pairs = await detectHead(model, sequences[0], "induction_head", {
      heads: [
        [0, 1],
        [1, 3],
      ],
    });
    expectClose(pairs, tensor(theirs.some_heads), 1e-4);
    const byLayer = await detectHead(model, sequences[0], "induction_head", { heads: { 0: [1], 1: [3] } });
    expect(byLayer.data).toEqual(pairs.data);
  });

  test("of several sequences is the mean of their scores, whatever the other arguments", async () => {
    const two = sequences.slice(0, 2);
    for (const c of cases.filter(({ sequence }) => sequence === 0)) {
      const options = { ...optionsOf(c), heads: [[1, 2]] as const };
      const together = await detectHead(model, two, c.pattern, options);
      const apart = [
        c.scores,
        cases.find((o) => o.sequence === 1 && o.pattern === c.pattern && same(o, c))!.scores,
      ].map((scores) => scores[1][2]);
      expect(together.get(1, 2)).toBeCloseTo((apart[0] + apart[1]) / 2, 4);
      expect(together.get(0, 0)).toBe(-1);
    }
  });

  test("of texts of different lengths leaves the padding out", async () => {
    const bundled = await HookedTransformer.fromPretrained("solu-1l-novels");
    const texts = ["The cat and the dog and the cat.", "The dog", "He saw her, and she saw him, and he saw her again."];
    for (const errorMeasure of ["mul", "abs"] as const) {
      const options = { errorMeasure, excludeBos: true };
      const together = await detectHead(bundled, texts, "duplicate_token_head", options);
      const each: Tensor[] = [];
      for (const text of texts) each.push(await detectHead(bundled, text, "duplicate_token_head", options));
      together.data.forEach((score: number, i: number) => {
        expect(score).toBeCloseTo(each.reduce((sum, x) => sum + x.data[i], 0) / texts.length, 5);
      });
    }
  });

  test("reads a cache and leaves it as it was", async () => {
    const [, cache] = await model.runWithCache(sequences[0], { removeBatchDim: true });
    const before = [...cache.get("pattern1").data];
    const options = { excludeBos: true, excludeCurrentToken: true };
    const found = await detectHead(model, sequences[0], "previous_token_head", { ...options, cache });
    const afresh = await detectHead(model, sequences[0], "previous_token_head", options);
    expectClose(found, afresh, 1e-6);
    expect([...cache.get("pattern1").data]).toEqual(before);
  });

  test("refuses what does not fit, and says why", async () => {
    const detect = (...args: [never, never?]) => detectHead(model, sequences[0], ...args);
    await expect(detect("inductoin_head" as never)).rejects.toThrow(/kind of head.*Did you mean "induction_head"/);
    await expect(detect(tensor([[1]]) as never)).rejects.toThrow(/of the sequence's 8 tokens/);
    const upper = tensor(new Float32Array(64).fill(1), { shape: [8, 8] });
    await expect(detect(upper as never)).rejects.toThrow(/0 above its diagonal/);
    const name = "induction_head" as never;
    await expect(detect(name, { heads: [[2, 0]] } as never)).rejects.toThrow(/no head 0 in layer 2/);
    await expect(detect(name, { heads: [] } as never)).rejects.toThrow(/heads is empty/);
    await expect(detect(name, { errorMeasure: "square" } as never)).rejects.toThrow(/"mul" or "abs"/);
    await expect(detectHead(model, [4], "induction_head")).rejects.toThrow(/has 1 token.*takes at least 2/);
    const [, cache] = await model.runWithCache([1, 2, 3]);
    await expect(detect(name, { cache } as never)).rejects.toThrow(/cache of a run on the same input/);
  });
});

test("patterns say where such heads look", () => {
  const tokens = Tensor.leaf({ dtype: "int32", shape: [1, 5], data: Int32Array.from([1, 5, 9, 5, 9]) });
  const looks = (name: HeadName) => {
    const pattern = detectionPattern(name, tokens);
    return [0, 1, 2, 3, 4].flatMap((q) => [0, 1, 2, 3, 4].filter((k) => pattern.get(0, q, k)).map((k) => [q, k]));
  };
  expect(looks("previous_token_head")).toEqual([
    [1, 0],
    [2, 1],
    [3, 2],
    [4, 3],
  ]);
  expect(looks("duplicate_token_head")).toEqual([
    [3, 1],
    [4, 2],
  ]);
  expect(looks("induction_head")).toEqual([
    [3, 2],
    [4, 3],
  ]);
});

function same(a: Case, b: Case): boolean {
  return (
    a.exclude_bos === b.exclude_bos &&
    a.exclude_current_token === b.exclude_current_token &&
    a.error_measure === b.error_measure
  );
}
