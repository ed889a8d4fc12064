/** Activation patching at GPT-2 small's size, 15 tokens, compared with TransformerLens' loop of forwards. */

import type { Tensor } from "../src/graph/tensor.ts";
import { getActPatchAttnHeadOutAllPos, getActPatchResidPre } from "../src/measures/patching.ts";
import { sweep as runSweep } from "../src/measures/sweep.ts";
import { peakMb, rounded } from "./measure.ts";
import { gpt2Small, randomModel, randomTokens } from "./models.ts";
import { python } from "./python.ts";

const metric = (logits: Tensor) => {
  const last = logits.at({ pos: -1 });
  return last
    .at({ d_vocab: 100 })
    .sub(last.at({ d_vocab: 200 }))
    .mean();
};

export async function sweep() {
  const model = randomModel(gpt2Small);
  const [clean, corrupted] = [randomTokens(gpt2Small, 1, 15), randomTokens(gpt2Small, 1, 15)];
  const [, cache] = await model.runWithCache(clean);
  const timed = async (work: () => Promise<unknown>) => {
    const before = model.engine.sessionsCreated;
    const start = performance.now();
    await work();
    const first = performance.now() - start;
    const sessions = model.engine.sessionsCreated - before;
    const again = performance.now();
    await work();
    return { first_ms: rounded(first), median_ms: rounded(performance.now() - again), sessions };
  };
  const resid = await timed(() => getActPatchResidPre(model, corrupted, cache, metric));
  const heads = await timed(() => getActPatchAttnHeadOutAllPos(model, corrupted, cache, metric));
  const before = peakMb();
  let planned = 0;
  const every = await timed(async () => {
    const result = await runSweep(model, corrupted, {
      site: "z",
      over: ["layer", "pos", "head"],
      edit: (x) => x.constant(0),
      metric,
      memory: 2e9,
    });
    planned = result.plannedBytes;
  });
  const theirs = await python("sweep.py");
  const ratio = (ms: unknown, ours: number) => (typeof ms === "number" ? rounded(ms / ours) : null);
  return {
    median_ms: resid.median_ms,
    resid_pre: { ...resid, vs_transformerlens: ratio(theirs.resid_pre_ms, resid.median_ms) },
    head_out_all_pos: { ...heads, vs_transformerlens: ratio(theirs.attn_head_out_all_pos_ms, heads.median_ms) },
    layer_pos_head_2160_cells: { ...every, planned_mb: rounded(planned / 1e6, 0) },
    sessions: Math.max(resid.sessions, heads.sessions),
    weights_and_process_mb: before,
    peak_mb: peakMb(),
    transformerlens: "error" in theirs ? null : theirs,
  };
}
