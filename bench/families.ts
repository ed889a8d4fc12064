/**
 * Published models' sizes, with random weights: a pass, a pass with every hook, and greedy generation, next to transformers in Python
 * and to the time that it takes to read the weights once.
 */
import { readFileSync } from "node:fs";
import { Engine } from "../src/engine/engine.ts";
import { nodeBackend } from "../src/engine/ort-node.ts";
import { Tensor } from "../src/graph/tensor.ts";
import type { HookedTransformerConfig } from "../src/models/config/config.ts";
import { readConfig } from "../src/models/families/index.ts";
import { recordingOf } from "../src/models/recording.ts";
import { HookedTransformer } from "../src/node.ts";
import { sizeOf } from "../src/tensor/array.ts";
import { inTurn, rounded } from "./measure.ts";
import { noise, randomTokens } from "./models.ts";
import { python } from "./python.ts";

const LENGTHS = [8, 64, 256];
const PROMPT = 16;
const NEW_TOKENS = 26;
const TOGETHER = 6;
const READINGS = 3;
const RUNS = 5;

export async function families() {
  const configs = JSON.parse(readFileSync(new URL("families.json", import.meta.url), "utf8"));
  const results: Record<string, unknown> = {};
  for (const name of Object.keys(configs)) {
    const ours = await measured(readConfig(configs[name], name));
    const theirs = await python("families.py", [name]);
    results[name] = { ...ours, transformers: "error" in theirs ? null : theirs };
  }
  return results;
}

async function measured(cfg: HookedTransformerConfig) {
  const model = new HookedTransformer(cfg, randomWeights(cfg));
  const rows: Record<string, unknown> = {};
  for (const pos of LENGTHS) {
    const tokens = randomTokens(cfg, 1, pos);
    const { forward } = await inTurn({ forward: () => model.forward(tokens) }, RUNS);
    const { cache } = await inTurn({ cache: () => model.runWithCache(tokens) }, RUNS);
    rows[pos] = {
      forward_ms: rounded(forward.median_ms, 1),
      forward_min_ms: rounded(forward.min_ms, 1),
      cache_ms: rounded(cache.median_ms, 1),
    };
  }
  return { forward: rows, ...(await generation(model)) };
}

/** Milliseconds a token, and the same for reading as many numbers as a token needs: each few tokens between two readings. */
async function generation(model: HookedTransformer) {
  const prompt = randomTokens(model.cfg, 1, PROMPT);
  const read = reading(model.cfg);
  const reads = async () => {
    const start = performance.now();
    for (let k = 0; k < READINGS; k++) await read();
    return (performance.now() - start) / READINGS;
  };
  const options = { maxNewTokens: NEW_TOKENS, doSample: false, stopAtEos: false };
  const some: { token: number; bare: number }[] = [];
  for (let i = 0; i < RUNS; i++) {
    const steps = model.generateStream(prompt, options);
    for (let k = 0; k < 2; k++) await steps.next(); // the prompt, and the step that compiles
    let before = await reads();
    for (let made = 2; made < NEW_TOKENS; made += TOGETHER) {
      const start = performance.now();
      for (let k = 0; k < TOGETHER; k++) await steps.next();
      const token = (performance.now() - start) / TOGETHER;
      const after = await reads();
      if (i > 0) some.push({ token, bare: (before + after) / 2 });
      before = after;
    }
  }
  const median = (list: number[]) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
  const token = median(some.map((one) => one.token));
  return {
    token_ms: rounded(token, 1),
    tokens_per_second: rounded(1000 / token, 1),
    reading_ms: rounded(median(some.map(({ bare }) => bare)), 1),
    over_reading: rounded(median(some.map((one) => one.token / one.bare))),
  };
}

/** One row times as many numbers as the matrices that each token is multiplied with, in one product. */
function reading(cfg: HookedTransformerConfig): () => Promise<unknown> {
  const engine = new Engine(nodeBackend());
  const matrices = [...recordingOf(cfg).weights.values()].filter(
    ({ axes, init }) => init === "drawn" && axes.length > 1 && axes[0] !== "d_vocab" && axes[0] !== "pos",
  );
  const numbers = matrices.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const columns = Math.round(numbers / cfg.dModel);
  const row = Tensor.leaf({ dtype: "float32", shape: [1, cfg.dModel], data: noise(cfg.dModel, 1, 1) });
  const data = new Float32Array(cfg.dModel * columns).fill(0.01);
  const matrix = Tensor.leaf({ dtype: "float32", shape: [cfg.dModel, columns], data }, [], "weight");
  const product = row.matmul(matrix);
  return () => engine.run([product]);
}

function randomWeights(cfg: HookedTransformerConfig) {
  const some = noise(1 << 20, 0.05, 7);
  return new Map(
    [...recordingOf(cfg).weights.values()].map(({ name, shape, init }) => {
      const data = new Float32Array(sizeOf(shape));
      if (init === "ones") data.fill(1);
      if (init === "drawn")
        for (let at = 0; at < data.length; at += some.length) data.set(some.subarray(0, data.length - at), at);
      return [name, { dtype: "float32" as const, shape, data }];
    }),
  );
}
