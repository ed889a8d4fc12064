/** StableLM: rotary positions on a part of each head, LayerNorm, gated MLPs; StableLM 2 12B norms queries and keys. */
import { FLAG, orNull } from "../../tensor/kinds.ts";
import { EPS } from "../config/bounds.ts";
import { layerNorm, matrices, optionalBiases, projectionsOf } from "./checkpoint.ts";
import { DECODER_FIELDS, decoder, huggingFace } from "./hugging-face.ts";
import { SHARE } from "./read-fields.ts";
import { stacked } from "./several.ts";

const EMBEDDING = "model.embed_tokens.weight";
const at = "model.layers.{l}";

/** Each head has a norm of its own, in an array of its own. */
const normsOf = (x: string, heads: number) =>
  stacked(heads, (head) => `${at}.self_attn.${x}_layernorm.norms.${head}.weight`);

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
    return {
      ...decoder(json, "StableLM", { hidden_act: "silu", share: 0.25, num_key_value_heads: 32 }),
      eps: json.or("layer_norm_eps", 1e-5),
      normalization_type: "LN",
      gated_mlp: true,
      parallel_attn_mlp: json.or("use_parallel_residual", false),
      ...(json.or<boolean>("qk_layernorm", false) && { use_qk_norm: true, qk_norm_type: "LNWithoutBias" }),
    };
  },
  sources({ parallelAttnMlp, nHeads, nKeyValueHeads }) {
    const { O, ...queriesKeysValues } = projectionsOf(`${at}.self_attn`);
    const mlp = { gate: `${at}.mlp.gate_proj`, in: `${at}.mlp.up_proj`, out: `${at}.mlp.down_proj` };
    return {
      ...layerNorm("blocks.{l}.ln1", `${at}.input_layernorm`),
      ...matrices("blocks.{l}.attn", { ...queriesKeysValues, O }),
      ...optionalBiases("blocks.{l}.attn", queriesKeysValues),
      "blocks.{l}.attn.q_norm.w": normsOf("q", nHeads),
      "blocks.{l}.attn.k_norm.w": normsOf("k", nKeyValueHeads ?? nHeads),
      ...layerNorm("blocks.{l}.ln2", `${at}.${parallelAttnMlp ? "input" : "post_attention"}_layernorm`),
      ...matrices("blocks.{l}.mlp", mlp),
      ...layerNorm("ln_final", "model.norm"),
    };
  },
});
