/**
 * OLMo 1 to 3: as Llama, but OLMo 1's LayerNorms have no weights, and from OLMo 2 on norms stand only between what attention and
 * MLP write and the residual stream, and queries and keys are normed, all heads together.
 */
import { FLAG, orNull } from "../../tensor/kinds.ts";
import { FACTOR } from "../config/bounds.ts";
import { matrices, optionalBiases, type Sources, same } from "./checkpoint.ts";
import {
  DECODER_FIELDS,
  decoder,
  type Fields,
  huggingFace,
  localLayers,
  WINDOW_FIELDS,
  windowed,
} from "./hugging-face.ts";
import { LLAMA_BUFFERS, LLAMA_FIELDS, LLAMA_MLP, LLAMA_PROJECTIONS, llamaConfig } from "./llama.ts";
import { qkNormSources } from "./qwen.ts";

const at = "model.layers.{l}";

export const olmo = huggingFace({
  name: "olmo",
  called: "OLMo",
  architecture: "OlmoForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: false,
  fields: { ...DECODER_FIELDS, attention_bias: FLAG, clip_qkv: orNull(FACTOR) },
  config: (json) => ({
    ...decoder(json, "OLMo", { hidden_act: "silu" }),
    normalization_type: "LNPre",
    gated_mlp: true,
    qkv_clip: json.orNull("clip_qkv", null),
  }),
  sources: () => ({
    ...matrices("blocks.{l}.attn", LLAMA_PROJECTIONS),
    ...optionalBiases("blocks.{l}.attn", LLAMA_PROJECTIONS),
    ...matrices("blocks.{l}.mlp", LLAMA_MLP),
  }),
  buffers: LLAMA_BUFFERS,
});

function config(json: Fields, called: string, rope_theta: number): Record<string, unknown> {
  return {
    ...llamaConfig(json, called, { rope_theta }),
    eps: json.or("rms_norm_eps", 1e-5),
    norm_placement: "output",
    use_qk_norm: true,
    qk_norm_type: "RMSOfAllHeads",
  };
}

function sources(): Sources {
  return {
    ...matrices("blocks.{l}.attn", LLAMA_PROJECTIONS),
    ...optionalBiases("blocks.{l}.attn", LLAMA_PROJECTIONS),
    ...qkNormSources,
    "blocks.{l}.ln1_post.w": same(`${at}.post_attention_layernorm.weight`),
    ...matrices("blocks.{l}.mlp", LLAMA_MLP),
    "blocks.{l}.ln2_post.w": same(`${at}.post_feedforward_layernorm.weight`),
    "ln_final.w": same("model.norm.weight"),
  };
}

export const olmo2 = huggingFace({
  name: "olmo2",
  called: "OLMo 2",
  architecture: "Olmo2ForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: false,
  fields: { ...LLAMA_FIELDS, attention_bias: FLAG },
  config: (json) => config(json, "OLMo 2", 10_000),
  sources,
  buffers: LLAMA_BUFFERS,
});

/** Three of four layers have a window, unless the file says which; positions are scaled in the others alone. */
export const olmo3 = huggingFace({
  name: "olmo3",
  called: "OLMo 3",
  architecture: "Olmo3ForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: false,
  fields: { ...LLAMA_FIELDS, attention_bias: FLAG, ...WINDOW_FIELDS },
  config(json) {
    const fields = config(json, "OLMo 3", 500_000);
    const local = localLayers(json, json.need("num_hidden_layers"), (layer) => (layer + 1) % 4 !== 0);
    return {
      ...fields,
      rotary_base_local: fields.rotary_base_local ?? fields.rotary_base,
      ...windowed(json.orNull("sliding_window", 4096), local),
    };
  },
  sources,
  buffers: LLAMA_BUFFERS,
});
