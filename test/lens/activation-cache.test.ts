/** Decompositions of the residual stream: each sums to what it decomposes, on every configuration. */

import { beforeAll, describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { grad } from "../../src/graph/rewrite/grad.ts";
import { topological } from "../../src/graph/walk.ts";
import { ActivationCache } from "../../src/lens/activation-cache.ts";
import { components } from "../../src/lens/components.ts";
import { asAdded } from "../../src/lens/output-norm.ts";
import type { ResidualStack } from "../../src/lens/residual-stack.ts";
import { logitsOf } from "../../src/measures/unembed.ts";
import { compose } from "../../src/models/compose.ts";
import { parseConfig } from "../../src/models/config/parse.ts";
import { softCap } from "../../src/models/parts/soft-cap.ts";
import { ArgumentError, HookedTransformer, ShapeError, Tensor, UnknownNameError } from "../../src/node.ts";
import { expectClose } from "../close.ts";
import { type Golden, golden, goldenModel, goldenNames } from "../goldens.ts";

const finalRms = "solu_ln_2l with a last RMSNorm";

async function load(name: string): Promise<{ g: Golden; model: HookedTransformer }> {
  if (name !== finalRms) {
    const g = await golden(name);
    return { g, model: goldenModel(g) };
  }
  const g = await golden("solu_ln_2l");
  const weights = g.under("weights.");
  weights.delete("ln_final.b");
  return { g, model: new HookedTransformer(parseConfig({ ...g.info.config, final_rms: true }), weights) };
}

/** Whose MLPs are mixtures of experts, so that positions do not share neurons. */
const experts = ["mixtral_2l"];

describe.each([...goldenNames, finalRms])("%s", (name) => {
  let model: HookedTransformer;
  let cache: ActivationCache;
  let logits: Tensor;
  let layers: number;
  beforeAll(async () => {
    const loaded = await load(name);
    model = loaded.model;
    layers = model.cfg.nLayers;
    [logits, cache] = await model.runWithCache(loaded.g.tokens);
  });

  const hasExperts = experts.includes(name);
  /** Into neurons where there are any. */
  const full = (options: Parameters<typeof cache.getFullResidDecomposition>[0] = {}) =>
    cache.getFullResidDecomposition(hasExperts ? { ...options, expandNeurons: false } : options);

  const streamBefore = (layer: number) =>
    cache.get(layer === layers ? `blocks.${layers - 1}.hook_resid_post` : `blocks.${layer}.hook_resid_pre`);

  /** The stack's sum, computed both ways, is the given value. */
  async function expectSum(stack: ResidualStack, value: Tensor) {
    const [sum, whole] = await model.compute([stack.sum(), stack.stack.sum("component")]);
    expectClose(sum, value, 2e-5);
    expectClose(whole, value, 2e-5);
    expect(stack.stack.shape[0]).toBe(stack.labels.length);
    expect(new Set(stack.labels).size).toBe(stack.labels.length);
  }

  test("every decomposition sums to the residual stream before each layer", async () => {
    for (let layer = 0; layer <= layers; layer++) {
      await expectSum(cache.decomposeResid({ layer }), streamBefore(layer));
      await expectSum(cache.stackHeadResults({ layer, inclRemainder: true }), streamBefore(layer));
      await expectSum(full({ layer }), streamBefore(layer));
      await expectSum(cache.getFullResidDecomposition({ layer, expandNeurons: false }), streamBefore(layer));
      if (!model.cfg.attnOnly && !hasExperts)
        await expectSum(cache.stackNeuronResults({ layer, inclRemainder: true }), streamBefore(layer));
    }
  });

  test("every decomposition sums to the residual stream before each MLP, or says that there is none", async () => {
    for (let layer = 0; layer < layers; layer++) {
      const options = { layer, mlpInput: true };
      if (model.cfg.attnOnly) {
        expect(() => cache.decomposeResid(options)).toThrow("it has no MLPs");
        expect(() => cache.accumulatedResid(options)).toThrow(ArgumentError);
        expect(() => cache.stackNeuronResults()).toThrow("attention-only");
        continue;
      }
      if (model.cfg.parallelAttnMlp) {
        expect(() => cache.decomposeResid(options)).toThrow("attention and MLP read the same stream");
        continue;
      }
      const mid = cache.get(`blocks.${layer}.hook_resid_mid`);
      await expectSum(cache.decomposeResid(options), mid);
      await expectSum(full(options), mid);
      expect(cache.accumulatedResid(options).labels.at(-1)).toBe(`${layer}_mid`);
    }
  });

  test("attention and MLPs add up to the whole, with the embeddings as the rest", async () => {
    const [attn, mlp, all] = await model.compute([
      cache.decomposeResid({ mode: "attn", inclEmbeds: false }).sum(),
      model.cfg.attnOnly ? streamBefore(0).mul(0) : cache.decomposeResid({ mode: "mlp", inclEmbeds: false }).sum(),
      cache.decomposeResid({ inclEmbeds: false }).sum(),
    ]);
    expectClose(await attn.add(mlp).compute(), all, 1e-5);
    expectClose(await all.add(streamBefore(0)).compute(), streamBefore(layers), 1e-5);
  });

  test("the components of a norm's input sum to the norm's result, without its bias", async () => {
    for (let layer = 0; layer <= layers; layer++) {
      const where = layer === layers ? "ln_final" : `blocks.${layer}.ln1`;
      const stack = cache.decomposeResid({ layer, applyLn: true });
      if (!model.cfg.normalizationType) {
        await expectSum(stack, streamBefore(layer));
        continue;
      }
      const normalized = cache.get(`${where}.hook_normalized`);
      const [w, b] = [model.weights.find(`${where}.w`), model.weights.find(`${where}.b`)];
      const withWeight = w && !b ? normalized.mul(w) : normalized; // an RMSNorm's weight comes after its hook point
      const expected = await (b ? withWeight.sub(b) : withWeight).compute();
      await expectSum(stack, expected);
      await expectSum(cache.applyLnToStack(full({ layer }), { layer }), expected);
    }
  });

  test("the last accumulated stream gives the logits", async () => {
    const last = cache.accumulatedResid({ applyLn: true }).get("final_post");
    expectClose(await logitsOf(model, last).compute(), logits, 1e-4);
  });

  test("attributions to a token sum to its logit, except for biases and before any cap", async () => {
    const token = 5;
    const capped = (x: Tensor) => softCap(x, compose(model.cfg).logitsCap);
    const logit = await logits.at({ d_vocab: token }).compute();
    const constant = await model.b_U
      .at({ d_vocab: token })
      .add(
        name === finalRms
          ? 0
          : (model.weights
              .find("ln_final.b")
              ?.mul(model.W_U.at({ d_vocab: token }))
              .sum() ?? 0),
      )
      .compute();
    for (const stack of [
      cache.decomposeResid(),
      cache.stackHeadResults({ inclRemainder: true }),
      full(),
      cache.decomposeResid({ applyLn: true }),
    ]) {
      const attrs = cache.logitAttrs(stack, token);
      expect(attrs.axes).toEqual(["component", "batch", "pos"]);
      expectClose(await capped(attrs.sum("component").add(constant)).compute(), logit, 1e-4);
    }
  });

  test("attributions through the direction equal those of the components themselves", async () => {
    const tokens = [3, 7];
    const incorrectTokens = [4, 9];
    const direction = (
      await model.tokensToResidualDirections(tokens).sub(model.tokensToResidualDirections(incorrectTokens)).compute()
    ).rename(["batch", "d_model"]);
    for (const stack of [
      cache.stackHeadResults({ inclRemainder: true }),
      full(),
      ...(model.cfg.attnOnly || hasExperts
        ? []
        : [cache.stackNeuronResults({ neuronSlice: [1, 5, 3], inclRemainder: true })]),
    ]) {
      const plain = cache.applyLnToStack(stack).stack.mul(direction.unsqueeze(1)).sum(-1);
      const attrs = cache.logitAttrs(stack, tokens, { incorrectTokens });
      const [expected, found] = await model.compute([plain, attrs]);
      expectClose(found, expected, 1e-4);
    }
  });

  test("heads' and neurons' results are what the stacks hold", async () => {
    const results = cache.computeHeadResults();
    const [, captured] = await model.runWithCache((await load(name)).g.tokens, {
      namesFilter: (n) => n.endsWith("hook_result"),
    });
    const stack = await cache.stackHeadResults().compute();
    for (let layer = 0; layer < layers; layer++) {
      const result = await results.get(["result", layer]).compute();
      expectClose(result, captured.get(["result", layer]), 1e-5);
      for (const head of [0, model.cfg.nHeads - 1]) {
        const { norm } = components(model).additions.find((one) => one.kind === "attention" && one.layer === layer)!
          .output!;
        const added = asAdded(result.at({ head }), norm, model.weights, (scale) => cache.get(scale));
        expectClose(stack.row(layer * model.cfg.nHeads + head), await added.compute(), 1e-5);
        expectClose(
          await cache.stackHeadResults().get(`L${layer}H${head}`).compute(),
          stack.row(layer * model.cfg.nHeads + head),
          1e-5,
        );
      }
    }
    expectClose(await results.stackHeadResults().compute(), stack, 1e-5);
    if (model.cfg.attnOnly || hasExperts) return;
    const neurons = await cache.getNeuronResults(0, { neuronSlice: [2, -1], posSlice: 4 }).compute();
    expect(neurons.axes).toEqual(["batch", "d_mlp", "d_model"]);
    const both = await cache.stackNeuronResults({ layer: 1, posSlice: 4, neuronSlice: [2, -1] }).compute();
    expectClose(both.row(1), await neurons.at({ d_mlp: 1 }).compute(), 1e-6);
  });
});

test.each(experts)("what needs neurons says of %s where each expert has its own", async (name) => {
  const { g, model } = await load(name);
  const [, cache] = await model.runWithCache(g.tokens);
  for (const ask of [
    () => cache.stackNeuronResults(),
    () => cache.getNeuronResults(1),
    () => cache.getFullResidDecomposition(),
  ]) {
    expect(ask).toThrow(ArgumentError);
    expect(ask).toThrow(/mixture of experts.*blocks\.[01]\.mlp\.experts\.0\.hook_post/);
  }
});

describe("a cache of solu_ln_2l", () => {
  let g: Golden;
  let model: HookedTransformer;
  let engine: Engine;
  let cache: ActivationCache;
  beforeAll(async () => {
    g = await golden("solu_ln_2l");
    engine = new Engine(nodeBackend({ threads: 1 }));
    model = new HookedTransformer(parseConfig(g.info.config), g.under("weights."), { engine });
    [, cache] = await model.runWithCache(g.tokens);
  });

  test("slices of prompts and positions agree with the whole", async () => {
    const whole = await cache.logitAttrs(cache.getFullResidDecomposition(), 3).compute();
    const cut = (batch: number, pos: number) => whole.at({ batch, pos }).compute();
    const bySlice = cache.logitAttrs(cache.getFullResidDecomposition({ posSlice: -1 }), 3, { batchSlice: 1 });
    expectClose(await bySlice.compute(), await cut(1, -1), 1e-5);
    const after = cache.logitAttrs(cache.getFullResidDecomposition(), 3, { batchSlice: 0, posSlice: 2 });
    expectClose(await after.compute(), await cut(0, 2), 1e-5);
    const ofCache = cache.at({ batch: 1, pos: 5 });
    expectClose(await ofCache.logitAttrs(ofCache.getFullResidDecomposition(), 3).compute(), await cut(1, 5), 1e-5);
    const kept = cache.getFullResidDecomposition({ posSlice: { start: -3 } }).at({ batch: [1] });
    expect(kept.stack.shape).toEqual([kept.length, 1, 3, 32]);
    const [some] = await model.compute([kept.logitAttrs([[3, 3, 3]])]);
    expectClose(some, await whole.at({ batch: [1], pos: [-3, -2, -1] }).compute(), 1e-5);
  });

  test("a plain tensor is also a stack, whole or already cut", async () => {
    const whole = await cache.stackHeadResults().compute();
    const expected = await cache.logitAttrs(cache.stackHeadResults({ posSlice: -1 }), [3, 4]).compute();
    const cut = await whole.at({ pos: -1 }).compute();
    expectClose(await cache.logitAttrs(cut, [3, 4], { posSlice: -1 }).compute(), expected, 1e-5);
    expectClose(await cache.logitAttrs(whole, [3, 4], { posSlice: -1 }).compute(), expected, 1e-5);
    const unnamed = Tensor.leaf(whole.array!);
    expectClose(await cache.logitAttrs(unnamed, [3, 4], { posSlice: -1 }).compute(), expected, 1e-5);
    expect(() => cache.logitAttrs(cut.at({ batch: 0 }), 3)).toThrow(ShapeError);
    const normalized = await cache.applyLnToStack(whole, { layer: 1, mlpInput: true }).compute();
    expectClose(
      normalized,
      await cache.applyLnToStack(cache.stackHeadResults(), { layer: 1, mlpInput: true }).compute(),
      1e-5,
    );
  });

  test("tokens by id, by prompt, and by prompt and position agree", async () => {
    const stack = cache.stackHeadResults();
    const one = await cache.logitAttrs(stack, 7).compute();
    expectClose(await cache.logitAttrs(stack, [7, 7]).compute(), one, 1e-5);
    const every = Array.from({ length: 2 }, () => new Array<number>(12).fill(7));
    expectClose(await cache.logitAttrs(stack, every).compute(), one, 1e-5);
    const other = await cache.logitAttrs(stack, [7, 8]).compute();
    expectClose(await other.at({ batch: 0 }).compute(), await one.at({ batch: 0 }).compute(), 1e-5);
    const eight = await cache.logitAttrs(stack, 8).compute();
    expectClose(await other.at({ batch: 1 }).compute(), await eight.at({ batch: 1 }).compute(), 1e-5);
    const difference = await cache.logitAttrs(stack, 7, { incorrectTokens: 8 }).compute();
    expectClose(difference, await one.sub(eight).compute(), 1e-4);
  });

  test("a word stands for its token", async () => {
    const novels = await HookedTransformer.fromPretrained("solu-1l-novels");
    const [, read] = await novels.runWithCache("She went to the");
    const stack = read.decomposeResid({ posSlice: -1 });
    const id = novels.toSingleToken(" house");
    const [byWord, byId, each] = await novels.compute([
      read.logitAttrs(stack, " house"),
      read.logitAttrs(stack, id),
      read.logitAttrs(stack, [" house"]),
    ]);
    expectClose(byWord, byId, 0);
    expectClose(each, byId, 1e-6);
    expectClose(
      await novels.tokensToResidualDirections(" house").compute(),
      await novels.W_U.at({ d_vocab: id }).compute(),
      0,
    );
  });

  test("tokens that do not fit any axis are refused, and the error says why", () => {
    const stack = cache.stackHeadResults();
    expect(() => cache.logitAttrs(stack, [1, 2, 3])).toThrow(
      "tokens have 3 entries for axis batch, but the stack has 2",
    );
    expect(() => cache.logitAttrs(stack, 97)).toThrow("outside the vocabulary of 97");
    expect(() => cache.logitAttrs(stack, "word")).toThrow("no tokenizer");
    expect(() => cache.logitAttrs(stack, [1, 2], { incorrectTokens: [[1, 2]] })).toThrow(ShapeError);
  });

  test("attributions of all heads do not compute components on the way", () => {
    const attrs = cache.logitAttrs(cache.stackHeadResults({ inclRemainder: true }), [3, 4]);
    const wide = topological([attrs]).filter(
      (t) => t.axes.includes("component") && t.axes.includes("d_model") && t.shape[0] > 1,
    );
    expect(wide).toEqual([]);
  });

  test("nothing is computed until it is asked for, and several values are one run", async () => {
    const runs = engine.runs;
    const stacks = [cache.decomposeResid(), cache.stackHeadResults(), cache.accumulatedResid({ applyLn: true })];
    expect(engine.runs).toBe(runs);
    await model.compute(stacks.map((stack) => stack.stack));
    expect(engine.runs).toBe(runs + 1);
  });

  test("values that are still to be computed are taken apart in the same run", async () => {
    const graph = model.graph(g.tokens);
    const coming = new ActivationCache(new Map(model.hookNames.map((name) => [name, graph.at(name)])), model);
    const runs = engine.runs;
    const [attrs] = await model.compute([coming.logitAttrs(coming.stackHeadResults({ posSlice: -1 }), 3)]);
    expect(engine.runs).toBe(runs + 1);
    expectClose(attrs, await cache.logitAttrs(cache.stackHeadResults({ posSlice: -1 }), 3).compute(), 1e-4);
  });

  test("a hook that widens the batch widens what comes after it, and the sums hold", async () => {
    const one = g.tokens.row(0).data;
    const [, swept] = await model.runWithCache([[...one]], {
      fwdHooks: [["blocks.0.mlp.hook_post", (x) => x.expandLike(x.mul(0).concat(x, 0).concat(x.mul(2), 0))]],
    });
    expect(swept.get("blocks.0.hook_resid_mid").shape[0]).toBe(1);
    const end = swept.get("blocks.1.hook_resid_post");
    expect(end.shape[0]).toBe(3);
    for (const stack of [
      swept.decomposeResid(),
      swept.getFullResidDecomposition(),
      swept.stackHeadResults({ inclRemainder: true }),
    ]) {
      const [sum, attrs] = await model.compute([stack.stack.sum("component"), swept.logitAttrs(stack, 3)]);
      expectClose(sum, end, 1e-5);
      expect(attrs.shape).toEqual([stack.length, 3, 12]);
    }
  });

  test("a later run or hook leaves a cache as it was", async () => {
    const name = "blocks.0.mlp.hook_post";
    const before = cache.get(name).data.slice();
    const hidden = cache.get(name);
    await model.runWithHooks(g.tokens, { fwdHooks: [[name, (x) => x.set({ pos: 3 }, 0).add(hidden)]] });
    const stack = await cache.stackNeuronResults({ layer: 1 }).compute();
    stack.data.fill(0);
    expect(cache.get(name).data).toEqual(before);
    expect(cache.get(name)).toBe(hidden);
  });

  test("a cache of some hook points says what is missing and how to get it", async () => {
    const [, some] = await model.runWithCache(g.tokens, { namesFilter: ["blocks.0.attn.hook_z", "hook_embed"] });
    expect(some.stackHeadResults({ layer: 1 }).labels).toEqual(["L0H0", "L0H1", "L0H2", "L0H3"]);
    expect(() => some.stackHeadResults()).toThrow(
      '"blocks.1.attn.hook_z", which this cache does not hold: name them in namesFilter too',
    );
    expect(() => some.decomposeResid()).toThrow(ArgumentError);
    expect(() => some.stackHeadResults({ layer: 1, applyLn: true })).toThrow('"blocks.1.ln1.hook_scale"');
    expect(() => some.logitAttrs(some.stackHeadResults({ layer: 1 }), 3)).toThrow('"ln_final.hook_scale"');
    expect(() => some.get("pattern0")).toThrow("name it in namesFilter");
    expect(() => some.get("blocks.0.attn.hook_y")).toThrow(UnknownNameError);
  });

  test("layers, labels and slices that do not exist are refused", () => {
    expect(() => cache.decomposeResid({ layer: 3 })).toThrow("from 0 to 2");
    expect(() => cache.decomposeResid({ layer: -2 })).toThrow(ArgumentError);
    expect(() => cache.decomposeResid({ mlpInput: true })).toThrow("With mlpInput the layer must be from 0 to 1");
    expect(() => cache.stackHeadResults({ layer: 0 })).toThrow("no layer before layer 0");
    expect(() => cache.decomposeResid().get("0_atn_out")).toThrow('Did you mean "0_attn_out"?');
    expect(() => cache.decomposeResid({ posSlice: 12 })).toThrow(ShapeError);
    expect(() => cache.decomposeResid({ posSlice: { start: 5, end: 5 } })).toThrow("selects nothing");
    expect(() => cache.at({ batch: 0 }).applySliceToBatchDim(0)).toThrow("no axis batch");
    const normalized = cache.decomposeResid({ applyLn: true });
    expect(() => cache.applyLnToStack(normalized)).toThrow("already been normalized by ln_final");
    const inner = cache.decomposeResid({ layer: 1, applyLn: true });
    expect(() => cache.logitAttrs(inner, 3)).toThrow("normalized by blocks.1.ln1");
    expect(() => cache.applyLnToStack(cache.decomposeResid(), { layer: 1, recomputeLn: true })).toThrow(ArgumentError);
    expect(cache.decomposeResid({ layer: -1 }).labels).toEqual(cache.decomposeResid().labels);
  });

  test("one value of every layer", async () => {
    const z = cache.stackActivation("z");
    expect(z.axes).toEqual(["layer", "batch", "pos", "head", "d_head"]);
    expectClose((await z.compute()).row(1), cache.get("z1"), 0);
    const normalized = await cache.stackActivation("normalized", { layer: 1, sublayerType: "ln2" }).compute();
    expectClose(normalized.row(0), cache.get(["normalized", 0, "ln2"]), 0);
    expect(() => cache.stackActivation("zz")).toThrow(UnknownNameError);
  });

  test("a cache without its batch axis works like the others", async () => {
    const [, single] = await model.runWithCache([...g.tokens.row(0).data], { removeBatchDim: true });
    expect(single.get("hook_embed").axes).toEqual(["pos", "d_model"]);
    const stack = single.getFullResidDecomposition();
    expect(stack.stack.axes).toEqual(["component", "pos", "d_model"]);
    const first = cache.at({ batch: 0 });
    expect(first.get("pattern0").axes).toEqual(["head", "query", "key"]);
    expectClose(first.get(["resid_pre", -1]), single.get(["resid_pre", 1]), 1e-5);
    const perPosition = Array.from({ length: 12 }, (_, i) => i);
    const [found, expected] = await model.compute([
      single.logitAttrs(stack, perPosition),
      cache.logitAttrs(cache.getFullResidDecomposition(), [perPosition, perPosition]).at({ batch: 0 }),
    ]);
    expectClose(found, expected, 1e-4);
    expect(() => cache.removeBatchDim()).toThrow("needs a batch of one");
    expect([...single].map(([name]) => name)).toEqual(single.keys());
  });

  test("attributions can be differentiated", async () => {
    const z = cache.get("blocks.1.attn.hook_z");
    const [g0] = await model.compute(grad(cache.logitAttrs(cache.stackHeadResults(), 3).sum(), [z]));
    expect(g0.shape).toEqual(z.shape);
    expect(Math.max(...g0.data)).toBeGreaterThan(0);
  });
});
