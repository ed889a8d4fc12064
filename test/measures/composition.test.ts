import { expect, test } from "vitest";
import { compositionScores } from "../../src/measures/composition.ts";
import { ShapeError } from "../../src/tensor/errors.ts";
import { golden, goldenModel } from "../goldens.ts";

test("composition of any matrices is every one on the left with every one on the right", async () => {
  const model = goldenModel(await golden("gelu_2l"));
  const scores = await compositionScores(model.OV, model.QK);
  expect(scores.shape).toEqual([2, 4, 2, 4]);
  const all = await model.allCompositionScores("Q").compute();
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) expect(scores.get(0, from, 1, to)).toBeCloseTo(all.get(0, from, 1, to), 5);
  }
  const one = await compositionScores(model.OV.at(0, 2), model.QK.at(1, 3));
  expect(one.item()).toBeCloseTo(scores.get(0, 2, 1, 3), 6);
});

test("composition of matrices whose sizes do not match is refused", async () => {
  const model = goldenModel(await golden("gelu_2l"));
  const narrow = model.QK.at(0, 0, null, [0, 1]);
  await expect(compositionScores(narrow, model.OV)).rejects.toThrow(ShapeError);
});
