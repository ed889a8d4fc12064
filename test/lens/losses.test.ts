import { expect, test } from "vitest";
import { tensor } from "../../src/graph/from-numbers.ts";
import { lmAccuracy, lmCrossEntropyLoss } from "../../src/lens/losses.ts";
import { expectClose } from "../close.ts";
import { golden, goldenModel, goldenNames } from "../goldens.ts";

test.each(goldenNames)("the loss of %s's logits is TransformerLens', mean and per token", async (name) => {
  const g = await golden(name);
  const model = goldenModel(g);
  const logits = await model.forward(g.tokens);
  const [mean, each] = await model.compute([
    model.lossFn(logits, g.tokens),
    lmCrossEntropyLoss(logits, g.tokens, { perToken: true }),
  ]);
  expect(mean.item()).toBeCloseTo(await model.forward(g.tokens, { returnType: "loss" }).then((l) => l.item()), 5);
  expectClose(each, g.get("loss_per_token"), 1e-4);
});

test("a loss with a mask is the mean over positions whose own and next token are text", async () => {
  const g = await golden("solu_ln_1l");
  const model = goldenModel(g);
  const logits = await model.forward(g.tokens);
  const [batch, pos] = g.tokens.shape;
  const attentionMask = tensor(
    Array.from({ length: batch }, (_, b) => Array.from({ length: pos }, (_, p) => b === 0 || p < 4)),
  );
  const [masked, each] = await model.compute([
    model.lossFn(logits, g.tokens, { attentionMask }),
    model.lossFn(logits, g.tokens, { perToken: true }),
  ]);
  const counted = each.toArray().flatMap((row: number[], b: number) => (b === 0 ? row : row.slice(0, 3)));
  expect(counted).toHaveLength(pos - 1 + 3 * (batch - 1));
  expect(masked.item()).toBeCloseTo(counted.reduce((a: number, b: number) => a + b) / counted.length, 5);
});

test("accuracy counts the next tokens that are the most probable", async () => {
  const logits = tensor([
    [
      [0, 2, 1],
      [3, 0, 0],
      [0, 0, 9],
      [1, 0, 0],
    ],
  ]).rename(["batch", "pos", "d_vocab"]);
  // After token 1 token 1 is predicted, then 0, then 2.
  const tokens = tensor([[1, 1, 2, 2]], { dtype: "int32" }).rename(["batch", "pos"]);
  expect((await lmAccuracy(logits, tokens).compute()).item()).toBeCloseTo(2 / 3, 6);
  expect((await lmAccuracy(logits, tokens, { perToken: true }).compute()).toArray()).toEqual([[1, 0, 1]]);
});
