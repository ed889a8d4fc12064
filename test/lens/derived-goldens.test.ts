/** What TransformerLens 2.18 derives from a cache and from weights, for the small models, to 1e-4 relative. */
import { beforeAll, describe, expect, test } from "vitest";
import type { ActivationCache } from "../../src/lens/activation-cache.ts";
import type { ResidualStack } from "../../src/lens/residual-stack.ts";
import { parseConfig } from "../../src/models/config/parse.ts";
import { processWeights } from "../../src/models/processing/process-weights.ts";
import { HookedTransformer, Tensor } from "../../src/node.ts";
import { expectClose } from "../close.ts";
import { type Golden, golden, goldenNames } from "../goldens.ts";

// Shortformer's weights are not processed, and neither are experts', so TransformerLens has no derived values for them.
const names = goldenNames.filter((name) => name !== "shortformer_2l" && name !== "mixtral_2l");

function processedModel(g: Golden): HookedTransformer {
  const raw = g.under("weights.") as Parameters<typeof processWeights>[1];
  const { config, weights } = processWeights(parseConfig(g.info.config), raw, {
    foldLn: g.info.processing.fold_ln,
    centerWritingWeights: g.info.processing.center_writing_weights,
    centerUnembed: g.info.processing.center_unembed,
    foldValueBiases: g.info.processing.fold_value_biases,
  });
  return new HookedTransformer(config, weights);
}

/** Each head's values as a set: from the smallest on, so that the order does not matter. */
function sorted(values: { readonly shape: readonly number[]; readonly data: ArrayLike<number> }, by = Math.abs) {
  const n = values.shape.at(-1)!;
  const data = Float32Array.from(values.data);
  for (let i = 0; i < data.length; i += n)
    data.set(
      [...data.subarray(i, i + n)].sort((a, b) => by(a) - by(b)),
      i,
    );
  return { shape: values.shape, data };
}

describe.each(names)("%s", (name) => {
  let g: Golden;
  let model: HookedTransformer;
  let cache: ActivationCache;
  let tokens: Tensor;
  let incorrectTokens: Tensor;
  beforeAll(async () => {
    g = await golden(name);
    model = processedModel(g);
    [, cache] = await model.runWithCache(g.tokens);
    tokens = Tensor.leaf(g.get("attr_tokens"), ["batch", "pos"]);
    incorrectTokens = Tensor.leaf(g.get("attr_incorrect_tokens"), ["batch", "pos"]);
  });

  async function expectStack(key: string, make: () => ResidualStack) {
    if (!g.tensors.has(`derived.${key}`)) return false;
    const stack = make();
    expect(stack.labels).toEqual(g.info.labels[key]);
    expectClose(await stack.compute(), g.get(`derived.${key}`), 1e-4);
    return true;
  }

  // TransformerLens takes no streams apart without norms, or with RMSNorms; of shared keys and values it derives biases alone.
  const shared = ["llama_gqa_2l", "qwen3_2l", "gemma2_2l"];
  const derives = !["no_norm_1l", "llama3_ntk_2l", ...shared].includes(name);

  test("the residual stream before each layer, through the last norm", async () => {
    const make = () =>
      cache.accumulatedResid({ inclMid: !model.cfg.attnOnly && !model.cfg.parallelAttnMlp, applyLn: true });
    expect(await expectStack("accumulated_resid_ln", make)).toBe(derives);
  });

  test("embeddings, attention layers and MLPs, and what they add to logit differences", async () => {
    expect(await expectStack("decompose_resid", () => cache.decomposeResid())).toBe(derives);
    if (!derives) return;
    const attrs = cache.logitAttrs(cache.decomposeResid(), tokens, { incorrectTokens });
    expectClose(await attrs.compute(), g.get("derived.decompose_resid_logit_attrs"), 1e-4);
  });

  test("heads with the remainder through the last norm, and what they add to logit differences", async () => {
    const make = () => cache.stackHeadResults({ applyLn: true, inclRemainder: true });
    expect(await expectStack("stack_head_results_ln", make)).toBe(derives);
    if (!derives) return;
    const last = await tokens.at({ pos: -1 }).compute();
    const attrs = cache.logitAttrs(cache.stackHeadResults({ posSlice: -1 }), last);
    expectClose(await attrs.compute(), g.get("derived.head_logit_attrs_last"), 1e-4);
  });

  test("neurons", async () => {
    const make = () => cache.stackNeuronResults({ posSlice: -1, neuronSlice: { start: 0, end: 8 } });
    expect(await expectStack("stack_neuron_results_0_8_last", make)).toBe(derives && !model.cfg.attnOnly);
  });

  test("the full decomposition", async () => {
    const make = () => cache.getFullResidDecomposition({ posSlice: -1 });
    expect(await expectStack("full_resid_decomposition_last", make)).toBe(derives);
  });

  test("accumulated biases", () => {
    // TransformerLens' sum of biases is not what they add where a norm stands behind them.
    if (name === "gemma2_2l")
      return expect(() => model.accumulatedBias(1)).toThrow(/ln1_post norms what .*b_O is part/);
    expectClose(model.accumulatedBias(model.cfg.nLayers), g.get("derived.accumulated_bias_final"), 1e-4);
  });

  test("singular values, norms and eigenvalues of QK and OV", () => {
    if (shared.includes(name)) return expect(g.under("derived.QK.").size).toBe(0);
    for (const [key, matrix] of [
      ["QK", model.QK],
      ["OV", model.OV],
    ] as const) {
      expectClose(matrix.S, g.get(`derived.${key}.singular_values`), 1e-4);
      expectClose(matrix.norm(), g.get(`derived.${key}.norm`), 1e-4);
      const { re, im } = matrix.eigenvalues;
      expectClose(sorted(re, Number), sorted(g.get(`derived.${key}.eigenvalues_re`), Number), 1e-4);
      expectClose(sorted(im, Number), sorted(g.get(`derived.${key}.eigenvalues_im`), Number), 1e-4);
    }
  });

  test("composition scores", async () => {
    const found = g.under("derived.composition_scores_");
    expect(found.size).toBe(model.cfg.nLayers > 1 && !shared.includes(name) ? 3 : 0);
    for (const [mode, expected] of found) {
      expectClose(await model.allCompositionScores(mode as "Q" | "K" | "V").compute(), expected, 1e-4);
    }
  });
});
