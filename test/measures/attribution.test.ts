/** Attribution by gradients against true patching, against finite differences in float64, and against hand computation. */

import { beforeAll, describe, expect, test } from "vitest";
import { interpret } from "../../src/engine/reference.ts";
import { tensor } from "../../src/graph/from-numbers.ts";
import { grad } from "../../src/graph/rewrite/grad.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { hears } from "../../src/lens/components.ts";
import type { Metric } from "../../src/lens/metric.ts";
import {
  type AttributionSite,
  attributionSites,
  measureAttributionPatching,
} from "../../src/measures/attribution-patching.ts";
import { edgeGraph, measureEdgeAttribution } from "../../src/measures/edge-attribution.ts";
import { measureGradientXActivation } from "../../src/measures/gradient-x-activation.ts";
import { gaussLegendre } from "../../src/measures/integrated-gradients/gauss-legendre.ts";
import { measureIntegratedGradients } from "../../src/measures/integrated-gradients.ts";
import { getActName } from "../../src/models/act-name.ts";
import type { HookedTransformer } from "../../src/node.ts";
import { expectClose } from "../close.ts";
import { type Golden, golden, goldenContrast, goldenModel, goldenNames } from "../goldens.ts";

function setup(g: Golden) {
  return { model: goldenModel(g), ...goldenContrast(g) };
}

/** A place of each site, which true patching changes alone. */
const places: Readonly<Record<AttributionSite, Readonly<Record<string, number>>>> = {
  resid_pre: { pos: 3 },
  resid_mid: { pos: 11 },
  attn_out: { pos: 11 },
  mlp_out: { pos: 11 },
  z: { pos: 11, head: 1 },
  q: { pos: 11, head: 0 },
  k: { pos: 4, head: 2 },
  v: { pos: 0, head: 3 },
  pattern: { head: 1, query: 11, key: 2 },
  post: { pos: 11, d_mlp: 5 },
};

