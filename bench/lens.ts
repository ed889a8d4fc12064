/**
 * The logit lens and the direct attribution of all heads at GPT-2 small's size, 15 tokens, at the last position, relative to one
 * `runWithCache`; and the lens at all positions, relative to its own products. All are derived from the pass in the same run of the engine.
 */
import { ActivationCache } from "../src/lens/activation-cache.ts";
import { bareProducts, type Product } from "./gemm.ts";
import { inTurn, peakMb, rounded } from "./measure.ts";
import { gpt2Small, randomModel, randomTokens } from "./models.ts";
import { passTo, wholePass } from "./reached.ts";

const POS = 15;

export async function lens() {
  const model = randomModel(gpt2Small);
  const tokens = randomTokens(gpt2Small, 1, POS);
  const symbolic = () => {
    const graph = model.graph(tokens);
    const values = new Map(model.hookNames.map((name) => [name, graph.at(name)]));
    return { graph, cache: new ActivationCache(values, model) };
  };
  const logitLens = async (posSlice?: number) => {
    const { graph, cache } = symbolic();
    const resid = cache.accumulatedResid({ applyLn: true, posSlice }).stack;
    const logits = resid.matmul(model.W_U).add(model.b_U);
    return model.compute([graph.output.at({ pos: -1 }), logits.max(-1), logits.argmax(-1)]);
  };
  const heads = async () => {
    const { graph, cache } = symbolic();
    const stack = cache.stackHeadResults({ applyLn: true, posSlice: -1 });
    return model.compute([graph.output.at({ pos: -1 }), cache.logitAttrs(stack, [100])]);
  };
  const after = async () => {
    const [, cache] = await model.runWithCache(tokens);
    const stack = cache.stackHeadResults({ applyLn: true, posSlice: -1 });
    return model.compute([cache.logitAttrs(stack, [100])]);
  };
  const { nLayers, dModel, dVocab } = gpt2Small;
  // Each layer's stream and the last one's: those of the last one are the logits themselves.
  const lensAt = (rows: number): Product => [(nLayers + 1) * rows, dModel, dVocab, "unembed"];
  const measured = await inTurn(
    {
      cache: () => model.runWithCache(tokens),
      logitLens: () => logitLens(-1),
      heads,
      after,
      cacheGemms: bareProducts(wholePass(gpt2Small, POS)),
      logitLensGemms: bareProducts([...passTo(gpt2Small, 1, POS), lensAt(1)]),
    },
    9,
  );
  const all = await inTurn(
    { lens: () => logitLens(), gemms: bareProducts([...wholePass(gpt2Small, POS).slice(0, -1), lensAt(POS)]) },
    5,
  );
  const base = measured.cache.median_ms;
  const over = (ms: number) => rounded(ms / base);
  return {
    median_ms: rounded(base),
    logit_lens_ms: rounded(measured.logitLens.median_ms),
    logit_lens_over_cache: over(measured.logitLens.median_ms),
    over_gemm: rounded(measured.logitLens.median_ms / measured.logitLensGemms.median_ms),
    cache_over_gemm: rounded(base / measured.cacheGemms.median_ms),
    logit_lens_all_pos: {
      median_ms: rounded(all.lens.median_ms),
      over_gemm: rounded(all.lens.median_ms / all.gemms.median_ms),
    },
    head_attribution_ms: rounded(measured.heads.median_ms),
    head_attribution_over_cache: over(measured.heads.median_ms),
    cache_then_head_attribution_over_cache: over(measured.after.median_ms),
    sessions: model.engine.sessionsCreated,
    peak_mb: peakMb(),
  };
}
