/** Qwen 2 and 3 with experts: their widths are their own, some layers may have one MLP, and in Qwen 2 one expert is shared. */
import { FLAG, orNull, WHOLE } from "../../tensor/kinds.ts";
import { SIZE } from "../config/bounds.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { linear, matrices, optionalBiases, type Sources } from "./checkpoint.ts";
import { EXPERT_FIELDS, expertSources, experts, GATED, SPARSE_FIELDS, sparse } from "./expert-fields.ts";
import { eachLayer, type Fields, huggingFace, windowed } from "./hugging-face.ts";
import { LLAMA_BUFFERS, LLAMA_FIELDS, LLAMA_PROJECTIONS, llamaConfig, llamaSources } from "./llama.ts";
import { QWEN_WINDOW_FIELDS, qkNormSources } from "./qwen.ts";
import type { FieldKinds } from "./read-fields.ts";

const mlp = "model.layers.{l}.mlp";

const FIELDS: FieldKinds = {
  ...{ ...LLAMA_FIELDS, ...EXPERT_FIELDS, ...SPARSE_FIELDS, norm_topk_prob: FLAG },
  ...{ use_sliding_window: FLAG, max_window_layers: WHOLE },
};

/** Experts, and in layers without them the MLP that Llama has. */
function sources({ numExperts, mlpTypes }: HookedTransformerConfig): Sources {
  const dense = (mlpTypes ?? []).flatMap((type, layer) => (type === "dense" ? [layer] : []));
  const { "blocks.{l}.mlp.W_gate": gate, ...rest } = llamaSources();
  const gates = dense.map((layer) => [`blocks.${layer}.mlp.W_gate`, gate]);
  return {
    ...rest,
    ...expertSources(numExperts, `${mlp}.gate`, `${mlp}.experts`, GATED),
    ...Object.fromEntries(gates),
  };
}

export const qwen2Moe = huggingFace({
  name: "qwen2_moe",
  withoutBos: true,
  called: "Qwen 2 MoE",
  architecture: "Qwen2MoeForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: false,
  fields: {
    ...{ ...FIELDS, ...QWEN_WINDOW_FIELDS, sliding_window: orNull(WHOLE) },
    ...{ shared_expert_intermediate_size: SIZE, qkv_bias: FLAG },
  },
  config: (json) => ({
    ...llamaConfig(json, "Qwen 2 MoE", { num_key_value_heads: 16 }),
    ...window(json),
    ...experts(json, 60, 4),
    ...sparse(json, 1408),
    shared_expert_d_mlp: json.or("shared_expert_intermediate_size", 5632),
    norm_topk_prob: json.or("norm_topk_prob", false),
  }),
  sources(config) {
    const { Q, K, V } = LLAMA_PROJECTIONS;
    const shared = `${mlp}.shared_expert`;
    const own = { gate: `${shared}.gate_proj`, in: `${shared}.up_proj`, out: `${shared}.down_proj` };
    return {
      ...sources(config),
      ...optionalBiases("blocks.{l}.attn", { Q, K, V }),
      ...matrices("blocks.{l}.mlp.shared_expert", own),
      "blocks.{l}.mlp.W_shared": linear(`${mlp}.shared_expert_gate.weight`),
    };
  },
  buffers: LLAMA_BUFFERS,
});

/** Where the file does not say which, every other layer before `max_window_layers` is local. */
function window(json: Fields): Record<string, unknown> {
  if (!json.or("use_sliding_window", false)) return {};
  const layers = json.need("num_hidden_layers");
  const until = json.or("max_window_layers", 28);
  const types = json.or<readonly string[]>("layer_types", []);
  const local =
    types.length > 0
      ? eachLayer("layer_types", types, layers).map((type) => type === "sliding_attention")
      : Array.from({ length: layers }, (_, l) => l % 2 === 0 && l < until);
  return windowed(json.orNull("sliding_window", 4096), local);
}

/** All layers are local where there is a window. */
export const qwen3Moe = huggingFace({
  name: "qwen3_moe",
  withoutBos: true,
  called: "Qwen 3 MoE",
  architecture: "Qwen3MoeForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: false,
  fields: { ...FIELDS, sliding_window: orNull(SIZE), attention_bias: FLAG },
  config(json) {
    const all = new Array<boolean>(json.need("num_hidden_layers")).fill(true);
    const size = json.or("use_sliding_window", false) ? json.orNull("sliding_window", 4096) : null;
    return {
      ...llamaConfig(json, "Qwen 3 MoE", { num_key_value_heads: 4 }),
      ...windowed(size, all),
      ...experts(json, 128, 8),
      ...sparse(json, 768),
      norm_topk_prob: json.or("norm_topk_prob", false),
      use_qk_norm: true,
    };
  },
  sources: (config) => ({
    ...sources(config),
    ...optionalBiases("blocks.{l}.attn", LLAMA_PROJECTIONS),
    ...qkNormSources,
  }),
  buffers: LLAMA_BUFFERS,
});