describe.each(goldenNames)("attribution on %s", (name) => {
  let g: Golden;
  let model: HookedTransformer;
  beforeAll(async () => {
    g = await golden(name);
    model = goldenModel(g);
  });

  test("of patching is (clean - corrupted) times the gradient of a cached run, summed by hand", async () => {
    const { clean, corrupted, metric } = setup(g);
    const { effects, ...metrics } = await measureAttributionPatching(model, { corrupted, clean, metric });
    expect([...effects.keys()]).toEqual(attributionSites(model));
    const [, cleanCache] = await model.runWithCache(clean);
    const [logits, cache] = await model.runWithCache(corrupted, {
      inclBwd: true,
      metric: (x) => metric(x, undefined!),
    });
    expect(metrics.corrupted).toBeCloseTo((await metric(logits, undefined!).compute()).item(), 4);
    for (const site of ["resid_pre", "z", "pattern"] as const) {
      for (let layer = 0; layer < model.cfg.nLayers; layer++) {
        const [x, y, dy] = [
          cleanCache.get([site, layer]),
          cache.get([site, layer]),
          cache.get(`${getActName(site, layer)}_grad`),
        ];
        const effect = effects.get(site)!.row(layer);
        const last = site === "pattern" ? 1 : x.shape.at(-1)!;
        const expected = Array.from(effect.data, () => 0);
        x.data.forEach((value: number, i: number) => {
          expected[Math.floor(i / last)] += (value - y.data[i]) * dy.data[i];
        });
        expectClose(effect, { shape: effect.shape, data: expected }, 1e-4);
      }
    }
  });

  test("of edges is the slope of the metric along each edge, by differences in float64", async () => {
    const { clean, corrupted, metric } = setup(g);
    const { senders, receivers, scores } = await measureEdgeAttribution(model, { corrupted, clean, metric });
    expect(scores.axes).toEqual(["sender", "receiver"]);
    const [pure, dirty] = [edgeGraph(model, clean), edgeGraph(model, corrupted)];
    const number = metric(dirty.graph.output, dirty.graph);
    let edges = 0;
    for (const [s, sender] of senders.entries()) {
      for (const [r, receiver] of receivers.entries()) {
        if (!hears(receiver, sender)) expect(scores.get(s, r)).toBe(0);
        else if (++edges % 7 === 1) {
          const difference = pure.outputOf(sender).sub(dirty.outputOf(sender));
          const nudged = (size: number) =>
            dirty.graph
              .with([
                [
                  receiver.point,
                  (x) =>
                    receiver.head === undefined
                      ? x.add(difference.mul(size))
                      : x.set({ [x.axes.at(-2)!]: receiver.head }, x.add(difference.mul(size).unsqueeze(-2))),
                ],
              ])
              .follow(number);
          const [up, down] = interpret([nudged(2 ** -10), nudged(-(2 ** -10))]);
          const slope = (up.item() - down.item()) / 2 ** -9;
          const largest = Math.max(...Array.from(scores.data, Math.abs));
          expect(Math.abs(scores.get(s, r) - slope)).toBeLessThan(1e-4 * largest);
        }
      }
    }
    expect(edges).toBeGreaterThan(10);
  });

  test("of patching is true patching where clean and corrupted differ by little, in float64", async () => {
    const { corrupted, metric } = setup(g);
    const size = 2 ** -14;
    const direction = tensor(
      Float32Array.from({ length: 12 * model.cfg.dModel }, (_, i) => size * Math.sin(i + 1)),
      { shape: [1, 12, model.cfg.dModel] },
    );
    const graph = model.graph(corrupted);
    const near = graph.with([["hook_embed", (x) => x.add(direction)]]);
    const number = metric(graph.output, graph);
    const [, cleanCache] = await model.runWithCache(corrupted, { fwdHooks: [["hook_embed", (x) => x.add(direction)]] });
    const { effects } = await measureAttributionPatching(model, { corrupted, clean: cleanCache, metric });
    expect(effects.size).toBe(attributionSites(model).length);
    for (const [site, values] of effects) {
      const name = getActName(site, 0);
      const { head, ...rest } = places[site];
      const place = values.axes.includes("kv_head") ? { ...rest, kv_head: head % 2 } : places[site];
      const patched = graph.with([[name, (x) => x.set(place, near.at(name))]]);
      const [with_, without] = interpret([patched.follow(number), number]);
      const found = await values.row(0).at(place).compute();
      const largest = Math.max(...Array.from(values.data, Math.abs));
      expect(Math.abs(found.item() - (with_.item() - without.item()))).toBeLessThan(0.02 * largest);
    }
  });

  test("by gradient times activation sums to the slope of the metric as the site is scaled, in float64", async () => {
    const { clean, metric } = setup(g);
    const found = await measureGradientXActivation(model, { prompt: clean, metric, site: "blocks.0.attn.hook_z" });
    expect(found.attributions.axes).toEqual(["batch", "pos", "head", "d_head"]);
    const graph = model.graph(clean);
    const number = metric(graph.output, graph);
    const scaled = (by: number) => graph.with([["blocks.0.attn.hook_z", (x) => x.mul(by)]]).follow(number);
    const [up, down, at] = interpret([scaled(1 + 2 ** -10), scaled(1 - 2 ** -10), number]);
    const total = [...found.attributions.data].reduce((sum, x) => sum + x, 0);
    const slope = (up.item() - down.item()) / 2 ** -9;
    expect(Math.abs(total - slope)).toBeLessThan(1e-3 * Math.max(1, Math.abs(slope)));
    expect(found.metric).toBeCloseTo(at.item(), 3);
  });

  test("by integrated gradients is complete along a short path", async () => {
    const { clean, metric } = setup(g);
    const [, cache] = await model.runWithCache(clean, { namesFilter: ["hook_embed", "blocks.0.hook_attn_out"] });
    for (const site of ["hook_embed", "blocks.0.hook_attn_out"] as const) {
      const baseline = await cache.get(site).mul(0.9).compute();
      const found = await measureIntegratedGradients(model, { prompt: clean, metric, site, baseline });
      expect(found.attributions.axes).toEqual(["batch", "pos", "d_model"]);
      expect(Math.abs(found.completenessError)).toBeLessThan(1e-3 * Math.max(1, Math.abs(found.metric)));
    }
  });

  test("a Hessian-vector product through the whole model is the difference of gradients, in float64", async () => {
    const { clean, metric } = setup(g);
    const graph = model.graph(clean);
    const number = metric(graph.output, graph);
    const x = graph.at("hook_embed");
    const [slope] = grad(number, [x]);
    const direction = Tensor.leaf(
      {
        ...x,
        dtype: "float32",
        data: Float32Array.from({ length: 12 * model.cfg.dModel }, (_, i) => Math.sin(i + 1)),
      } as never,
      x.axes,
    );
    const [product] = grad(slope.mul(direction).sum(), [x]);
    const slopeAt = (size: number) => {
      const moved = graph.with([["hook_embed", (v) => v.add(direction.mul(size))]]);
      return grad(moved.follow(number), [moved.at("hook_embed")])[0];
    };
    const h = 2 ** -14;
    const [exact, up, down] = interpret([product, slopeAt(h), slopeAt(-h)]);
    const differences = up.data.map((value: number, i: number) => (value - down.data[i]) / (2 * h));
    expect(Math.max(...Array.from(exact.data, Math.abs))).toBeGreaterThan(0);
    expectClose(exact, { shape: exact.shape, data: differences }, 1e-4);
    // And by the engine that people use.
    const [float32] = await model.compute([product]);
    expectClose(float32, exact, 1e-3);
  });
});

