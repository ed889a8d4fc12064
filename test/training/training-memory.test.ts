import { describe, expect, test } from "vitest";
import type { Backend } from "../../src/engine/backend.ts";
import { Engine } from "../../src/engine/engine.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { HookedTransformer, initWeights, MemoryError, parseConfig, repeatedTokens, train } from "../../src/node.ts";
import { ndarray, zeros } from "../../src/tensor/array.ts";
import { needTraining } from "../../src/training/training-memory.ts";
import { setMemory } from "../memory.ts";

const untouched: Backend = {
  name: "untouched",
  createSession: () => {
    throw new Error("a session was made");
  },
};

const fields = {
  ...{ n_layers: 2, d_model: 16, n_ctx: 64, d_head: 4, n_heads: 4, d_vocab: 100, act_fn: "relu" },
  ...{ normalization_type: "LN", seed: 1 },
};
const cfg = parseConfig(fields);

test("a training run whose steps do not fit is refused before its first session", async () => {
  const model = new HookedTransformer(cfg, initWeights(cfg), { engine: new Engine(untouched, { memoryBytes: 3e6 }) });
  const data = zeros("int32", [500, 32]);
  await expect(train(model, { data, steps: 1, batchSize: 500 })).rejects.toThrow(
    /^Training on batches of 500 × 32 tokens needs about [\d.]+ MB of memory at one time \(.*\), but may use only 3 MB: give fewer rows per step \(batchSize; --batch-size\)/,
  );
  await expect(train(model, { data: () => data, steps: 1 })).rejects.toThrow(/^Training on batches of 500 × 32 tokens/);
});

test("the same training run works with smaller batches", async () => {
  const engine = new Engine(nodeBackend({ threads: 1 }), { memoryBytes: 3e6 });
  const model = new HookedTransformer(cfg, initWeights(cfg), { engine });
  const { losses } = await train(model, { data: zeros("int32", [500, 32]), steps: 1, batchSize: 4 });
  expect(losses).toHaveLength(1);
  await engine.dispose();
});

describe("before there are weights or data", () => {
  const refusal = (sizes: Readonly<Record<string, number>>, shape: readonly number[]) => {
    const asked = parseConfig({ ...fields, ...sizes });
    const options = { data: () => ndarray("int32", [1, 1], new Int32Array(1)), steps: 1 };
    try {
      needTraining({ cfg: asked, engine: new Engine(untouched), options, shape, hasWeights: false });
    } catch (error) {
      return error as Error;
    }
    return undefined;
  };

  test("what fits is allowed", () => {
    expect(refusal({}, [8, 32])).toBeUndefined();
  });

  const large: readonly (readonly [string, Readonly<Record<string, number>>, readonly number[], RegExp])[] = [
    ["a step", {}, [100_000, 64], /fewer rows per step/],
    ["weights", { d_model: 16_384, d_head: 4096 }, [8, 32], /weights alone are \d+(\.\d+)? GB/],
    ["a context", { n_ctx: 100_000_001 }, [8, 32], /weights alone are 6.4 GB/],
    [
      "attention, even to be traced",
      { n_ctx: 4_000_000 },
      [1, 4_000_000],
      /^Attention from .* When training: give fewer/,
    ],
  ];
  for (const [what, sizes, shape, message] of large) {
    test(`${what} that does not fit is refused`, () => {
      setMemory({ read: () => 2e9 });
      const error = refusal(sizes, shape);
      expect(error).toBeInstanceOf(MemoryError);
      expect(error!.message).toMatch(message);
    });
  }
});

test("random weights that do not fit in memory are refused", () => {
  setMemory({ read: () => 1e9 });
  expect(() => initWeights(parseConfig({ ...fields, d_mlp: 200_000, d_model: 4096, d_head: 1024 }))).toThrow(
    /^A model of this configuration needs about \d/,
  );
});

test("a task's batches are made when they are needed", () => {
  const before = process.memoryUsage().arrayBuffers;
  const task = repeatedTokens({ dVocab: 10, length: 1000, batchSize: 100_000 });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e6);
  expect(task.sizes.n_ctx).toBe(2001);
  const small = repeatedTokens({ dVocab: 10, length: 4, batchSize: 2 });
  expect(small.heldOut).toBe(small.heldOut);
});
