/**
 * The logit lens and the direct attribution of all heads at GPT-2 small's size, 15 tokens, at the last position, relative to one
 * `runWithCache`. Both are derived from the pass in the same run of the engine.
 */
import { ActivationCache } from "../src/lens/activation-cache.ts";
import { inTurn, peakMb, rounded } from "./measure.ts";
import { gpt2Small, randomModel, randomTokens } from "./models.ts";

export async function lens() {
  const model = randomModel(gpt2Small);
  const tokens = randomTokens(gpt2Small, 1, 15);
  const symbolic = () => {
    const graph = model.graph(tokens);
    const values = new Map(model.hookNames.map((name) => [name, graph.at(name)]));
    return { graph, cache: new ActivationCache(values, model) };
  };
  const logitLens = async () => {
    const { graph, cache } = symbolic();
    const resid = cache.accumulatedResid({ applyLn: true, posSlice: -1 }).stack;
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
  const measured = await inTurn({ cache: () => model.runWithCache(tokens), logitLens, heads, after }, 9);
  const base = measured.cache.median_ms;
  const over = (ms: number) => rounded(ms / base);
  return {
    median_ms: rounded(base),
    logit_lens_ms: rounded(measured.logitLens.median_ms),
    logit_lens_over_cache: over(measured.logitLens.median_ms),
    head_attribution_ms: rounded(measured.heads.median_ms),
    head_attribution_over_cache: over(measured.heads.median_ms),
    cache_then_head_attribution_over_cache: over(measured.after.median_ms),
    sessions: model.engine.sessionsCreated,
    peak_mb: peakMb(),
  };
}
