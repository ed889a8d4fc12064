/** Activation patching at GPT-2 small's size, 15 tokens, compared with TransformerLens' loop of forwards. */

import { getActPatchAttnHeadOutAllPos, getActPatchResidPre } from "../src/measures/patching.ts";
import { sweep as runSweep } from "../src/measures/sweep.ts";
import { overGemm } from "./gemm.ts";
import { peakMb, rounded } from "./measure.ts";
import { gpt2Small, logitDifference, randomModel, randomTokens } from "./models.ts";
import { python } from "./python.ts";
import { headsAtAllPos, headsByPos, residPreByPos } from "./reached.ts";

const POS = 15;

export async function sweep() {
  const model = randomModel(gpt2Small);
  const [clean, corrupted] = [randomTokens(gpt2Small, 1, POS), randomTokens(gpt2Small, 1, POS)];
  const [, cache] = await model.runWithCache(clean);
  const first = async (work: () => Promise<unknown>) => {
    const before = model.engine.sessionsCreated;
    const start = performance.now();
    await work();
    return { first_ms: rounded(performance.now() - start), sessions: model.engine.sessionsCreated - before };
  };
  let planned = 0;
  const byLayerAndPos = () => getActPatchResidPre(model, corrupted, cache, logitDifference);
  const byLayerAndHead = () => getActPatchAttnHeadOutAllPos(model, corrupted, cache, logitDifference);
  const byAll = async () => {
    const result = await runSweep(model, corrupted, {
      site: "z",
      over: ["layer", "pos", "head"],
      edit: (x) => x.constant(0),
      metric: logitDifference,
      memory: 2e9,
    });
    planned = result.plannedBytes;
  };
  const [resid, heads] = [await first(byLayerAndPos), await first(byLayerAndHead)];
  const before = peakMb();
  const every = await first(byAll);
  const peak = peakMb();
  // Bare products hold weights of their own: after the peak was read.
  const residTimes = await overGemm(byLayerAndPos, residPreByPos(gpt2Small, POS), 3);
  const headTimes = await overGemm(byLayerAndHead, headsAtAllPos(gpt2Small, POS), 3);
  const everyTimes = await overGemm(byAll, headsByPos(gpt2Small, POS), 1);
  const theirs = await python("sweep.py");
  const ratio = (ms: unknown, ours: number) => (typeof ms === "number" ? rounded(ms / ours) : null);
  return {
    median_ms: residTimes.median_ms,
    over_gemm: residTimes.over_gemm,
    resid_pre: { ...resid, ...residTimes, vs_transformerlens: ratio(theirs.resid_pre_ms, residTimes.median_ms) },
    head_out_all_pos: {
      ...heads,
      ...headTimes,
      vs_transformerlens: ratio(theirs.attn_head_out_all_pos_ms, headTimes.median_ms),
    },
    layer_pos_head_2160_cells: { ...every, ...everyTimes, planned_mb: rounded(planned / 1e6, 0) },
    sessions: Math.max(resid.sessions, heads.sessions),
    weights_and_process_mb: before,
    peak_mb: peak,
    transformerlens: "error" in theirs ? null : theirs,
  };
}
