/** Scans a file shard by shard with a tiny model, and prints the peak memory once a tenth of it is done, and at its end. */
import { readFileSync } from "node:fs";
import { fileSource, HookedTransformer, initWeights, parseConfig } from "../../src/node.ts";
import { lossScan } from "../../src/scan/loss.ts";
import { emptyShard, runShard, SEEN } from "../../src/scan/shard.ts";
import { addShard, shardBytes } from "../../src/scan/shard-file.ts";
import { slicesOf } from "../../src/training/data/slices.ts";
import { wordTokenizer } from "../analyses/word-tokenizer.ts";
import { HASH, summariesOf } from "./corpus.ts";

const [path] = process.argv.slice(2);
const peak = () => 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
const sizes = {
  n_layers: 1,
  d_model: 8,
  d_head: 8,
  n_heads: 1,
  d_mlp: 16,
  act_fn: "relu",
  n_ctx: 64,
  d_vocab: 40,
  seed: 1,
};
const cfg = parseConfig(sizes);
const model = new HookedTransformer(cfg, initWeights(cfg), { tokenizer: wordTokenizer(40) });
const scan = lossScan.on(model, { top: 20 }, { sources: [path], maxLength: 64 });
const source = await fileSource(path);
const slices = await slicesOf(source, 1e6, { column: "text" });
let all = emptyShard(scan);
let early = 0;
for (const [shard, slice] of slices.entries()) {
  const read = { column: "text", maxLength: 64, batchTokens: 8192 };
  const { state } = await runShard(model, scan, { shard, source, sourceIndex: 0, slice, ...read });
  all = await addShard(`${shard}`, shardBytes(state, HASH, { rows: false }), HASH, all);
  if (shard + 1 === Math.ceil(slices.length / 10)) early = peak();
}
const tokens = summariesOf<{ seen: { values: Float64Array } }>(all).seen.values[SEEN.tokens];
process.stdout.write(JSON.stringify({ early, peak: peak(), tokens }));
