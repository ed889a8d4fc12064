/** Attribution at all layers within a budget: the numbers are those of one run, and no run takes more than a group of layers does. */

import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { peakBytes } from "../../src/engine/memory.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { HookedTransformer } from "../../src/lens/hooked-transformer.ts";
import type { Metric } from "../../src/lens/metric.ts";
import { measureAttributionPatching } from "../../src/measures/attribution-patching.ts";
import { measureEdgeAttribution } from "../../src/measures/edge-attribution.ts";
import { measurePathPatching } from "../../src/measures/path-patching.ts";
import { initWeights, parseConfig } from "../../src/node.ts";
import { expectClose } from "../close.ts";

const cfg = parseConfig({
  ...{ n_layers: 5, d_model: 16, n_ctx: 32, d_head: 4, n_heads: 4, d_vocab: 50, act_fn: "gelu" },
  ...{ normalization_type: "LN", seed: 1, init_mode: "gpt2", initializer_range: 0.4 },
});
const weights = initWeights(cfg);
const free = new Engine(nodeBackend({ threads: 1 }));
const whole = new HookedTransformer(cfg, weights, { engine: free });
afterAll(() => free.dispose());

const within = (memoryBytes: number) =>
  new HookedTransformer(cfg, weights, { engine: new Engine(nodeBackend({ threads: 1 }), { memoryBytes }) });
const prompt = (seed: number) => Array.from({ length: 24 }, (_, i) => 1 + (((seed + 1) * (i + 3) ** 2) % 49));
const [clean, corrupted] = [prompt(0), prompt(1)];
const last: Metric = (logits) => logits.at({ batch: 0, pos: -1, d_vocab: 5 });
/** One that reads inside the model, too, not by way of the last stream alone. */
const inside: Metric = (logits, graph) =>
  last(logits, graph)
    .add(graph.at("blocks.1.hook_mlp_out").at({ batch: 0, pos: 7, d_model: 3 }))
    .add(graph.at("blocks.3.attn.hook_pattern").at({ batch: 0, head: 2, query: 9, key: 4 }).mul(3));
const allPositions: Metric = (_, graph) => graph.loss();

function close(found: Tensor, expected: Tensor) {
  expect({ shape: found.shape, axes: found.axes, dtype: found.dtype }).toEqual({
    shape: expected.shape,
    axes: expected.axes,
    dtype: expected.dtype,
  });
  expectClose(found, expected, 1e-4);
}

describe.each([
  ["the last position", last],
  ["the last position and places inside", inside],
  ["all positions", allPositions],
] as const)("whatever the budget, for a metric of %s,", (_, metric) => {
  const budget = fc.integer({ min: 350e3, max: 4e6 });

  test("attribution patching equals that of one run", async () => {
    const expected = await measureAttributionPatching(whole, { corrupted, clean, metric });
    const [, cache] = await whole.runWithCache(clean);
    await fc.assert(
      fc.asyncProperty(budget, fc.boolean(), async (memoryBytes, cached) => {
        const small = within(memoryBytes);
        const found = await measureAttributionPatching(small, { corrupted, clean: cached ? cache : clean, metric });
        expect([...found.effects.keys()]).toEqual([...expected.effects.keys()]);
        for (const [site, effects] of found.effects) close(effects, expected.effects.get(site)!);
        expect(found.corrupted).toBeCloseTo(expected.corrupted, 4);
        if (cached) expect(found.clean).toBeUndefined();
        else expect(found.clean).toBeCloseTo(expected.clean!, 4);
        await small.engine.dispose();
      }),
      { numRuns: 4, examples: [[350e3, false]] },
    );
  });

  test("edge attribution equals that of one run", async () => {
    const expected = await measureEdgeAttribution(whole, { corrupted, clean, metric });
    await fc.assert(
      fc.asyncProperty(budget, async (memoryBytes) => {
        const small = within(memoryBytes);
        const found = await measureEdgeAttribution(small, { corrupted, clean, metric });
        close(found.scores, expected.scores);
        expect(found.senders).toEqual(expected.senders);
        expect(found.receivers).toEqual(expected.receivers);
        expect([found.clean, found.corrupted]).toEqual([
          expect.closeTo(expected.clean, 4),
          expect.closeTo(expected.corrupted, 4),
        ]);
        await small.engine.dispose();
      }),
      { numRuns: 3, examples: [[500e3]] },
    );
  });
});

test("for parallel blocks whose heads share their keys, layer by layer equals one run, too", async () => {
  const kind = parseConfig({
    ...{
      n_layers: 5,
      d_model: 16,
      n_ctx: 32,
      d_head: 4,
      n_heads: 4,
      n_key_value_heads: 2,
      d_vocab: 50,
      act_fn: "silu",
    },
    ...{ normalization_type: "RMS", positional_embedding_type: "rotary", gated_mlp: true, parallel_attn_mlp: true },
    ...{ seed: 1, init_mode: "gpt2", initializer_range: 0.4 },
  });
  const own = initWeights(kind);
  const [all, small] = [free, new Engine(nodeBackend({ threads: 1 }), { memoryBytes: 350e3 })].map(
    (engine) => new HookedTransformer(kind, own, { engine }),
  );
  const [expected, found] = [
    await measureAttributionPatching(all, { corrupted, clean, metric: allPositions }),
    await measureAttributionPatching(small, { corrupted, clean, metric: allPositions }),
  ];
  expect(found.effects.get("k")!.axes).toEqual(["layer", "pos", "kv_head"]);
  for (const [site, effects] of found.effects) close(effects, expected.effects.get(site)!);
  const edges = [
    await measureEdgeAttribution(all, { corrupted, clean, metric: allPositions }),
    await measureEdgeAttribution(small, { corrupted, clean, metric: allPositions }),
  ];
  close(edges[1].scores, edges[0].scores);
  await small.engine.dispose();
});

test("with little memory a few layers run at a time, with enough all layers in one run", async () => {
  const small = within(350e3);
  await measureAttributionPatching(small, { corrupted, clean, metric: last });
  expect(small.engine.runs).toBe(1 + Math.ceil(cfg.nLayers / 2));
  await small.engine.dispose();
  const large = within(100e6);
  await measureAttributionPatching(large, { corrupted, clean, metric: last });
  expect(large.engine.runs).toBe(1);
  await large.engine.dispose();
});

test("paths patched within a budget also keep sessions within it, and have the same numbers", async () => {
  const asked = {
    ...{ corrupted: clean, metric: last },
    senders: ["embed", "L0H1", "L1MLP", "L2H3"] as const,
    receivers: ["L1H0.q", "L2MLP", "L3H2.v", "L4H1.k", "logits"] as const,
  };
  const expected = await measurePathPatching(whole, { clean: corrupted, ...asked });
  const planned = peakBytes([whole.graph(clean).output]);
  const found = await measurePathPatching(whole, { clean: corrupted, ...asked, memory: 2 * planned });
  expectClose(found.values, expected.values, 1e-4);
});
