/** Qwen 2 and 3: as Llama, with a window from some layer on; biases, or norms of queries and keys. */
import { FLAG, WHOLE } from "../../tensor/kinds.ts";
import { biases, optionalBiases, same } from "./checkpoint.ts";
import { type Fields, huggingFace, localLayers, WINDOW_FIELDS, windowed } from "./hugging-face.ts";
import { LLAMA_BUFFERS, LLAMA_FIELDS, LLAMA_PROJECTIONS, llamaConfig, llamaSources } from "./llama.ts";
import type { FieldKinds } from "./read-fields.ts";

/** The fields of Qwen's windows. */
export const QWEN_WINDOW_FIELDS: FieldKinds = {
  ...WINDOW_FIELDS,
  use_sliding_window: FLAG,
  max_window_layers: WHOLE,
};

/** Layers from `max_window_layers` on are local, unless the file says which. */
export function qwenWindow(json: Fields): Record<string, unknown> {
  const window = json.or("use_sliding_window", false) ? json.orNull("sliding_window", 4096) : null;
  const from = json.or("max_window_layers", 28);
  return windowed(
    window,
    localLayers(json, json.need("num_hidden_layers"), (layer) => layer >= from),
  );
}

export const qwen2 = huggingFace({
  name: "qwen2",
  withoutBos: true,
  called: "Qwen 2",
  architecture: "Qwen2ForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: false,
  fields: { ...LLAMA_FIELDS, ...QWEN_WINDOW_FIELDS },
  config: (json) => ({ ...llamaConfig(json, "Qwen 2", { num_key_value_heads: 32 }), ...qwenWindow(json) }),
  sources() {
    const { Q, K, V } = LLAMA_PROJECTIONS;
    return { ...llamaSources(), ...biases("blocks.{l}.attn", { Q, K, V }) };
  },
  buffers: LLAMA_BUFFERS,
});

/** The norms of queries and keys, of each head or of all together. */
export const qkNormSources = {
  "blocks.{l}.attn.q_norm.w": same("model.layers.{l}.self_attn.q_norm.weight"),
  "blocks.{l}.attn.k_norm.w": same("model.layers.{l}.self_attn.k_norm.weight"),
};

export const qwen3 = huggingFace({
  name: "qwen3",
  withoutBos: true,
  called: "Qwen 3",
  architecture: "Qwen3ForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: false,
  fields: { ...LLAMA_FIELDS, ...QWEN_WINDOW_FIELDS, attention_bias: FLAG },
  config: (json) => ({
    ...llamaConfig(json, "Qwen 3", { num_key_value_heads: 32, head_dim: 128 }),
    ...qwenWindow(json),
    use_qk_norm: true,
  }),
  sources: () => ({
    ...llamaSources(),
    ...optionalBiases("blocks.{l}.attn", LLAMA_PROJECTIONS),
    ...qkNormSources,
  }),
  buffers: LLAMA_BUFFERS,
});
