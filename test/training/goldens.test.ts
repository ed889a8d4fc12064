/** Five AdamW steps against PyTorch's, through TransformerLens, on every supported configuration. */
import { describe, expect, test } from "vitest";
import { train } from "../../src/training/train.ts";
import { relativeError } from "../close.ts";
import { golden, goldenModel, goldenNames } from "../goldens.ts";

describe.each(goldenNames)("%s", (name) => {
  test("five AdamW steps give PyTorch's losses and weights", async () => {
    const g = await golden(name);
    const model = goldenModel(g);
    const { model: trained, losses } = await train(model, {
      data: g.tokens,
      batchSize: 2,
      steps: 5,
      optimizer: "adamw",
      lr: 0.01,
      betas: [0.9, 0.99],
      weightDecay: 0.01,
    });
    const expected: number[] = g.info.adamw_losses;
    expect(losses).toHaveLength(5);
    losses.forEach((loss, i) => {
      expect(Math.abs(loss - expected[i]) / expected[i]).toBeLessThan(1e-4);
    });
    const weights = g.under("adamw_5_steps.");
    expect(weights.size).toBeGreaterThan(1);
    const errors = [...weights]
      // The loss does not depend on a key's bias: its gradient is rounding, which Adam makes as large as any other.
      .filter(([weight]) => !weight.endsWith("attn.b_K"))
      .map(([weight, value]) => [weight, relativeError(trained.weights.get(weight), value)] as const);
    expect(errors.filter(([, error]) => !(error < 1e-3))).toEqual([]);
  });
});
