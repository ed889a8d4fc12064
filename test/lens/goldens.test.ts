/** Every number that TransformerLens 2.18 gives for the small models, to 1e-4 relative. */
import { beforeAll, describe, expect, test } from "vitest";
import { Tensor } from "../../src/graph/tensor.ts";
import { parseConfig } from "../../src/models/config/parse.ts";
import { centerRows } from "../../src/models/processing/center.ts";
import { processWeights } from "../../src/models/processing/process-weights.ts";
import { HookedTransformer } from "../../src/node.ts";
import { expectClose, relativeError } from "../close.ts";
import { type Golden, golden, goldenModel, goldenNames } from "../goldens.ts";

/** The flags that the golden was made with. */
function flagsOf({ info }: Golden) {
  return {
    foldLn: info.processing.fold_ln,
    centerWritingWeights: info.processing.center_writing_weights,
    centerUnembed: info.processing.center_unembed,
    foldValueBiases: info.processing.fold_value_biases,
  };
}

/** TransformerLens refactors nothing where positions turn queries and keys. */
const turned = ["neox_2l", "gptj_2l", "llama_gqa_2l", "llama3_ntk_2l", "qwen3_2l", "mixtral_2l", "gemma2_2l"];

/** Whether logits are softly capped. */
function isCapped({ info }: Golden): boolean {
  return info.config.output_logits_soft_cap > 0;
}

describe.each(goldenNames)("%s", (name) => {
  let g: Golden;
  let model: HookedTransformer;
  beforeAll(async () => {
    g = await golden(name);
    model = goldenModel(g);
  });

  test("logits", async () => {
    expectClose(await model.forward(g.tokens), g.get("logits"), 1e-4);
  });

  test("loss, mean and per token", async () => {
    const { logits, loss } = await model.forward(g.tokens, { returnType: "both" });
    expect(Math.abs(loss.item() / g.info.scalars.loss - 1)).toBeLessThan(1e-4);
    expectClose(logits, g.get("logits"), 1e-4);
    const perToken = await model.forward(g.tokens, { returnType: "loss", lossPerToken: true });
    expectClose(perToken, g.get("loss_per_token"), 1e-4);
  });

  test("every hook point, in TransformerLens' firing order and no more of them", async () => {
    const [, cache] = await model.runWithCache(g.tokens);
    const expected = g.under("cache.");
    expect([...cache.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [hook, value] of expected) expectClose(cache.get(hook), value, 1e-4);
  });

  test("the hook points that TransformerLens hides behind flags, on request", async () => {
    const expected = g.under("flagged.");
    const [logits, cache] = await model.runWithCache(g.tokens, { namesFilter: [...expected.keys()] });
    expect(cache.keys().sort()).toEqual([...expected.keys()].sort());
    for (const [hook, value] of expected) expectClose(cache.get(hook), value, 1e-4);
    expectClose(logits, g.get("logits"), 1e-4);
  });

  test("a hook on a hidden point changes what follows as a hook on the whole does", async () => {
    for (const hook of g.under("flagged.").keys()) {
      const same = await model.runWithHooks(g.tokens, { fwdHooks: [[hook, (x) => x.mul(1)]] });
      expectClose(same, g.get("logits"), 1e-4);
      const zeroed = await model.runWithHooks(g.tokens, { fwdHooks: [[hook, (x) => x.mul(0)]] });
      expect(zeroed.data).not.toEqual(same.data);
    }
  });

  test("each prompt's loss with one position ablated, all positions in one run", async () => {
    const [batch, pos] = g.tokens.shape;
    const eye = Tensor.leaf({
      dtype: "bool",
      shape: [pos, 1, pos],
      data: Uint8Array.from({ length: pos * pos }, (_, i) => +(i % pos === Math.floor(i / pos))),
    });
    for (const [site, expected] of g.under("ablate_pos.")) {
      const losses = await model.runWithHooks(g.tokens, {
        returnType: "loss",
        lossPerToken: true,
        fwdHooks: [
          [
            site,
            (x) => {
              const trailing = x.shape.length - 2;
              const mask = Array.from({ length: trailing }).reduce<Tensor>((m) => m.unsqueeze(-1), eye);
              return x.constant(0).where(mask, x);
            },
          ],
        ],
      });
      expect(losses.shape).toEqual([pos, batch, pos - 1]);
      expectClose(await losses.mean(-1).compute(), expected, 1e-4);
    }
  });

  test("stopping at a layer and starting from it", async () => {
    const resid = await model.forward(g.tokens, { stopAtLayer: 1 });
    expectClose(resid, g.get("stop_at_layer_1"), 1e-4);
    const layer = model.cfg.nLayers > 1 ? 1 : 0;
    const start = await model.forward(g.tokens, { stopAtLayer: layer });
    expectClose(await model.forward(start, { startAtLayer: layer }), g.get("logits"), 1e-4);
    // TransformerLens drops shortformer's positions when it starts at a layer; `null` does that.
    const logits = await model.forward(start, { startAtLayer: layer, shortformerPosEmbed: null });
    expectClose(logits, g.get("start_at_layer_1"), 1e-4);
  });

  test("processed weights: logits and every hook point", async () => {
    if (!g.info.processing) return expect(["shortformer_2l", ...turned]).toContain(name);
    const raw = g.under("weights.") as Parameters<typeof processWeights>[1];
    const { config, weights } = processWeights(parseConfig(g.info.config), raw, flagsOf(g));
    const processed = new HookedTransformer(config, weights);
    const [logits, cache] = await processed.runWithCache(g.tokens);
    expectClose(logits, g.get(isCapped(g) ? "logits" : "processed.logits"), 1e-4);
    const expected = g.under("processed.cache.");
    expect([...cache.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [hook, value] of expected) expectClose(cache.get(hook), value, 1e-4);
  });

  test("an unembedding is not centred under a soft cap, as it is by TransformerLens, which changes probabilities", async () => {
    if (!isCapped(g)) return expect(g.info.config.output_logits_soft_cap).toBe(-1);
    const raw = g.under("weights.") as Parameters<typeof processWeights>[1];
    const { config, weights, notes } = processWeights(parseConfig(g.info.config), raw, flagsOf(g));
    expect(notes).toContain("center_unembed is left out: logits are capped, so a constant changes them.");
    for (const at of ["unembed.W_U", "unembed.b_U"]) centerRows(weights.get(at)!.data, g.info.config.d_vocab_out);
    const centred = await new HookedTransformer(config, weights).forward(g.tokens);
    expectClose(centred, g.get("processed.logits"), 1e-4);
    const own = await Tensor.leaf(g.get("logits")).logSoftmax().compute();
    expect(relativeError(await centred.logSoftmax().compute(), own)).toBeGreaterThan(1e-2);
  });

  test("refactored attention: logits and the pattern", async () => {
    if (!g.tensors.has("refactored.logits")) return expect(["shortformer_2l", ...turned]).toContain(name);
    const raw = g.under("weights.") as Parameters<typeof processWeights>[1];
    const { config, weights } = processWeights(parseConfig(g.info.config), raw, {
      ...flagsOf(g),
      refactorFactoredAttnMatrices: true,
    });
    const [logits, cache] = await new HookedTransformer(config, weights).runWithCache(g.tokens);
    expectClose(logits, g.get("refactored.logits"), 1e-4);
    expectClose(cache.get("blocks.0.attn.hook_pattern"), g.get("refactored.pattern_0"), 1e-4);
  });
});
