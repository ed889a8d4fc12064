/** Gradients at every hook point and of every weight, against PyTorch's through TransformerLens. */
import { beforeAll, describe, expect, test } from "vitest";
import { interpret } from "../../src/engine/reference.ts";
import { grad } from "../../src/graph/grad.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import type { HookedTransformer } from "../../src/node.ts";
import { expectClose, relativeError } from "../close.ts";
import { type Golden, golden, goldenModel, goldenNames } from "../goldens.ts";

/**
 * TransformerLens runs ln1 three times and keeps the last backward call: its gradient at `ln1.*` is the query's share.
 * The share is found by cutting the keys' and values' way: their inputs are other points, which stop the gradient.
 */
const isShare = (name: string) => /\.ln1\.hook_(normalized|scale)$/.test(name);

describe.each(goldenNames)("%s", (name) => {
  let g: Golden;
  let model: HookedTransformer;
  beforeAll(async () => {
    g = await golden(name);
    model = goldenModel(g);
  });

  test("the loss's gradient at every hook point", async () => {
    const [, cache] = await model.runWithCache(g.tokens, { inclBwd: true });
    const expected = g.under("cache_grad.");
    expect(expected.size).toBeGreaterThan(8);
    for (const [hook, value] of expected) {
      if (!isShare(hook)) expectClose(cache.get(`${hook}_grad`), value, 1e-3);
    }
  });

  test("the query's share of the gradient at ln1, which is what TransformerLens keeps", async () => {
    const stop = (x: Tensor) => x.mul(0);
    for (const [hook, value] of g.under("cache_grad.")) {
      if (!isShare(hook)) continue;
      const block = hook.replace(/ln1\..*/, "");
      const [, cache] = await model.runWithCache(g.tokens, {
        inclBwd: true,
        namesFilter: [hook],
        bwdHooks: [
          [`${block}attn.hook_k`, stop],
          [`${block}attn.hook_v`, stop],
        ],
      });
      expectClose(cache.get(`${hook}_grad`), value, 1e-3);
    }
  });

  test("the loss's gradient of every weight", async () => {
    const loss = model.graph(g.tokens).loss();
    const expected = [...g.under("weight_grad.")];
    expect(expected.length).toBeGreaterThan(10);
    const wrt = expected.map(([weight]) => model.weights.get(weight));
    const found = await model.compute(grad(loss, wrt));
    // A key's bias changes all scores of a row alike, so the loss does not depend on it: what is there is rounding.
    const largest = Math.max(...expected.flatMap(([, v]) => Array.from(v.data as Float32Array, Math.abs)));
    for (const [i, [weight, value]] of expected.entries()) {
      if (weight.endsWith("attn.b_K")) {
        for (const x of found[i].data) expect(Math.abs(x)).toBeLessThan(1e-4 * largest);
      } else expectClose(found[i], value, 1e-3);
    }
  });
});

describe("a gradient", () => {
  let g: Golden;
  let model: HookedTransformer;
  beforeAll(async () => {
    g = await golden("gelu_2l");
    model = goldenModel(g);
  });
  const mid = "blocks.1.hook_resid_mid";

  test("can be of another metric than the loss", async () => {
    const metric = (logits: Tensor) => logits.at({ pos: -1, d_vocab: 5 }).sum();
    const [, cache] = await model.runWithCache(g.tokens, { inclBwd: true, metric, namesFilter: mid });
    const graph = model.graph(g.tokens);
    const [expected] = interpret(grad(metric(graph.output), [graph.at(mid)]));
    expectClose(cache.get(`${mid}_grad`), expected, 1e-4);
    expect(cache.get(`${mid}_grad`).get(0, 3, 3)).toBe(0);
  });

  test("of a metric that is not one number is refused", async () => {
    const wrong = model.runWithCache(g.tokens, { inclBwd: true, metric: (logits) => logits.at({ pos: -1 }) });
    await expect(wrong).rejects.toThrow(/single number.*batch 2, d_vocab 97/);
  });

  test("changed by a hook goes on backwards as changed", async () => {
    const [, plain] = await model.runWithCache(g.tokens, { inclBwd: true });
    const [, doubled] = await model.runWithCache(g.tokens, { inclBwd: true, bwdHooks: [[mid, (x) => x.mul(2)]] });
    const before = "blocks.0.hook_resid_mid_grad";
    const twice = await plain.get(before).mul(2).compute();
    expectClose(doubled.get(before), twice, 1e-5);
    expectClose(doubled.get("blocks.1.hook_resid_post_grad"), plain.get("blocks.1.hook_resid_post_grad"), 1e-6);
  });

  test("sees what forward hooks changed", async () => {
    const [, cache] = await model.runWithCache(g.tokens, { inclBwd: true, fwdHooks: [[mid, (x) => x.mul(0).add(1)]] });
    expect(Math.max(...Array.from(cache.get("blocks.0.hook_resid_mid_grad").data, Math.abs))).toBe(0);
  });

  test("at a point that TransformerLens hides behind flags is there when asked for", async () => {
    const name = "blocks.1.attn.hook_result";
    const [, cache] = await model.runWithCache(g.tokens, {
      inclBwd: true,
      namesFilter: [name, "blocks.1.hook_attn_out"],
    });
    const whole = cache.get("blocks.1.hook_attn_out_grad");
    for (let h = 0; h < 4; h++) {
      const head = await cache.get(`${name}_grad`).at({ head: h }).compute();
      expect(relativeError(head, whole)).toBeLessThan(1e-4);
    }
  });

  test("of a value that the metric does not depend on is refused, by name", async () => {
    const wrong = model.runWithCache(g.tokens, {
      inclBwd: true,
      namesFilter: mid,
      metric: () => Tensor.leaf({ dtype: "float32", shape: [], data: Float32Array.of(1) }),
    });
    await expect(wrong).rejects.toThrow(/does not depend on "blocks.1.hook_resid_mid"/);
  });
});
