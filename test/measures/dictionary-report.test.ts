/** A dictionary's numbers, as SAELens' evaluations give them, but for those that it gets wrong. */
import { beforeAll, describe, expect, test } from "vitest";
import { Dictionary, type HookedTransformer, measureDictionaryReport, randn, type Tensor } from "../../src/node.ts";
import { arrays, at, goldenModel, index, saeNames } from "../dictionaries/goldens.ts";

const models: Record<string, Awaited<ReturnType<typeof goldenModel>>> = {};
beforeAll(async () => {
  for (const name of Object.keys(index.models)) models[name] = await goldenModel(name);
});

const opened = (name: string) =>
  Dictionary.fromPretrained(at(`saes/${name}`), { inputScale: index.saes[name].norm_scaling_factor });
const evaluated = saeNames.filter((name) => index.saes[name].scalars.evals);

const close = (found: number, expected: number, tolerance = 1e-4) =>
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(expected)));

describe.each(evaluated)("%s", (name) => {
  test.each([
    ["evals", []],
    ["evals_without_bos", [1]],
  ] as const)("%s", async (evals, ignoredTokens) => {
    const golden = await arrays(`saes/${name}.expected.safetensors`);
    const numbers = index.saes[name].scalars[evals];
    const { model, tokens } = models[index.saes[name].model];
    const dictionary = await opened(name);
    const found = await measureDictionaryReport(model, { dictionary, input: tokens, ignoredTokens });
    const { reconstruction_quality: quality, shrinkage, sparsity, model_performance_preservation: ce } = numbers;
    const kl = numbers.model_behavior_preservation;
    close(found.l0, sparsity.l0);
    close(found.l1, sparsity.l1);
    close(found.squaredError, quality.mse * found.tokens); // SAELens divides by the number of tokens again
    close(found.explainedVariance, numbers.explained_variance_right);
    close(found.explainedVariancePerToken, quality.explained_variance_legacy);
    close(found.cosineSimilarity, quality.cossim);
    close(found.normIn, shrinkage.l2_norm_in);
    close(found.normOut, shrinkage.l2_norm_out);
    close(found.normRatio, shrinkage.l2_ratio);
    close(found.relativeReconstructionBias, shrinkage.relative_reconstruction_bias, 1e-2);
    const runs = Object.fromEntries(found.runs.rows.map((row) => [row.run, row]));
    close(runs.clean.loss, ce.ce_loss_without_sae);
    close(runs.zero.loss, ce.ce_loss_with_ablation);
    close(runs.zero.divergence, kl.kl_div_with_ablation);
    // At hook_z SAELens replaces ignored tokens all the same.
    if (ignoredTokens.length === 0 || !name.includes("hook_z")) {
      close(runs.dictionary.loss, ce.ce_loss_with_sae);
      close(found.lossScore, ce.ce_loss_score, 1e-3);
      close(runs.dictionary.divergence, kl.kl_div_with_sae);
      close(found.divergenceScore, kl.kl_div_score, 1e-3);
    }
    const feature = (key: string) => golden.get(`${evals}.${key}`)?.data;
    for (const row of found.rows) {
      close(row.density, feature("feature_density")![row.d_sae], 1e-6);
      const consistent = feature("consistent_activation_heuristic")![row.d_sae];
      if (Number.isNaN(consistent)) expect(row.per_text).toBeNull();
      else close(row.per_text!, consistent, 1e-6);
      if (evals !== "evals") continue;
      close(row.encoder_norm, feature("encoder_norm")![row.d_sae], 1e-5);
      close(row.alignment!, feature("encoder_decoder_cosine_sim")![row.d_sae], 1e-5);
    }
  });
});

