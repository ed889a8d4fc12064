import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { peakBytes } from "../../src/engine/memory.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { HookedTransformer } from "../../src/lens/hooked-transformer.ts";
import { measureAblation } from "../../src/measures/ablation.ts";
import { detectHead } from "../../src/measures/head-detector/detect-head.ts";
import { computeInParts, groupsOf, passBytes, rowsThatFit } from "../../src/measures/in-parts.ts";
import { measureIntegratedGradients } from "../../src/measures/integrated-gradients.ts";
import { measureLogitLens } from "../../src/measures/logit-lens.ts";
import { add, sweep } from "../../src/measures/sweep.ts";
import { initWeights, MemoryError, parseConfig } from "../../src/node.ts";
import { ndarray } from "../../src/tensor/array.ts";
import { expectClose } from "../close.ts";

const cfg = parseConfig({
  ...{ n_layers: 2, d_model: 16, n_ctx: 32, d_head: 4, n_heads: 4, d_vocab: 300, act_fn: "relu" },
  ...{ normalization_type: "LN", seed: 1 },
});
const weights = initWeights(cfg);
const free = new Engine(nodeBackend({ threads: 1 }));
const whole = new HookedTransformer(cfg, weights, { engine: free });
afterAll(() => free.dispose());

/** The same model on an engine that may take so much. */
const within = (memoryBytes: number) =>
  new HookedTransformer(cfg, weights, { engine: new Engine(nodeBackend({ threads: 1 }), { memoryBytes }) });
const ids = (length: number, seed = 0) => Array.from({ length }, (_, i) => 1 + (((seed + 1) * (i + 3) ** 2) % 299));

const matrix = (rows: number) =>
  ndarray(
    "float32",
    [rows, 5],
    Float32Array.from({ length: rows * 5 }, (_, i) => Math.sin(i)),
  );

describe("work in parts", () => {
  test("is made once for each part, and once in all where all of it fits", async () => {
    const made: string[] = [];
    const values = (from: number, to: number) => {
      made.push(`${from} to ${to}`);
      return [Tensor.leaf({ ...matrix(to - from) }, ["row", "n"]).exp()];
    };
    await computeInParts(whole, 30, values, { most: 1e6 });
    expect(made.splice(0)).toEqual(["0 to 30"]);
    await computeInParts(whole, 30, values, { most: 200 });
    expect(made.splice(0)).toEqual(["0 to 30", "0 to 1", "0 to 2", "0 to 10", "10 to 20", "20 to 30"]);
  });

  test("is the same as whole, whatever the budget and the number of rows", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 4000 }), async (rows, most) => {
        const all = matrix(rows);
        const values = (from: number, to: number) => {
          const x = Tensor.leaf({ ...all, shape: [to - from, 5], data: all.data.subarray(from * 5, to * 5) }, [
            "row",
            "n",
          ]);
          return [x.exp().add(1).sum(-1), x.mul(2)];
        };
        const done: number[] = [];
        const found = await computeInParts(whole, rows, values, { most, onDone: (n) => done.push(n) });
        const expected = await whole.compute(values(0, rows));
        expect(found.map(({ shape, axes, dtype }) => ({ shape, axes, dtype }))).toEqual(
          expected.map(({ shape, axes, dtype }) => ({ shape, axes, dtype })),
        );
        for (const i of found.keys()) expectClose(found[i], expected[i], 1e-6);
        expect(done.at(-1)).toBe(rows);
        const { together, planned } = rowsThatFit(values, rows, most);
        expect(together === 1 || planned <= most).toBe(true);
        expect(planned).toBe(peakBytes(values(0, together)));
      }),
      { numRuns: 30 },
    );
  });

  test("groups keep the order, stay below their cost if they can, and hold as many as that allows", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 60 }),
        (lengths, most) => {
          const rows = lengths.map((n) => ids(n));
          const cost = (count: number, longest: number) => count * longest;
          const groups = groupsOf(rows, cost, most);
          expect(groups.flat()).toEqual(rows);
          const costOf = (group: readonly number[][]) =>
            cost(group.length, Math.max(...group.map((row) => row.length)));
          groups.forEach((group, i) => {
            expect(group.length === 1 || costOf(group) <= most).toBe(true);
            if (i + 1 < groups.length) expect(costOf([...group, groups[i + 1][0]])).toBeGreaterThan(most);
          });
        },
      ),
    );
  });

  test("passes side by side take half of what the engine may use", () => {
    expect(passBytes(within(50e6))).toBe(25e6);
    expect(passBytes(whole)).toBe(128e6);
  });
});

