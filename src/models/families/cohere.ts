/**
 * Cohere's Command R, and R7B and A: attention and MLP side by side, of one LayerNorm without biases; logits are scaled. From R7B on
 * three of four layers have a window, and the others no positions.
 */
import { COUNT, FLAG, oneOf, orNull } from "../../tensor/kinds.ts";
import { EPS, FACTOR, SIZE } from "../config/bounds.ts";
import { asHeads, matrices, optionalBiases, type Sources, same } from "./checkpoint.ts";
import {
  DECODER_FIELDS,
  decoder,
  type Fields,
  huggingFace,
  localLayers,
  WINDOW_FIELDS,
  windowed,
} from "./hugging-face.ts";
import { LLAMA_MLP, LLAMA_PROJECTIONS } from "./llama.ts";
import type { FieldKinds } from "./read-fields.ts";

const at = "model.layers.{l}";

const FIELDS: FieldKinds = { ...DECODER_FIELDS, layer_norm_eps: EPS, logit_scale: FACTOR, attention_bias: FLAG };

function config(json: Fields, called: string, rope_theta: number): Record<string, unknown> {
  return {
    ...decoder(json, called, { hidden_act: "silu", rope_theta }),
    rotary_adjacent_pairs: true,
    eps: json.or("layer_norm_eps", 1e-5),
    normalization_type: "LN",
    norm_bias: false,
    gated_mlp: true,
    parallel_attn_mlp: true,
  };
}

function sources(): Sources {
  return {
    "blocks.{l}.ln1.w": same(`${at}.input_layernorm.weight`),
    ...matrices("blocks.{l}.attn", LLAMA_PROJECTIONS),
    ...optionalBiases("blocks.{l}.attn", LLAMA_PROJECTIONS),
    "blocks.{l}.ln2.w": same(`${at}.input_layernorm.weight`),
    ...matrices("blocks.{l}.mlp", LLAMA_MLP),
    "ln_final.w": same("model.norm.weight"),
  };
}

const scales = (json: Fields) => ({ logits: json.or("logit_scale", 0.0625) });

export const cohere = huggingFace({
  name: "cohere",
  called: "Cohere",
  architecture: "CohereForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: true,
  /** `model_max_length` is the tokenizer's; published files have it here too. */
  fields: { ...FIELDS, use_qk_norm: orNull(FLAG), model_max_length: SIZE },
  config: (json) => ({
    ...config(json, "Cohere", 500_000),
    use_qk_norm: json.or("use_qk_norm", false),
    qk_norm_type: "LNWithoutBias",
  }),
  sources: () => ({
    ...sources(),
    "blocks.{l}.attn.q_norm.w": asHeads(`${at}.self_attn.q_norm.weight`),
    "blocks.{l}.attn.k_norm.w": asHeads(`${at}.self_attn.k_norm.weight`),
  }),
  scales,
});

/** What published files say, and transformers does not read. */
const SAID = {
  layer_switch: 4,
  order_of_interleaved_layers: "local_attn_first",
  position_embedding_type: "rope_gptj",
  rotary_pct: 1,
  use_embedding_sharing: true,
  use_gated_activation: true,
  use_parallel_block: true,
  use_parallel_embedding: true,
} as const;

export const cohere2 = huggingFace({
  name: "cohere2",
  called: "Cohere 2",
  architecture: "Cohere2ForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: true,
  fields: {
    ...FIELDS,
    ...WINDOW_FIELDS,
    sliding_window_pattern: COUNT,
    _sliding_window_pattern: COUNT,
    ...Object.fromEntries(Object.entries(SAID).map(([name, value]) => [name, oneOf([value])])),
  },
  config(json) {
    const every = json.or("sliding_window_pattern", json.or("_sliding_window_pattern", 4));
    const local = localLayers(json, json.need("num_hidden_layers"), (layer) => (layer + 1) % every !== 0);
    const window = json.orNull("sliding_window", 4096);
    return {
      ...config(json, "Cohere 2", 10_000),
      ...windowed(window, local),
      rotary_layers: window === null ? local.map(() => false) : local,
    };
  },
  sources,
  scales,
});
