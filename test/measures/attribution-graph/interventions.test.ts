/** Features that are removed: by edges, in constrained runs, and in runs with hooks. */
import { describe, expect, test } from "vitest";
import { Tensor } from "../../../src/graph/tensor.ts";
import { measureAttributionGraph } from "../../../src/measures/attribution-graph.ts";
import type { HookedTransformer } from "../../../src/node.ts";
import { golden, goldenModel } from "../../goldens.ts";

/** The logits of a run without a neuron, with hooks, less the mean of all; patterns may stay. */
async function withoutNeuron(model: HookedTransformer, tokens: Tensor, at: Place | undefined, freezes: boolean) {
  const names = model.hookNames.filter((name) => name.endsWith("hook_pattern"));
  const [, cache] = await model.runWithCache(tokens);
  const patterns = names.map((name): [string, (x: Tensor) => Tensor] => [name, () => cache.get(name)]);
  const removal: [string, (x: Tensor) => Tensor][] = at
    ? [[`blocks.${at.layer}.mlp.hook_post`, (x) => x.set({ pos: at.pos, d_mlp: at.feature }, 0)]]
    : [];
  const logits = await model.runWithHooks(tokens, { fwdHooks: [...(freezes ? patterns : []), ...removal] });
  const last = Array.from(logits.row(0).row(tokens.shape[1] - 1).data, Number);
  const mean = last.reduce((sum, x) => sum + x, 0) / last.length;
  return last.map((x) => x - mean);
}

interface Place {
  readonly layer: number;
  readonly pos: number;
  readonly feature: number;
}

describe.each(["gelu_2l", "llama_gqa_2l", "gptj_2l"])("neurons of %s that are removed", (name) => {
  async function measured() {
    const g = await golden(name);
    const model = goldenModel(g);
    const ids = Array.from(g.tokens.row(0).data, Number).slice(0, 7);
    const measurement = await measureAttributionGraph(model, { prompt: ids, maxFeatureNodes: 40, interventions: 4 });
    const tokens = Tensor.leaf({ dtype: "int32", shape: [1, 7], data: Int32Array.from(ids) }, ["batch", "pos"]);
    return { model, tokens, ...measurement, removed: measurement.removed };
  }

  test("change the target as their edges say while everything else is held", async () => {
    const { removed } = await measured();
    expect(removed).toHaveLength(4);
    const largest = Math.max(...removed.map(({ predicted }) => Math.abs(predicted)));
    expect(largest).toBeGreaterThan(0.01);
    for (const { predicted, constrained } of removed)
      expect(Math.abs(constrained - predicted)).toBeLessThan(2e-5 * largest + 2e-5);
  });

  test("change it as in runs with hooks while patterns are held, and while nothing is", async () => {
    const { model, tokens, removed, graph } = await measured();
    const target = graph.nodes.find((node) => node.kind === "logit");
    const token = target?.kind === "logit" ? target.token : -1;
    for (const row of removed) {
      for (const [freezes, found] of [
        [true, row.frozenAttention],
        [false, row.free],
      ] as const) {
        const [before, after] = await Promise.all(
          [undefined, row].map((at) => withoutNeuron(model, tokens, at, freezes)),
        );
        expect(found).toBeCloseTo(after[token] - before[token], 4);
      }
    }
  });
});