describe("integrated gradients", () => {
  test("of a long path converge to completeness with more steps, all of them in one run", async () => {
    const { model, clean, metric } = setup(await golden("solu_ln_2l"));
    for (const baseline of ["zero", "mean"] as const) {
      const few = await measureIntegratedGradients(model, { prompt: clean, metric, baseline, steps: 16 });
      const before = model.engine.runs;
      const many = await measureIntegratedGradients(model, { prompt: clean, metric, baseline, steps: 400 });
      expect(model.engine.runs - before).toBe(1);
      expect(Math.abs(few.completenessError)).toBeGreaterThan(0.1);
      expect(Math.abs(many.completenessError)).toBeLessThan(1e-3);
      expect(many.metric).toBeCloseTo((await metric(await model.forward(clean), undefined!).compute()).item(), 3);
    }
  });

  test("start at the baseline: the metric there is that of the baseline instead of the site's value", async () => {
    const { model, clean, metric } = setup(await golden("gelu_2l"));
    const found = await measureIntegratedGradients(model, { prompt: clean, metric, steps: 1 });
    const zeroed = await model.runWithHooks(clean, { fwdHooks: [["hook_embed", (x) => x.mul(0)]] });
    expect(found.baseline).toBeCloseTo((await metric(zeroed, undefined!).compute()).item(), 4);
  });

  test("integrate polynomials exactly", () => {
    const { nodes, weights } = gaussLegendre(5);
    for (let power = 0; power < 10; power++) {
      const sum = nodes.reduce((total, x, i) => total + weights[i] * x ** power, 0);
      expect(sum).toBeCloseTo(1 / (power + 1), 12);
    }
    expect(gaussLegendre(1).nodes[0]).toBeCloseTo(0.5, 15);
  });

  test("without a step, or from a baseline of another shape, are refused", async () => {
    const { model, clean, metric } = setup(await golden("gelu_2l"));
    await expect(measureIntegratedGradients(model, { prompt: clean, metric, steps: 0 })).rejects.toThrow(
      /steps must be a whole number of at least 1, not 0/,
    );
    const baseline = tensor([1, 2, 3]);
    await expect(measureIntegratedGradients(model, { prompt: clean, metric, baseline })).rejects.toThrow(
      /broadcasts against it/,
    );
  });
});

describe("attention scores that are masked", () => {
  const site = "blocks.1.attn.hook_attn_scores";

  test("get nothing attributed, not even along a path, and the attributions are complete", async () => {
    const { model, clean, metric } = setup(await golden("gelu_2l"));
    const found = await measureGradientXActivation(model, { prompt: clean, metric, site });
    expect(found.attributions.get(0, 0, 3, 7)).toBe(0);
    expect(found.attributions.get(0, 0, 11, 2)).not.toBe(0);
    expect(Array.from(found.attributions.data).every(Number.isFinite)).toBe(true);
    for (const baseline of ["zero", "mean"] as const) {
      const path = await measureIntegratedGradients(model, { prompt: clean, metric, site, baseline, steps: 64 });
      expect(path.metric).toBeCloseTo(found.metric, 4);
      expect(Math.abs(path.completenessError)).toBeLessThan(0.02 * Math.abs(path.metric - path.baseline) + 1e-4);
    }
    // The mean score of a key is over the queries that see it: the path from there starts where a hook puts it.
    const [, cache] = await model.runWithCache(clean, { namesFilter: site });
    const scores = cache.get(site);
    const means = Float32Array.from(scores.data, (x, i) => {
      const [key, head] = [i % 12, Math.floor(i / 144)];
      if (x === Number.NEGATIVE_INFINITY) return x;
      const seen = Array.from({ length: 12 - key }, (_, n) => scores.get(0, head, key + n, key));
      return seen.reduce((sum, y) => sum + y, 0) / seen.length;
    });
    const logits = await model.runWithHooks(clean, {
      fwdHooks: [[site, () => tensor(means, { shape: scores.shape })]],
    });
    const path = await measureIntegratedGradients(model, { prompt: clean, metric, site, baseline: "mean", steps: 1 });
    const expected = await metric(logits, undefined!).compute();
    expect(path.baseline).toBeCloseTo(expected.item(), 4);
  });

  test("are the only infinities allowed: a path through a division by 0 is refused", async () => {
    const { model, clean, metric } = setup(await golden("gelu_2l"));
    const path = measureIntegratedGradients(model, { prompt: clean, metric, site: "blocks.1.ln1.hook_scale" });
    await expect(path).rejects.toThrow(
      /not a number somewhere on the way to "blocks.1.ln1.hook_scale".*another baseline/,
    );
    const unknown = measureIntegratedGradients(model, { prompt: clean, metric, baseline: "zeros" as never });
    await expect(unknown).rejects.toThrow(/no baseline "zeros"\. Did you mean "zero"/);
  });
});