describe("measureDictionaryReport", () => {
  test("gives the same numbers if the texts do not fit in memory together", async () => {
    const { model, tokens } = models.gelu_3l;
    const dictionary = await opened("gelu_3l.standard.resid_pre");
    const whole = await measureDictionaryReport(model, { dictionary, input: tokens });
    const steps: number[] = [];
    const onProgress = ({ done }: { done: number }) => steps.push(done);
    const parts = await measureDictionaryReport(model, { dictionary, input: tokens, memory: 1, onProgress });
    expect(steps).toEqual([1, 2]);
    close(parts.explainedVariance, whole.explainedVariance, 1e-6);
    close(parts.lossScore, whole.lossScore, 1e-5);
    expect(parts.rows.map(({ density }) => density)).toEqual(whole.rows.map(({ density }) => density));
  });

  test("compares a transcoder with what it stands for", async () => {
    const { model, tokens, get } = models.gelu_3l;
    const dictionary = await opened("gelu_3l.skip_transcoder");
    const found = await measureDictionaryReport(model, { dictionary, input: tokens });
    const golden = await arrays("saes/gelu_3l.skip_transcoder.expected.safetensors");
    const error = golden.get("error.cache.blocks.1.hook_mlp_out.hook_sae_error")!.data;
    close(found.squaredError, [...error].reduce((sum, x) => sum + x * x, 0) / 16);
    const out = get("cache.blocks.1.hook_mlp_out").data;
    close(
      found.normIn,
      Array.from({ length: 16 }, (_, i) => Math.hypot(...out.slice(32 * i, 32 * i + 32))).reduce((a, b) => a + b) / 16,
    );
    close(found.runs.at({ run: "dictionary" }).loss, index.saes["gelu_3l.skip_transcoder"].scalars["plain.loss"]);
  });

  test("is of the head of a dictionary of one head", async () => {
    const { model, tokens } = models.gelu_3l;
    const weights = {
      W_enc: randn([8, 12]),
      b_enc: randn([12]),
      W_dec: randn([12, 8], { seed: 3 }),
      b_dec: randn([8]),
    };
    const hookName = "blocks.1.attn.hook_z";
    const dictionary = new Dictionary(
      { architecture: "standard", dIn: 8, dSae: 12, hookName, hookHeadIndex: 1 },
      new Map(Object.entries(weights)),
    );
    const found = await measureDictionaryReport(model, { dictionary, input: tokens });
    const loss = await (model as HookedTransformer)
      .withDictionaries(dictionary)
      .forward(tokens, { returnType: "loss" });
    close(found.runs.at({ run: "dictionary" }).loss, (loss as Tensor).item());
  });

  test("leaves padding out", async () => {
    const { HookedTransformer } = await import("../../src/node.ts");
    const model = await HookedTransformer.fromPretrained("bundled");
    const { dModel } = model.cfg;
    const weights = {
      W_enc: randn([dModel, 20]),
      b_enc: randn([20]),
      W_dec: randn([20, dModel], { seed: 2 }),
      b_dec: randn([dModel]),
    };
    const cfg = { architecture: "standard", dIn: dModel, dSae: 20, hookName: "blocks.0.hook_resid_post" };
    const dictionary = new Dictionary(cfg, new Map(Object.entries(weights)));
    const texts = ["The old man", "One day the sun came out again"];
    const both = await measureDictionaryReport(model, { dictionary, input: texts });
    const alone = await Promise.all(texts.map((input) => measureDictionaryReport(model, { dictionary, input })));
    const tokens = alone.reduce((sum, one) => sum + one.tokens, 0);
    expect(both.tokens).toBe(tokens);
    const mean = (of: (one: (typeof alone)[0]) => number) =>
      alone.reduce((sum, one) => sum + of(one) * one.tokens, 0) / tokens;
    close(
      both.l0,
      mean(({ l0 }) => l0),
      1e-6,
    );
    close(
      both.squaredError,
      mean(({ squaredError }) => squaredError),
      1e-5,
    );
  });

  test("refuses texts of which no token counts, and a dictionary that does not fit", async () => {
    const { model } = models.gelu_3l;
    const dictionary = await opened("gelu_3l.standard.resid_pre");
    await expect(measureDictionaryReport(model, { dictionary, input: [[1, 1]], ignoredTokens: [1] })).rejects.toThrow(
      "none is left",
    );
    await expect(measureDictionaryReport(model, { dictionary, input: [[1]] })).rejects.toThrow(
      "needs at least two tokens",
    );
    await expect(measureDictionaryReport(model, { input: [[1, 2]] })).rejects.toThrow(
      "No dictionary of custom is named",
    );
  });
});
