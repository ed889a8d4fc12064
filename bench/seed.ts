/**
 * The seed notebook's job at solu-1l's true size: for 35 prompts, 235 tokens, the loss, each position's outlier score,
 * and the loss with that position's `hook_mid` zeroed.
 */
import { readFileSync } from "node:fs";
import { Tensor } from "../src/graph/tensor.ts";
import { bareProducts } from "./gemm.ts";
import { inTurn, rounded } from "./measure.ts";
import { randomModel, randomTokens, solu1l } from "./models.ts";
import { python } from "./python.ts";

const golden = new URL("../test/goldens/seed_run.json", import.meta.url);

export async function seed() {
  const counts: number[] = JSON.parse(readFileSync(golden, "utf8")).solu_1l_token_counts;
  const model = randomModel(solu1l);
  const longest = Math.max(...counts);
  const tokens = randomTokens(solu1l, counts.length, longest);
  const places = counts.flatMap((n, prompt) => Array.from({ length: n }, (_, pos) => [prompt, pos]));
  const predicting = places.filter(([prompt, pos]) => pos < counts[prompt] - 1);
  const index = (list: readonly number[][]) =>
    Tensor.leaf({ dtype: "int32", shape: [list.length, 2], data: Int32Array.from(list.flat()) });
  const job = async () => {
    const [all, ends] = [index(places), index(predicting)];
    const clean = model.graph(tokens);
    // In a one-layer model ablating an MLP only changes its own position, so all are ablated in one pass.
    const ablated = clean.with([["blocks.0.mlp.hook_mid", (x) => x.mul(0)]]);
    const mid = clean.at("blocks.0.mlp.hook_mid").gatherRows(all);
    return model.compute([
      mid.max(-1).sub(mid.mean(-1)),
      clean.lossPerToken().gatherRows(ends),
      ablated.lossPerToken().gatherRows(ends),
    ]);
  };
  const [rows, ahead, d] = [places.length, predicting.length, solu1l.dModel];
  const gemms = bareProducts([
    ...[0, 1, 2, 3].map((): [number, number, number] => [rows, d, d]),
    [rows, d, solu1l.dMlp!],
    [2 * ahead, solu1l.dMlp!, d],
    [2 * ahead, d, solu1l.dVocab],
  ]);
  const start = performance.now();
  await job();
  const first = performance.now() - start;
  const measured = await inTurn({ job, gemms }, 9);
  const sessions = model.engine.sessionsCreated;
  const theirs = await python("seed.py");
  const theirMs = typeof theirs.median_ms === "number" ? theirs.median_ms : null;
  return {
    median_ms: rounded(measured.job.median_ms),
    gemm_ms: rounded(measured.gemms.median_ms),
    over_gemm: rounded(measured.job.median_ms / measured.gemms.median_ms),
    first_ms: rounded(first),
    first_over_gemm: rounded(first / measured.gemms.median_ms),
    vs_transformerlens: theirMs && rounded(theirMs / measured.job.median_ms),
    transformerlens_ms: theirMs && rounded(theirMs),
    sessions,
    prompts: counts.length,
    tokens: rows,
  };
}
