/** Held-out data, how a model does on it, and what its loss is compared with. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { tensor } from "../../src/graph/from-numbers.ts";
import { initWeights } from "../../src/models/weights/init.ts";
import { HookedTransformer, nodeBackend, parseConfig } from "../../src/node.ts";
import { ndarray } from "../../src/tensor/array.ts";
import { holdOut, spreadRows } from "../../src/training/data/held-out.ts";
import { modularAddition, repeatedTokens } from "../../src/training/data/synthetic.ts";
import { textTask } from "../../src/training/data/tasks.ts";
import { tokenFrequencyLoss } from "../../src/training/data/token-frequencies.ts";
import { evaluateLoss } from "../../src/training/evaluate.ts";

const cfg = parseConfig({ n_layers: 1, d_model: 8, d_head: 4, n_ctx: 8, d_vocab: 11, act_fn: "relu" });
const rowsOf = (count: number, pos: number) =>
  ndarray(
    "int32",
    [count, pos],
    Int32Array.from({ length: count * pos }, (_, i) => (i * i) % 11),
  );

describe("the loss on rows", () => {
  test("is the mean over all of them, whatever the batches, in one compiled session for every model", async () => {
    const engine = new Engine(nodeBackend());
    const model = new HookedTransformer(cfg, initWeights(cfg), { engine });
    const other = new HookedTransformer(cfg, initWeights(parseConfig({ ...cfg, seed: 5 })), { engine });
    const rows = rowsOf(10, 6);
    const whole = (
      await model.forward(tensor([...rows.data], { shape: [10, 6], dtype: "int32" }), { returnType: "loss" })
    ).item();
    for (const batchSize of [4, 10, 64]) expect(await evaluateLoss(model, rows, { batchSize })).toBeCloseTo(whole, 5);
    const sessions = engine.sessionsCreated;
    expect(await evaluateLoss(other, rows, { batchSize: 5 })).not.toBeCloseTo(whole, 3);
    expect(engine.sessionsCreated).toBe(sessions);
  });

  test("can be a task's own loss", async () => {
    const { heldOut, loss, sizes, chances } = modularAddition({ p: 7, share: 0.5 });
    const sums = parseConfig({
      n_layers: 1,
      d_model: 8,
      d_head: 4,
      act_fn: "relu",
      normalization_type: null,
      ...sizes,
    });
    // With all weights at 0 every answer is equally likely.
    const nothing = new Map([...initWeights(sums)].map(([name, w]) => [name, { ...w, data: w.data.map(() => 0) }]));
    const model = new HookedTransformer(sums, nothing);
    expect(await evaluateLoss(model, heldOut!, { loss, batchSize: 4 })).toBeCloseTo(chances[0].loss, 5);
  });

  test("of rows that the model cannot read is refused", async () => {
    const model = new HookedTransformer(cfg, initWeights(cfg));
    await expect(evaluateLoss(model, rowsOf(2, 9))).rejects.toThrow(/9 tokens.*holds only 8/);
    await expect(evaluateLoss(model, tensor([[1, 11]], { dtype: "int32" }))).rejects.toThrow(/Token id 11/);
    await expect(evaluateLoss(model, rowsOf(2, 4), { batchSize: 0 })).rejects.toThrow(
      /batchSize must be a positive whole number, not 0/,
    );
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(evaluateLoss(model, rowsOf(2, 4), { signal })).rejects.toThrow("enough");
  });
});

describe("rows held out", () => {
  test("are the last ones; all rows are either trained on or held out", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.double({ min: 0, max: 0.99, noNaN: true }), (count, share) => {
        const all = rowsOf(count, 3);
        const { rows, heldOut } = holdOut(all, share);
        expect(heldOut?.shape[0] ?? 0).toBe(Math.floor(count * share + 1e-9));
        expect([...rows.data, ...(heldOut?.data ?? [])]).toEqual([...all.data]);
      }),
    );
  });

  test("are as many as the share says, however it is rounded in binary", () => {
    expect(holdOut(rowsOf(100, 1), 0.29).heldOut?.shape[0]).toBe(29);
  });

  test("can be fewer, evenly spaced", () => {
    const all = ndarray(
      "int32",
      [10, 1],
      Int32Array.from({ length: 10 }, (_, i) => i),
    );
    expect([...spreadRows(all, 4).data]).toEqual([0, 2, 5, 7]);
    expect(spreadRows(all, 10)).toBe(all);
  });

  test("are a share below 1", () => {
    for (const share of [1, -0.1, Number.NaN])
      expect(() => holdOut(rowsOf(3, 2), share)).toThrow(/at least 0 and less than 1/);
  });
});

describe("what a loss is compared with", () => {
  test("knowing how often each token occurs, counted by hand", () => {
    // Predicted in the first rows: 1 1 2 and 1 0 1; one more of each of 4 tokens: 5/10, 2/10, 2/10, 1/10.
    const counted = ndarray("int32", [2, 4], Int32Array.of(0, 1, 1, 2, 3, 1, 0, 1));
    const asked = ndarray("int32", [1, 3], Int32Array.of(1, 1, 3));
    expect(tokenFrequencyLoss(counted, asked, 4)).toBeCloseTo(-(Math.log(0.5) + Math.log(0.1)) / 2, 12);
    expect(textTask(counted, asked, 4).chances.map(({ loss }) => loss)).toEqual([
      tokenFrequencyLoss(counted, asked, 4),
      Math.log(4),
    ]);
  });

  test("tasks whose share or vocabulary leaves nothing to learn are refused", () => {
    for (const share of [0, 1, 1.5])
      expect(() => modularAddition({ p: 5, share })).toThrow(/some of the 25 must be trained on/);
    expect(() => repeatedTokens({ dVocab: 2, length: 4, batchSize: 1 })).toThrow(/nothing to predict/);
  });
});