describe("within a small budget the numbers are those of a large one", () => {
  const prompt = ids(20);

  test("of the logit lens, whose logits at all streams and positions would not fit", async () => {
    const expected = await measureLogitLens(whole, { prompt });
    const small = within(300e3);
    const graph = whole.graph(prompt);
    expect(peakBytes([graph.output])).toBeLessThan(300e3);
    expect(5 * 20 * 300 * 4 * 3).toBeGreaterThan(300e3);
    const found = await measureLogitLens(small, { prompt });
    const numbers = (m: typeof found) => [
      ...m.rows.flatMap((row) => [row.entropy, row.log_prob ?? 0]),
      ...m.tokens.rows.map(({ probability }) => probability),
    ];
    const places = (m: typeof found) => [
      m.rows.map(({ rank, other_rank }) => [rank, other_rank]),
      m.tokens.rows.map(({ id }) => id),
    ];
    const flat = (data: number[]) => ({ shape: [data.length], data });
    expectClose(flat(numbers(found)), flat(numbers(expected)), 1e-5);
    expect(places(found)).toEqual(places(expected));
    expect(found.error).toBeLessThan(1e-4);
    expect(small.engine.runs).toBeGreaterThan(3); // as many as it takes where everything fits
    await small.engine.dispose();
  });

  test("of integrated gradients", async () => {
    const metric = (logits: Tensor) => logits.at({ batch: 0, pos: -1, d_vocab: 5 });
    const expected = await measureIntegratedGradients(whole, { prompt, metric });
    const small = within(600e3);
    const found = await measureIntegratedGradients(small, { prompt, metric });
    expectClose(found.attributions, expected.attributions, 1e-5);
    expect(found.metric).toBeCloseTo(expected.metric, 5);
    expect(small.engine.runs).toBeGreaterThan(2);
    await small.engine.dispose();
  });

  test("of a sweep", async () => {
    const options = {
      ...{ site: "z", over: ["layer", "pos", "head"] },
      edit: add(Tensor.leaf(ndarray("float32", [4], Float32Array.of(1, 2, 3, 4)))),
      metric: (logits: Tensor) => logits.at({ pos: -1, d_vocab: 3 }).mean(),
    };
    const expected = await sweep(whole, prompt, options);
    const small = within(800e3);
    const found = await sweep(small, prompt, options);
    expectClose(found.values, expected.values, 1e-5);
    expect(found.plannedBytes).toBeLessThanOrEqual(400e3);
    await small.engine.dispose();
  });

  test("of a sweep, whose sessions go when the next one's would not fit next to them", async () => {
    const deep = parseConfig({ ...cfg, nLayers: 6 });
    const long = ids(28); // the cells of each layer are as many as go together
    const backend = nodeBackend({ threads: 1 });
    let alive = 0;
    const createSession: typeof backend.createSession = async (...made) => {
      const session = await backend.createSession(...made);
      alive++;
      const release = async () => {
        await session.release();
        alive--;
      };
      return { run: (...fed) => session.run(...fed), release };
    };
    const engine = new Engine({ ...backend, createSession });
    const model = new HookedTransformer(deep, initWeights(deep), { engine });
    const options = {
      ...{
        site: "resid_pre",
        over: ["layer", "pos"],
        edit: add(Tensor.leaf(ndarray("float32", [], Float32Array.of(1)))),
      },
      metric: (logits: Tensor) => logits.at({ pos: -1, d_vocab: 3 }).mean(),
    };
    const { plannedBytes } = await sweep(model, long, { ...options, layers: [0] });
    await engine.dispose();
    expect(alive).toBe(0);
    const { values } = await sweep(model, long, options);
    expect(alive).toBeGreaterThan(5);
    await engine.dispose();
    const found = await sweep(model, long, { ...options, memory: 1.2 * plannedBytes });
    expect(found.plannedBytes).toBeLessThanOrEqual(1.2 * plannedBytes);
    expect(alive).toBeLessThanOrEqual(3);
    expectClose(found.values, values, 1e-6);
    await engine.dispose();
  });

  test("of a head detector on many sequences", async () => {
    const sequences = Array.from({ length: 30 }, (_, i) => ids(16, i));
    const expected = await detectHead(whole, sequences, "previous_token_head");
    const small = within(900e3);
    const found = await detectHead(small, sequences, "previous_token_head");
    expectClose(found, expected, 1e-5);
    expect(small.engine.runs).toBeGreaterThan(1);
    await expect(small.forward(sequences)).rejects.toThrow(MemoryError);
    await small.engine.dispose();
  });
});

test("prompts beyond one batch are ablated in several, and the mean is still over all of them", async () => {
  // At this vocabulary a batch is so small that forty prompts are three batches.
  const wide = parseConfig({ ...cfgOf(), d_vocab: 300, d_vocab_out: 30_000 });
  const model = new HookedTransformer(wide, initWeights(wide), { engine: free });
  const prompts = Array.from({ length: 40 }, (_, i) => ids(10 + (i % 20), i));
  const { rows: components, clean } = await measureAblation(model, { prompts, over: "layers", by: "mean" });
  const lone = await Promise.all(prompts.map((prompt) => model.forward(prompt, { returnType: "loss" })));
  const predicted = prompts.map(({ length }) => length - 1);
  const all = predicted.reduce((a, b) => a + b);
  const expected = lone.reduce((sum, loss, i) => sum + (loss.item() * predicted[i]) / all, 0);
  expect(clean).toBeCloseTo(expected, 4);

  const outs = await Promise.all(
    prompts.map(async (prompt) => (await model.runWithCache(prompt, { namesFilter: ["blocks.1.hook_mlp_out"] }))[1]),
  );
  const mean = new Float32Array(16);
  const tokens = prompts.reduce((n, { length }) => n + length, 0);
  for (const cache of outs) {
    cache.get("blocks.1.hook_mlp_out").data.forEach((x: number, i: number) => {
      mean[i % 16] += x / tokens;
    });
  }
  const there = Tensor.leaf(ndarray("float32", [16], mean));
  const ablated = await Promise.all(
    prompts.map((prompt) =>
      model.runWithHooks(prompt, {
        returnType: "loss",
        fwdHooks: [["blocks.1.hook_mlp_out", (x) => x.mul(0).add(there)]],
      }),
    ),
  );
  const effect = ablated.reduce((sum, loss, i) => sum + (loss.item() * predicted[i]) / all, 0) - expected;
  expect(components.find(({ component }) => component === "L1 MLP")!.effect).toBeCloseTo(effect, 4);
});

function cfgOf() {
  return {
    ...{ n_layers: 2, d_model: 16, n_ctx: 32, d_head: 4, n_heads: 4, act_fn: "relu" },
    ...{ normalization_type: "LN", seed: 1 },
  };
}
