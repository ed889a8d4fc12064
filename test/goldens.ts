/** The expected numbers: small models with random weights, and all that TransformerLens 2.18 gives for them. */
import { readFileSync } from "node:fs";
import { Tensor } from "../src/graph/tensor.ts";
import type { Metric } from "../src/lens/metric.ts";
import { memorySource, readSafetensors } from "../src/load/index.ts";
import { parseConfig } from "../src/models/config/parse.ts";
import { transposed } from "../src/models/families/layout.ts";
import { HookedTransformer } from "../src/node.ts";
import type { NDArray } from "../src/tensor/array.ts";

const folder = new URL("./goldens/", import.meta.url);
const index = JSON.parse(readFileSync(new URL("index.json", folder), "utf8"));

/** The configurations, by kinds of parts. */
export const goldenNames = [
  "solu_ln_1l",
  "solu_ln_2l",
  "gelu_2l",
  "gelu_new_2l",
  "relu_1l",
  "silu_2l",
  "attn_only_2l",
  "no_norm_1l",
  "ln_pre_2l",
  "shortformer_2l",
  "bidirectional_1l",
  "neox_2l",
  "gptj_2l",
  "llama_gqa_2l",
  "local_attn_2l",
  "llama3_ntk_2l",
  "qwen3_2l",
  "mixtral_2l",
  "gemma2_2l",
  "alibi_2l",
] as const;

export interface Golden {
  readonly name: string;
  /** The configuration as TransformerLens writes it, labels, scalars. */
  // biome-ignore lint/suspicious/noExplicitAny: a JSON file.
  readonly info: any;
  readonly tensors: ReadonlyMap<string, NDArray>;
  readonly tokens: Tensor;
  get(key: string): NDArray;
  /** The entries whose key starts with `prefix`, under the rest of the key. */
  under(prefix: string): Map<string, NDArray>;
}

export async function golden(name: string): Promise<Golden> {
  const bytes = readFileSync(new URL(`${name}.safetensors`, folder));
  const stored = await readSafetensors(memorySource(name, new Uint8Array(bytes)));
  // TransformerLens makes an embedding of positions for ALiBi models too, which nothing reads.
  const isAlibi = index.configs[name].config.positional_embedding_type === "alibi";
  const used = [...stored].filter(([key]) => !(isAlibi && key.endsWith("weights.pos_embed.W_pos")));
  const tensors = new Map(
    used.map(([key, array]) => ownExperts(key, withHeads(key, array, stored.get("tokens")!), stored)),
  );
  const get = (key: string) => {
    const found = tensors.get(key);
    if (!found) throw new Error(`${name} has no golden "${key}"`);
    return found;
  };
  return {
    name,
    info: index.configs[name],
    tensors,
    tokens: Tensor.leaf(get("tokens"), ["batch", "pos"]),
    get,
    under: (prefix) =>
      new Map([...tensors].filter(([k]) => k.startsWith(prefix)).map(([k, v]) => [k.slice(prefix.length), v])),
  };
}

/** TransformerLens norms queries and keys as rows [batch · pos · head, ...]; here they are [batch pos head ...]. */
function withHeads(key: string, array: NDArray, { shape: [batch, pos] }: NDArray): NDArray {
  if (!/\.[qk]_norm\.hook_/.test(key)) return array;
  return { ...array, shape: [batch, pos, array.shape[0] / (batch * pos), array.shape[1]] };
}

/**
 * Experts as they are here: TransformerLens has their weights as PyTorch's `Linear`s, the router's values with batch and
 * position as one axis, and at experts' hook points the rows of the positions that chose them alone, first choices before
 * second ones.
 */
function ownExperts(key: string, array: NDArray, stored: ReadonlyMap<string, NDArray>): [string, NDArray] {
  const [, kind, layer, point] = /^(\w+)\.blocks\.(\d+)\.mlp\.(.*)$/.exec(key) ?? [];
  if (point === undefined) return [key, array];
  const [batch, pos] = stored.get("tokens")!.shape;
  if (kind.startsWith("weight") && point.endsWith(".weight")) {
    return [key.replace(/\.weight$/, ""), transposed(array as NDArray<"float32">)];
  }
  if (/^hook_expert_/.test(point)) return [key, { ...array, shape: [batch, pos, array.shape[1]] } as NDArray];
  const expert = /^experts\.(\d+)\.hook_/.exec(point)?.[1];
  if (expert === undefined) return [key, array];
  const { data: chosen, shape } = stored.get(`cache.blocks.${layer}.mlp.hook_expert_indices`)!;
  const [choices, width] = [shape[1], array.shape[1]];
  const placed = new Float32Array(batch * pos * width);
  let row = 0;
  for (let choice = 0; choice < choices; choice++) {
    for (let at = 0; at < batch * pos; at++) {
      if (chosen[at * choices + choice] !== Number(expert)) continue;
      placed.set((array.data as Float32Array).subarray(row * width, ++row * width), at * width);
    }
  }
  return [key, { dtype: "float32", shape: [batch, pos, width], data: placed }];
}

export function goldenModel(g: Golden): HookedTransformer {
  return new HookedTransformer(parseConfig(g.info.config), g.under("weights."));
}

/** Two prompts of a configuration, as tokens [1 12], and the logit difference that its goldens measure. */
export function goldenContrast({ tokens, info }: Golden) {
  const prompt = (row: number) =>
    Tensor.leaf({ dtype: "int32", shape: [1, 12], data: tokens.data.slice(row * 12, row * 12 + 12) as Int32Array });
  const [right, wrong] = info.patching_metric.logit_diff_last;
  const metric: Metric = (logits) => {
    const last = logits.at({ pos: -1 });
    return last
      .at({ d_vocab: right })
      .sub(last.at({ d_vocab: wrong }))
      .mean();
  };
  return { clean: prompt(0), corrupted: prompt(1), metric };
}
