/** What `train` promises besides its numbers. */
import { beforeAll, describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { tensor } from "../../src/graph/from-numbers.ts";
import { topological } from "../../src/graph/walk.ts";
import { initWeights } from "../../src/models/weights/init.ts";
import { HookedTransformer, type ModelGraph, nodeBackend, parseConfig } from "../../src/node.ts";
import { ndarray } from "../../src/tensor/array.ts";
import { notePadding } from "../../src/text/index.ts";
import { permutation } from "../../src/training/data/batches.ts";
import { makeOptimizer } from "../../src/training/optimizer.ts";
import type { TrainProgress } from "../../src/training/options.ts";
import { learningRate, type Schedule } from "../../src/training/schedule.ts";
import { meanLoss, traceStep } from "../../src/training/step.ts";
import { train } from "../../src/training/train.ts";
import { TrainingError } from "../../src/training/training-error.ts";
import { relativeError } from "../close.ts";
import { type Golden, golden, goldenModel } from "../goldens.ts";

const cfg = parseConfig({
  ...{ n_layers: 1, d_model: 16, d_head: 8, n_ctx: 8, d_vocab: 11, act_fn: "relu", seed: 3 },
});
const rows = ndarray(
  "int32",
  [10, 6],
  Int32Array.from({ length: 60 }, (_, i) => (i * 7 + (i >> 3)) % 11),
);
const small = () => new HookedTransformer(cfg, initWeights(cfg), { engine: new Engine(nodeBackend()) });
const weightOf = (model: HookedTransformer, name: string) => [...model.weights.get(name).data];

describe("a training run", () => {
  test("lowers the loss, in one compiled session, and leaves the original model unchanged", async () => {
    const model = small();
    const before = weightOf(model, "embed.W_E");
    const { model: trained, losses } = await train(model, { data: rows, batchSize: 5, numEpochs: 30, lr: 0.01 });
    expect(losses).toHaveLength(60);
    expect(losses[59]).toBeLessThan(losses[0] - 0.5);
    expect(model.engine.sessionsCreated).toBe(1);
    expect(weightOf(model, "embed.W_E")).toEqual(before);
    expect(weightOf(trained, "embed.W_E")).not.toEqual(before);
    expect(trained.engine).toBe(model.engine);
  });

  test("gives the same numbers for the same seed, and different ones for another", async () => {
    const run = (seed: number) => train(small(), { data: rows, batchSize: 4, steps: 5, seed });
    const [a, b, c] = [await run(1), await run(1), await run(2)];
    expect(a.losses).toEqual(b.losses);
    expect(weightOf(a.model, "unembed.W_U")).toEqual(weightOf(b.model, "unembed.W_U"));
    expect(a.losses).not.toEqual(c.losses);
  });

  test("on batches that are computed in parts has the losses and weights of whole ones", async () => {
    // Of 64 tokens and 8192 predictions each, 8 rows fit a part: 19 rows are three parts, of which one is larger.
    const wide = parseConfig({
      ...{ n_layers: 1, d_model: 8, d_head: 8, n_ctx: 64, d_vocab: 8192, act_fn: "relu", seed: 3 },
    });
    const tokens = Int32Array.from({ length: 38 * 64 }, (_, i) => (i * i * 31 + (i >> 2)) % 8192);
    const run = (options: object) =>
      train(new HookedTransformer(wide, initWeights(wide), { engine: new Engine(nodeBackend()) }), {
        ...{ data: ndarray("int32", [38, 64], tokens), batchSize: 19, steps: 2, lr: 0.01, ...options },
      });
    const sizes = new Map(initWeights(wide));
    const traced = traceStep(
      {
        ...{ cfg: wide, hookNames: [], loss: meanLoss, maxGradNorm: undefined, frozen: () => false },
        optimizer: makeOptimizer("sgd", { betas: [0, 0], eps: 0, weightDecay: 0, momentum: 0 }),
      },
      sizes,
      { dtype: "int32", shape: [19, 64] },
    );
    expect(topological(traced.outputs).filter(({ op }) => op === "crossEntropy")).toHaveLength(3);
    const [parts, whole] = [await run({}), await run({ loss: (graph: ModelGraph) => graph.loss() })];
    for (const [i, loss] of whole.losses.entries()) expect(Math.abs(parts.losses[i] - loss)).toBeLessThan(1e-5);
    for (const name of ["embed.W_E", "blocks.0.mlp.W_in", "unembed.W_U"]) {
      const [a, b] = [parts, whole].map(({ model }) => model.weights.get(name).array!);
      expect(relativeError(a, b)).toBeLessThan(1e-3);
    }
  });

  test("reports its progress after each step", async () => {
    const seen: TrainProgress[] = [];
    await train(
      small(),
      { data: rows, batchSize: 4, numEpochs: 1, warmupSteps: 2 },
      { onProgress: (p) => seen.push(p) },
    );
    expect(seen.map(({ step, steps, tokens, lr }) => [step, steps, tokens, lr])).toEqual([
      [1, 3, 24, 0],
      [2, 3, 48, 0.0005],
      [3, 3, 60, 0.001],
    ]);
    for (const { loss, gradNorm, tokensPerSecond } of seen) {
      expect(loss).toBeGreaterThan(1);
      expect(gradNorm).toBeGreaterThan(0);
      expect(tokensPerSecond).toBeGreaterThan(0);
    }
  });

  test("keeps frozen weights, and those that the loss does not depend on, bit for bit", async () => {
    const model = small();
    const frozen = ["embed.W_E", "blocks.0.attn.W_Q"];
    const loss = train(model, {
      data: rows,
      steps: 3,
      frozen,
      loss: (graph) => graph.at("blocks.0.hook_attn_out").mul(3).mean(),
    });
    const { model: trained } = await loss;
    for (const name of [...frozen, "unembed.W_U", "blocks.0.mlp.W_in"]) {
      expect(weightOf(trained, name)).toEqual(weightOf(model, name));
    }
    expect(weightOf(trained, "blocks.0.attn.W_V")).not.toEqual(weightOf(model, "blocks.0.attn.W_V"));
  });

  test("can use batches from a function, with a custom loss", async () => {
    const asked: number[] = [];
    const data = (step: number) => {
      asked.push(step);
      return tensor([[1, 2, 3, step]], { dtype: "int32" });
    };
    const { losses } = await train(small(), {
      data,
      steps: 3,
      lr: 0.1,
      loss: ({ output }) => output.at({ pos: -1, d_vocab: 4 }).mean(),
    });
    expect(asked).toEqual([0, 1, 2]);
    expect(losses[2]).toBeLessThan(losses[0]);
  });

  test("stops between two steps when its signal is aborted", async () => {
    const control = new AbortController();
    let steps = 0;
    const onProgress = () => {
      if (++steps === 2) control.abort(new Error("enough"));
    };
    const running = train(small(), { data: rows, steps: 100 }, { signal: control.signal, onProgress });
    await expect(running).rejects.toThrow("enough");
    expect(steps).toBe(2);
  });

  test("does not wait for a callback or a store that never ends, once its signal is aborted", async () => {
    const never = new Promise<never>(() => {});
    const stopping = () => {
      const control = new AbortController();
      return { signal: control.signal, stop: () => queueMicrotask(() => control.abort(new Error("enough"))) };
    };
    const told = stopping();
    const onProgress = () => {
      told.stop();
      return never;
    };
    const running = train(small(), { data: rows, steps: 5 }, { signal: told.signal, onProgress });
    await expect(running).rejects.toThrow("enough");
    const checked = stopping();
    const check = () => {
      checked.stop();
      return never;
    };
    const saveDir = { check, write: async () => "", open: () => ({}) as never };
    const keeping = train(small(), { data: rows, steps: 5, saveDir }, { signal: checked.signal });
    await expect(keeping).rejects.toThrow("enough");
  });

  test("refuses options without effect, padded rows, and unknown values", async () => {
    const run = (options: object) => train(small(), { data: rows, steps: 1, ...options } as never);
    await expect(run({ learningRate: 1 })).rejects.toThrow(/train has no option "learningRate"/);
    await expect(run({ lr: "0.1" })).rejects.toThrow(/lr of train must be a number of at least 0, not "0.1"/);
    await expect(run({ seed: Number.NaN })).rejects.toThrow(/seed of train must be a whole number/);
    await expect(run({ momentum: 0.9 })).rejects.toThrow(/momentum only applies with optimizer: "sgd": leave it out/);
    await expect(run({ saveDir: {} })).rejects.toThrow(/CheckpointStore must have check\(\)/);
    const padded = ndarray("int32", [2, 3], Int32Array.of(1, 2, 0, 1, 2, 3));
    notePadding(padded, ndarray("bool", [2, 3], Uint8Array.of(1, 1, 0, 1, 1, 1)));
    await expect(run({ data: padded })).rejects.toThrow(/Some rows are padded/);
  });

  test("stops at a loss that is not a number, says where and what to try", async () => {
    const loss = train(small(), { data: rows, steps: 5, loss: ({ output }) => output.mul(1e30).mul(1e30).mean() });
    const failed = (run: Promise<unknown>) =>
      run.then(
        () => undefined,
        (e) => e,
      );
    const error = await failed(loss);
    expect(error).toBeInstanceOf(TrainingError);
    expect(error.step).toBe(0);
    expect(error.message).toMatch(/loss became -?(Infinity|NaN) at step 1.*learning rate was 0.001.*lower lr/);
    const wild = await failed(train(small(), { data: rows, steps: 50, optimizer: "sgd", lr: 1e8 }));
    expect(wild).toBeInstanceOf(TrainingError);
    expect(wild.step).toBeGreaterThan(0);
    expect(wild.message).toContain("No checkpoint was saved");
  });
});

test("a held-out loss that is not finite ends the training run, too", async () => {
  const heldOut = ndarray("int32", [1, 4], Int32Array.of(0, 1, 2, 3));
  const options = { data: rows, heldOut, steps: 4, evalEvery: 2 };
  const loss = (graph: ModelGraph) => (graph.tokens!.shape[0] === 1 ? graph.loss().mul(1e30).mul(1e30) : graph.loss());
  const run = train(small(), { ...options, loss });
  await expect(run).rejects.toThrow(/held-out loss became Infinity at step 2/);
});

describe("the gradient's norm", () => {
  let g: Golden;
  let length: number;
  beforeAll(async () => {
    g = await golden("gelu_2l");
    const squares = [...g.under("weight_grad.").values()].map((w) =>
      (w.data as Float32Array).reduce((sum, x) => sum + x * x, 0),
    );
    length = Math.sqrt(squares.reduce((a, b) => a + b));
  });

  test("is PyTorch's, and with maxGradNorm a step is that much shorter", async () => {
    const one = async (maxGradNorm?: number) => {
      const seen: number[] = [];
      const options = {
        data: g.tokens,
        steps: 1,
        optimizer: "sgd",
        lr: 1,
        ...(maxGradNorm ? { maxGradNorm } : {}),
      } as const;
      const { model } = await train(goldenModel(g), options, { onProgress: (p) => seen.push(p.gradNorm) });
      const steps = [...model.weights.entries()].flatMap(([name, after]) => {
        const before = g.get(`weights.${name}`).data;
        return Array.from(after.data as Float32Array, (x, i) => x - before[i]);
      });
      return { norm: seen[0], step: Math.hypot(...steps.map(Number)) };
    };
    const [free, clipped, unclipped] = [await one(), await one(length / 10), await one(length * 10)];
    expect(free.norm / length).toBeCloseTo(1, 4);
    expect(clipped.norm / length).toBeCloseTo(1, 4);
    expect(free.step / length).toBeCloseTo(1, 3);
    expect(clipped.step / length).toBeCloseTo(0.1, 3);
    expect(unclipped.step / length).toBeCloseTo(1, 3);
  });

  test("a trained model has the loss that training continued from", async () => {
    const { model, losses } = await train(goldenModel(g), { data: g.tokens, steps: 2, lr: 0.01, warmupSteps: 0 });
    const { losses: next } = await train(model, { data: g.tokens, steps: 1 });
    const loss = await model.forward(g.tokens, { returnType: "loss" });
    expect(relativeError(loss, tensor(next[0]))).toBeLessThan(1e-5);
    expect(next[0]).toBeLessThan(losses[1]);
  });
});

describe("the learning rate", () => {
  const at = (schedule: Schedule, warmupSteps = 4) =>
    [0, 2, 4, 7, 10].map((step) => learningRate(step, { lr: 2, schedule, warmupSteps, steps: 10 }));

  test("rises over the warm-up, then follows the schedule", () => {
    expect(at("constant")).toEqual([0, 1, 2, 2, 2]);
    expect(at("linear")).toEqual([0, 1, 2, 1, 0]);
    expect(at("cosine").map((x) => +x.toFixed(9))).toEqual([0, 1, 2, 1, 0]);
    expect(at((step, steps) => step / steps, 0)).toEqual([0, 0.4, 0.8, 1.4, 2]);
  });
});

describe("the order of the rows", () => {
  test("has each once, is different each epoch, and the same for a seed", () => {
    const order = permutation(50, 7, 0);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(permutation(50, 7, 1)).not.toEqual(order);
    expect(permutation(50, 7, 0)).toEqual(order);
    expect(permutation(50, 8, 0)).not.toEqual(order);
    expect([...permutation(6, 1, 0)]).toEqual([...permutation(6, 1, 0)]);
  });
});

describe("refused, with what to do", () => {
  const model = small();
  const run = (options: object) => train(model, { data: rows, steps: 1, ...options } as never);
  test.each([
    [{ steps: undefined }, /Give either steps or numEpochs/],
    [{ numEpochs: 2 }, /Give either steps or numEpochs/],
    [{ steps: 0 }, /steps of train must be a whole number of at least 1, not 0/],
    [{ batchSize: 2.5 }, /batchSize of train must be .*not 2.5/],
    [{ optimizer: "adamW" }, /no optimizer "adamW".*"adamw"/],
    [{ schedule: "cosin" }, /no schedule "cosin".*"cosine"/],
    [{ lr: -1 }, /lr of train must be a number of at least 0, not -1/],
    [{ betas: [0.9, 1] }, /betas of train must be 2 numbers, each a number of at least 0 and below 1/],
    [{ betas: [0.9] }, /betas of train must be 2 numbers, .*not \[0.9\]/],
    [{ data: undefined }, /not undefined/],
    [{ data: { dtype: "int32", shape: [9, 5], data: new Int32Array(3) } }, /has 3 numbers, not 45/],
    [{ heldOut: tensor([[1, 11]], { dtype: "int32" }) }, /Token id 11/],
    [{ heldOut: tensor([[1], [2]], { dtype: "int32" }) }, /at least two tokens/],
    [{ heldOut: { dtype: "int32", shape: [0, 4], data: new Int32Array(0) } }, /heldOut has no rows/],
    [{ evalEvery: 0 }, /evalEvery of train must be a whole number of at least 1, not 0/],
    [{ schedule: () => "half" }, /must return a number, the factor of lr, but at step 0 it returned "half"/],
    [{ schedule: () => Number.NaN }, /it returned NaN/],
    [{ evalEvery: 1 }, /there is no heldOut/],
    [{ optimizer: "sgd", betas: [0.9, 0.99] }, /betas only applies with optimizer: "adamw" or "adam": leave it out/],
    [{ optimizer: "sgd", eps: 1e-8 }, /eps only applies with optimizer: "adamw" or "adam"/],
    [{ loss: () => undefined }, /A loss must be a Tensor.*not undefined/],
    [{ maxGradNorm: 0 }, /maxGradNorm of train must be a number above 0/],
    [{ frozen: ["embed.W_e"] }, /no weight "embed.W_e".*"embed.W_E"/],
    [{ frozen: () => true }, /nothing to train/],
    [{ loss: (graph: { output: unknown }) => graph.output }, /single number.*batch 10, pos 6, d_vocab 11/],
    [{ saveEvery: 5 }, /no saveDir says where/],
    [{ data: tensor([[1, 2]]) }, /tokens, int32 \[row pos\]/],
    [{ data: tensor([[1], [2]], { dtype: "int32" }) }, /at least two tokens/],
    [{ data: tensor([[1, 11]], { dtype: "int32" }) }, /Token id 11 \(row 0, position 1\).*vocabulary of 11/],
    [{ data: tensor([[1, 2, 3, 4, 5, 6, 7, 8, 9]], { dtype: "int32" }) }, /9 tokens.*context holds only 8/],
    [{ data: () => rows, steps: undefined, numEpochs: 1 }, /no epochs: give steps/],
  ])("%j", async (options, message) => {
    await expect(run(options)).rejects.toThrow(message);
  });
});
