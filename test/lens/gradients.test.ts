/** Gradients at every hook point and of every weight, against PyTorch's through TransformerLens. */
import { beforeAll, describe, expect, test } from "vitest";
import { interpret } from "../../src/engine/reference.ts";
import { grad } from "../../src/graph/rewrite/grad.ts";
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
      if (!isShare(hook)) expectClose(cache.get(`${hook}_grad`), value, 1e-4);
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
      expectClose(cache.get(`${hook}_grad`), value, 1e-4);
    }
  });

  test("the loss's gradient of every weight", async () => {
    const loss = model.graph(g.tokens).loss();
    const expected = [...g.under("weight_grad.")];
    expect(expected.length).toBeGreaterThan(10);
    const wrt = expected.map(([weight]) => model.weights.get(weight));
    const found = await model.compute(grad(loss, wrt));
    // A key's bias changes all scores of a row alike, unless keys are turned, so the loss does not depend on it: what is
    // there is rounding.
    const turned = model.cfg.positionalEmbeddingType === "rotary";
    const largest = Math.max(...expected.flatMap(([, v]) => Array.from(v.data as Float32Array, Math.abs)));
    for (const [i, [weight, value]] of expected.entries()) {
      if (!turned && weight.endsWith("attn.b_K")) {
        for (const x of found[i].data) expect(Math.abs(x)).toBeLessThan(1e-4 * largest);
      } else expectClose(found[i], value, 1e-4);
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

  test("can be taken of a metric other than the loss", async () => {
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

  test("sees what forward hooks changed", async () => {
    const [, cache] = await model.runWithCache(g.tokens, { inclBwd: true, fwdHooks: [[mid, (x) => x.mul(0).add(1)]] });
    expect(Math.max(...Array.from(cache.get("blocks.0.hook_resid_mid_grad").data, Math.abs))).toBe(0);
  });

  test("at a point that TransformerLens hides behind flags exists on request", async () => {
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

  test("of a value that the metric does not depend on is refused, by name, unless zeros are asked for", async () => {
    const constant = Tensor.leaf({ dtype: "float32", shape: [], data: Float32Array.of(1) });
    const ask = { inclBwd: true, namesFilter: mid, metric: () => constant } as const;
    await expect(model.runWithCache(g.tokens, ask)).rejects.toThrow(
      /does not depend on "blocks.1.hook_resid_mid".*unused: "zero"/,
    );
    const [, cache] = await model.runWithCache(g.tokens, { ...ask, unused: "zero" });
    expect(new Set(cache.get(`${mid}_grad`).data)).toEqual(new Set([0]));
  });
});

describe("a hook on a gradient", () => {
  let g: Golden;
  let model: HookedTransformer;
  beforeAll(async () => {
    g = await golden("gelu_2l");
    model = goldenModel(g);
  });
  const [late, early] = ["blocks.1.hook_resid_mid", "blocks.0.hook_resid_pre"];
  const filter = { inclBwd: true, namesFilter: [early, late] } as const;
  const gradientsOf = async (of: HookedTransformer, options: object = {}) => {
    const [, cache] = await of.runWithCache(g.tokens, { ...filter, ...options });
    return { late: cache.get(`${late}_grad`), early: cache.get(`${early}_grad`) };
  };
  const doubled = (x: Tensor) => x.mul(2);

  test("gets the gradient's shape, its point's name and layer; its result is kept there and passed on", async () => {
    const plain = await gradientsOf(model);
    const calls: unknown[] = [];
    const hook = (x: Tensor, at: { name: string; layer: number | undefined }) => {
      calls.push([x.shape, x.axes, at.name, at.layer]);
      return x.mul(2);
    };
    const changed = await gradientsOf(model, { bwdHooks: [[late, hook]] });
    expect(calls).toEqual([[[2, 12, 32], ["batch", "pos", "d_model"], late, 1]]);
    expectClose(changed.late, await plain.late.mul(2).compute(), 1e-6);
    expectClose(changed.early, await plain.early.mul(2).compute(), 1e-5);
  });

  test("that cuts one way back leaves the others intact", async () => {
    const bwdHooks = [["blocks.1.hook_mlp_out", (x: Tensor) => x.mul(0)]];
    const [, cache] = await model.runWithCache(g.tokens, {
      inclBwd: true,
      namesFilter: [late, "blocks.1.hook_resid_post"],
      bwdHooks: bwdHooks as never,
    });
    expectClose(cache.get(`${late}_grad`), cache.get("blocks.1.hook_resid_post_grad"), 1e-6);
  });

  test("stays on the model with addHook, next to those on values, until resetHooks", async () => {
    const own = goldenModel(g);
    const plain = await gradientsOf(own);
    own.addHook(late, doubled, { dir: "bwd" });
    own.addPermaHook(late, doubled, { dir: "bwd" });
    expectClose(await own.forward(g.tokens), g.get("logits"), 1e-4);
    expectClose((await gradientsOf(own)).early, await plain.early.mul(4).compute(), 1e-5);
    own.resetHooks({ dir: "fwd", includingPermanent: true });
    expectClose((await gradientsOf(own)).early, await plain.early.mul(4).compute(), 1e-5);
    own.resetHooks();
    expectClose((await gradientsOf(own)).early, await plain.early.mul(2).compute(), 1e-5);
    own.removeHooks(late, { dir: "fwd", includingPermanent: true });
    expect(own.isHooked).toBe(true);
    own.removeHooks(late, { dir: "bwd", includingPermanent: true });
    expect(own.isHooked).toBe(false);
    expectClose((await gradientsOf(own)).early, plain.early, 1e-6);
    expect(() => own.addHook(late, doubled, { dir: "back" as never })).toThrow(/no hook direction "back".*"bwd"/);
    expect(() => own.resetHooks({ dir: "bwds" as never })).toThrow(/no hook direction "bwds".*"bwd"/);
  });

  test("belongs to the view that `hooks` returns, waits where a run does not reach it, and remembers in its context", async () => {
    const seen: unknown[] = [];
    const view = model.hooks({
      bwdHooks: [[late, (_x, { ctx }) => void seen.push((ctx.calls = ((ctx.calls as number) ?? 0) + 1))]],
    });
    await gradientsOf(view);
    await gradientsOf(view);
    await gradientsOf(model);
    expect(seen).toEqual([1, 2]);
    await view.runWithCache(g.tokens, {
      ...{ stopAtLayer: 1, inclBwd: true, namesFilter: early },
      metric: (resid) => resid.sum(),
    });
    expect(seen).toEqual([1, 2]);
  });

  test("is also called before what is kept", async () => {
    const seen: string[] = [];
    const bwdHooks = [[early, (_x: Tensor, { name }: { name: string }) => void seen.push(name)]];
    await model.runWithCache(g.tokens, { inclBwd: true, namesFilter: late, bwdHooks: bwdHooks as never });
    expect(seen).toEqual([early]);
  });

  test.each([
    [
      "of another shape",
      (x: Tensor) => x.slice("pos", 0, 3),
      /gradient at "blocks.1.hook_resid_mid" got.*pos 12.*pos 3/,
    ],
    ["with axes in front", (x: Tensor) => x.unsqueeze(0), /a gradient has its value's shape/],
    ["that is not a Tensor", () => 0, /returned 0: it must return a Tensor/],
    ["later", async (x: Tensor) => x, /is async/],
  ])("that returns a gradient %s is refused", async (_what, hook, told) => {
    await expect(gradientsOf(model, { bwdHooks: [[late, hook]] })).rejects.toThrow(told);
  });

  test("goes through a hook that awaits numbers: the run is not cut where gradients are wanted", async () => {
    const plain = await gradientsOf(model);
    let largest = 0;
    const awaiting = async (x: Tensor) => {
      largest = (await x.max().compute()).item();
      return x.mul(largest > 0 ? 1 : 0);
    };
    for (const at of ["blocks.0.hook_attn_out", "blocks.0.hook_resid_mid"]) {
      const found = await gradientsOf(model, { fwdHooks: [[at, awaiting]] });
      expect(largest).toBeCloseTo(Math.max(...g.get(`cache.${at}`).data), 3);
      expectClose(found.early, plain.early, 1e-5);
      expectClose(found.late, plain.late, 1e-5);
    }
  });

  test("at the points that a test accepts is called where a gradient is", async () => {
    const seen: string[] = [];
    const bwdHooks = [[() => true, (_x: Tensor, { name }: { name: string }) => void seen.push(name)]];
    await gradientsOf(model, { bwdHooks });
    expect(seen[0]).toBe("ln_final.hook_normalized");
    expect(seen.at(-1)).toMatch(/embed$/);
    expect(seen.length).toBeGreaterThan(40);
  });

  test("of a run that stops at a layer needs a metric, and a metric is a Tensor", async () => {
    const stopped = model.runWithCache(g.tokens, { inclBwd: true, stopAtLayer: 1 });
    await expect(stopped).rejects.toThrow(/stops at a layer has no loss.*pass a `metric`/);
    for (const [metric, told] of [
      [() => undefined, /metric is undefined, but must be a Tensor/],
      [() => 3, /metric is 3, but/],
    ] as const) {
      await expect(model.runWithCache(g.tokens, { inclBwd: true, metric: metric as never })).rejects.toThrow(told);
    }
  });

  test("that fails later fails only here", async () => {
    const fails = async () => {
      throw new Error("boom");
    };
    await expect(gradientsOf(model, { bwdHooks: [[late, fails]] })).rejects.toThrow(/is async/);
    await expect(model.runWithCache(g.tokens, { inclBwd: true, bwdHooks: {} as never })).rejects.toThrow(
      /Each hook must be a pair/,
    );
    const array = { dtype: "float32", shape: [2, 12, 32], data: new Float32Array(768) };
    await expect(gradientsOf(model, { bwdHooks: [[late, () => array]] })).rejects.toThrow(/it must return a Tensor/);
  });

  test("needs a run with gradients", async () => {
    const hooks = { bwdHooks: [[late, doubled]] } as never;
    await expect(model.runWithHooks(g.tokens, hooks)).rejects.toThrow(
      /this run has none: use runWithCache with inclBwd/,
    );
  });
});
