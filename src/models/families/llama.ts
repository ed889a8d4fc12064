/** Llama and its kin: rotary positions, RMSNorm, gated MLPs, keys and values that heads may share. */
import { FLAG, orNull } from "../../tensor/kinds.ts";
import { EPS, SIZE } from "../config/bounds.ts";
import { matrices, optionalBiases, projectionsOf, type Sources, same } from "./checkpoint.ts";
import { DECODER_FIELDS, type DecoderDefaults, decoder, type Fields, huggingFace, windowed } from "./hugging-face.ts";
import type { FieldKinds } from "./read-fields.ts";

/** The fields that all of them read. */
export const LLAMA_FIELDS: FieldKinds = { ...DECODER_FIELDS, rms_norm_eps: EPS };
const EMBEDDING = "model.embed_tokens.weight";
const at = "model.layers.{l}";

/** TransformerLens' fields of what `LLAMA_FIELDS` say. */
export function llamaConfig(
  json: Fields,
  called: string,
  defaults: Partial<DecoderDefaults> = {},
): Record<string, unknown> {
  return {
    ...decoder(json, called, { hidden_act: "silu", ...defaults }),
    eps: json.or("rms_norm_eps", 1e-6),
    normalization_type: "RMS",
    final_rms: true,
    gated_mlp: true,
  };
}

/** Where their weights are: all but biases. */
export function llamaSources(): Sources {
  return {
    "blocks.{l}.ln1.w": same(`${at}.input_layernorm.weight`),
    ...matrices("blocks.{l}.attn", LLAMA_PROJECTIONS),
    "blocks.{l}.ln2.w": same(`${at}.post_attention_layernorm.weight`),
    ...matrices("blocks.{l}.mlp", LLAMA_MLP),
    "ln_final.w": same("model.norm.weight"),
  };
}

/** The names of a gated MLP's projections. */
export const LLAMA_MLP = { gate: `${at}.mlp.gate_proj`, in: `${at}.mlp.up_proj`, out: `${at}.mlp.down_proj` };

/** Biases of the MLPs, in models that have them. */
export function llamaMlpBiases(): Sources {
  const { gate, in: linear, out } = LLAMA_MLP;
  return optionalBiases("blocks.{l}.mlp", { gate, linear, out });
}

export const LLAMA_PROJECTIONS = projectionsOf(`${at}.self_attn`);

/** An inverse frequency that old versions of transformers saved with the weights. */
export const LLAMA_BUFFERS = /\.rotary_emb\.inv_freq$/;

export const llama = huggingFace({
  name: "llama",
  called: "Llama",
  architecture: "LlamaForCausalLM",
  embedding: EMBEDDING,
  unembedding: "lm_head.weight",
  tied: false,
  fields: { ...LLAMA_FIELDS, attention_bias: FLAG, mlp_bias: FLAG },
  config: (json) => ({ ...llamaConfig(json, "Llama"), gated_mlp_biases: json.or("mlp_bias", false) }),
  sources: () => ({
    ...llamaSources(),
    ...optionalBiases("blocks.{l}.attn", LLAMA_PROJECTIONS),
    ...llamaMlpBiases(),
  }),
  buffers: LLAMA_BUFFERS,
});

/** All layers are local where there is a window. */
export const mistral = huggingFace({
  name: "mistral",
  called: "Mistral",
  architecture: "MistralForCausalLM",
  embedding: EMBEDDING,
  unembedding: "lm_head.weight",
  tied: false,
  fields: { ...LLAMA_FIELDS, sliding_window: orNull(SIZE) },
  config(json) {
    const all = new Array<boolean>(json.need("num_hidden_layers")).fill(true);
    const fields = llamaConfig(json, "Mistral", { num_key_value_heads: 8 });
    return { ...fields, ...windowed(json.orNull("sliding_window", 4096), all) };
  },
  sources: llamaSources,
  buffers: LLAMA_BUFFERS,
});
