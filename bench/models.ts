/** Models of known sizes with random weights: time does not depend on the numbers. */

import { Tensor } from "../src/graph/tensor.ts";
import { HookedTransformer } from "../src/lens/hooked-transformer.ts";
import type { HookedTransformerConfig } from "../src/models/config/config.ts";
import { parseConfig } from "../src/models/config/parse.ts";
import { processWeights } from "../src/models/processing/process-weights.ts";
import { recordingOf } from "../src/models/recording.ts";
import type { NDArray } from "../src/tensor/array.ts";
import { sizeOf } from "../src/tensor/array.ts";

/** solu-1l: one layer, d_model 512, 8 heads, d_mlp 2048, vocabulary 48262. */
export const solu1l = parseConfig({
  n_layers: 1,
  d_model: 512,
  n_heads: 8,
  d_head: 64,
  d_mlp: 2048,
  n_ctx: 1024,
  d_vocab: 48262,
  act_fn: "solu_ln",
  normalization_type: "LN",
  model_name: "solu-1l (random weights)",
});

const gpt2Fields = {
  n_layers: 12,
  d_model: 768,
  n_heads: 12,
  d_head: 64,
  d_mlp: 3072,
  n_ctx: 1024,
  d_vocab: 50257,
  act_fn: "gelu_new",
  normalization_type: "LN",
  model_name: "GPT-2 small (random weights)",
};

/** GPT-2 small: 12 layers, d_model 768, 12 heads, vocabulary 50257; with other fields where they are given. */
export const gpt2Like = (fields: Partial<typeof gpt2Fields>): HookedTransformerConfig =>
  parseConfig({ ...gpt2Fields, ...fields });
export const gpt2Small = gpt2Like({});

/** Numbers in a triangle around 0, the same in every run. */
export function noise(size: number, scale: number, seed: number): Float32Array {
  const data = new Float32Array(size);
  let state = seed | 1;
  for (let i = 0; i < size; i++) {
    state = Math.imul(state, 1664525) + 1013904223;
    const a = state >>> 8;
    state = Math.imul(state, 1664525) + 1013904223;
    data[i] = ((a + (state >>> 8)) / 0x1000000 - 1) * scale;
  }
  return data;
}

/** Norms that change nothing, and small random numbers for the rest. */
export function randomWeights(cfg: HookedTransformerConfig): ReadonlyMap<string, NDArray<"float32">> {
  let seed = 1;
  const raw = new Map<string, NDArray<"float32">>();
  for (const { name, shape } of recordingOf(cfg).weights.values()) {
    const norm = name.endsWith(".w");
    const data = norm ? new Float32Array(sizeOf(shape)).fill(1) : noise(sizeOf(shape), 0.05, seed++);
    raw.set(name, { dtype: "float32", shape, data });
  }
  return raw;
}

/** The model with random weights, processed as `fromPretrained` does. */
export function randomModel(cfg: HookedTransformerConfig): HookedTransformer {
  const { config, weights } = processWeights(cfg, randomWeights(cfg));
  return new HookedTransformer(config, weights);
}

export function randomTokens(cfg: HookedTransformerConfig, batch: number, pos: number): Tensor {
  const data = Int32Array.from(noise(batch * pos, 1, 99), (x) => Math.floor(((x + 1) / 2) * cfg.dVocab));
  return Tensor.leaf({ dtype: "int32", shape: [batch, pos], data }, ["batch", "pos"]);
}

/** The difference of two tokens' logits at the last position. */
export function logitDifference(logits: Tensor): Tensor {
  const last = logits.at({ pos: -1 });
  return last
    .at({ d_vocab: 100 })
    .sub(last.at({ d_vocab: 200 }))
    .mean();
}

/** A prompt, and the same with its tokens in the other order. */
export async function promptAndReversed(model: HookedTransformer, length: number) {
  const prompt = randomTokens(model.cfg, 1, length);
  const order = Array.from({ length }, (_, i) => length - 1 - i);
  const [reversed] = await model.compute([prompt.at({ pos: order })]);
  return [prompt, reversed] as const;
}
