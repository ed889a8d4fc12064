/** StableLM: rotary positions on a part of each head, LayerNorm, gated MLPs. */
import { FLAG, orNull } from "../../tensor/kinds.ts";
import { EPS } from "../config/bounds.ts";
import { layerNorm, matrices, optionalBiases, projectionsOf } from "./checkpoint.ts";
import { DECODER_FIELDS, decoder, huggingFace } from "./hugging-face.ts";
import { SHARE } from "./read-fields.ts";

const EMBEDDING = "model.embed_tokens.weight";
const at = "model.layers.{l}";

export const stablelm = huggingFace({
  name: "stablelm",
  called: "StableLM",
  architecture: "StableLmForCausalLM",
  embedding: EMBEDDING,
  unembedding: "lm_head.weight",
  tied: false,
  fields: {
    ...DECODER_FIELDS,
    layer_norm_eps: EPS,
    partial_rotary_factor: orNull(SHARE),
    qk_layernorm: FLAG,
    use_parallel_residual: FLAG,
    use_qkv_bias: FLAG,
  },
  config(json) {
    // Each head has norms of its own, in arrays of their own.
    json.only("qk_layernorm", false);
    return {
      ...decoder(json, "StableLM", { hidden_act: "silu", share: 0.25, num_key_value_heads: 32 }),
      eps: json.or("layer_norm_eps", 1e-5),
      normalization_type: "LN",
      gated_mlp: true,
      parallel_attn_mlp: json.or("use_parallel_residual", false),
    };
  },
  sources({ parallelAttnMlp }) {
    const { O, ...queriesKeysValues } = projectionsOf(`${at}.self_attn`);
    const mlp = { gate: `${at}.mlp.gate_proj`, in: `${at}.mlp.up_proj`, out: `${at}.mlp.down_proj` };
    return {
      ...layerNorm("blocks.{l}.ln1", `${at}.input_layernorm`),
      ...matrices("blocks.{l}.attn", { ...queriesKeysValues, O }),
      ...optionalBiases("blocks.{l}.attn", queriesKeysValues),
      ...layerNorm("blocks.{l}.ln2", `${at}.${parallelAttnMlp ? "input" : "post_attention"}_layernorm`),
      ...matrices("blocks.{l}.mlp", mlp),
      ...layerNorm("ln_final", "model.norm"),
    };
  },
});