describe("attribution", () => {
  let g: Golden;
  beforeAll(async () => {
    g = await golden("gelu_2l");
  });
  const constant: Metric = () => tensor(1);
  const wide: Metric = (logits) => logits.at({ pos: -1 });

  test("of all sites, and of all edges, is one run each", async () => {
    const { model, clean, corrupted, metric } = setup(g);
    await measureAttributionPatching(model, { corrupted, clean, metric });
    const before = model.engine.runs;
    await measureAttributionPatching(model, { corrupted, clean, metric });
    await measureEdgeAttribution(model, { corrupted, clean, metric });
    expect(model.engine.runs - before).toBe(2);
  });

  test("of several prompts is the sum of each one's", async () => {
    const { model, clean, corrupted } = setup(g);
    const total: Metric = (logits) => logits.at({ pos: -1, d_vocab: 7 }).sum();
    const both = await measureAttributionPatching(model, {
      corrupted: [[...corrupted.data], [...clean.data]],
      clean: [[...clean.data], [...corrupted.data]],
      metric: total,
    });
    const one = await measureAttributionPatching(model, { corrupted, clean, metric: total });
    const other = await measureAttributionPatching(model, { corrupted: clean, clean: corrupted, metric: total });
    const sum = await one.effects.get("z")!.add(other.effects.get("z")!).compute();
    expectClose(both.effects.get("z")!, sum, 1e-4);
  });

  test("of a metric that is not one number is refused", async () => {
    const { model, clean, corrupted } = setup(g);
    const message = /must be one number.*batch 1, d_vocab 97/;
    await expect(measureAttributionPatching(model, { corrupted, clean, metric: wide })).rejects.toThrow(message);
    await expect(measureEdgeAttribution(model, { corrupted, clean, metric: wide })).rejects.toThrow(message);
    await expect(measureIntegratedGradients(model, { prompt: clean, metric: wide })).rejects.toThrow(message);
    await expect(measureGradientXActivation(model, { prompt: clean, metric: wide })).rejects.toThrow(message);
  });

  test("of a metric that does not depend on the site is refused", async () => {
    const { model, clean, corrupted } = setup(g);
    const message = /does not depend on "/;
    await expect(measureAttributionPatching(model, { corrupted, clean, metric: constant })).rejects.toThrow(message);
    await expect(measureEdgeAttribution(model, { corrupted, clean, metric: constant })).rejects.toThrow(message);
    await expect(measureIntegratedGradients(model, { prompt: clean, metric: constant })).rejects.toThrow(message);
    await expect(measureGradientXActivation(model, { prompt: clean, metric: constant })).rejects.toThrow(message);
  });

  test("between prompts of different lengths is refused, whether as prompts or as a cache", async () => {
    const { model, clean, corrupted, metric } = setup(g);
    const message = /same number of tokens/;
    await expect(measureAttributionPatching(model, { corrupted: [1, 2, 3], clean, metric })).rejects.toThrow(message);
    await expect(measureEdgeAttribution(model, { corrupted: [1, 2, 3], clean, metric })).rejects.toThrow(message);
    const [, cache] = await model.runWithCache([1, 2, 3]);
    await expect(measureAttributionPatching(model, { corrupted, clean: cache, metric })).rejects.toThrow(message);
  });

  test("of a site that does not exist is refused with those that do", async () => {
    const { model, clean, corrupted, metric } = setup(await golden("attn_only_2l"));
    const asking = (site: string) =>
      measureAttributionPatching(model, { corrupted, clean, metric, sites: [site as "z"] });
    await expect(asking("post")).rejects.toThrow(/has no MLPs, so it has no "post"; its sites are resid_pre, attn_out/);
    await expect(asking("attnout")).rejects.toThrow(/no site "attnout". Did you mean "attn_out"/);
  });
});
