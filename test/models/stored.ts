/** The models in this repository's files, and small ones of random numbers, for the tests of this folder. */
import { readFileSync } from "node:fs";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { memorySource } from "../../src/load/bytes.ts";
import { readSafetensors } from "../../src/load/safetensors.ts";
import type { HookedTransformerConfig } from "../../src/models/config/config.ts";
import { parseConfig } from "../../src/models/config/parse.ts";
import { recordingOf } from "../../src/models/recording.ts";
import { type NDArray, ndarray, sizeOf } from "../../src/tensor/array.ts";

export type Weights = Map<string, NDArray<"float32">>;

const root = new URL("../../", import.meta.url);

export function json(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(path, root), "utf8"));
}

export function tensors(path: string): Promise<Map<string, NDArray>> {
  return readSafetensors(memorySource(path, readFileSync(new URL(path, root))));
}

/** The tensors whose names start with the prefix, without it. */
export function under(prefix: string, all: ReadonlyMap<string, NDArray>): Weights {
  const found: Weights = new Map();
  for (const [name, array] of all) {
    if (name.startsWith(prefix)) found.set(name.slice(prefix.length), array as NDArray<"float32">);
  }
  return found;
}

/** Weights of the configuration's shapes: matrices and biases uniform in [-1, 1], norm weights in [0.5, 1.5]. */
export function randomWeights(config: HookedTransformerConfig, seed = 1): Weights {
  const random = uniform(seed);
  const weights: Weights = new Map();
  for (const { name, shape } of recordingOf(config).weights.values()) {
    const offset = name.endsWith(".w") ? 1 : 0;
    const spread = name.endsWith(".w") ? 0.5 : 1;
    const data = Float32Array.from({ length: sizeOf(shape) }, () => offset + spread * random());
    weights.set(name, ndarray("float32", shape, data));
  }
  return weights;
}

/** Numbers in [-1, 1). */
export function uniform(seed: number): () => number {
  const generator = xoroshiro128plus(seed);
  return () => generator.next() / 2 ** 31;
}

export function smallConfig(fields: Record<string, unknown> = {}): HookedTransformerConfig {
  return parseConfig({
    n_layers: 2,
    d_model: 12,
    d_head: 4,
    n_heads: 2,
    n_ctx: 6,
    d_vocab: 10,
    act_fn: "gelu",
    ...fields,
  });
}
