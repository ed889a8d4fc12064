/** Cohere's Command R: attention and MLP side by side, of one LayerNorm without biases; logits are scaled. */
import { FLAG, orNull } from "../../tensor/kinds.ts";
import { EPS, FACTOR, SIZE } from "../config/bounds.ts";
import { asHeads, matrices, optionalBiases, same } from "./checkpoint.ts";
import { DECODER_FIELDS, decoder, huggingFace } from "./hugging-face.ts";
import { LLAMA_MLP, LLAMA_PROJECTIONS } from "./llama.ts";

const at = "model.layers.{l}";

export const cohere = huggingFace({
  name: "cohere",
  called: "Cohere",
  architecture: "CohereForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: true,
  fields: {
    ...DECODER_FIELDS,
    layer_norm_eps: EPS,
    logit_scale: FACTOR,
    attention_bias: FLAG,
    use_qk_norm: orNull(FLAG),
    /** Of the tokenizer; published files have it here too. */
    model_max_length: SIZE,
  },
  config: (json) => ({
    ...decoder(json, "Cohere", { hidden_act: "silu", rope_theta: 500_000 }),
    rotary_adjacent_pairs: true,
    eps: json.or("layer_norm_eps", 1e-5),
    normalization_type: "LN",
    norm_bias: false,
    gated_mlp: true,
    parallel_attn_mlp: true,
    use_qk_norm: json.or("use_qk_norm", false),
    qk_norm_type: "LNWithoutBias",
  }),
  sources: () => ({
    "blocks.{l}.ln1.w": same(`${at}.input_layernorm.weight`),
    ...matrices("blocks.{l}.attn", LLAMA_PROJECTIONS),
    ...optionalBiases("blocks.{l}.attn", LLAMA_PROJECTIONS),
    "blocks.{l}.attn.q_norm.w": asHeads(`${at}.self_attn.q_norm.weight`),
    "blocks.{l}.attn.k_norm.w": asHeads(`${at}.self_attn.k_norm.weight`),
    "blocks.{l}.ln2.w": same(`${at}.input_layernorm.weight`),
    ...matrices("blocks.{l}.mlp", LLAMA_MLP),
    "ln_final.w": same("model.norm.weight"),
  }),
  scales: (json) => ({ logits: json.or("logit_scale", 0.0625) }),
});
