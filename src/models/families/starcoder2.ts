/** Starcoder 2: rotary positions, LayerNorm, plain MLPs, keys and values that heads share. */
import { FLAG, orNull } from "../../tensor/kinds.ts";
import { EPS, SIZE } from "../config/bounds.ts";
import { layerNorm, matrices, optionalBiases, projectionsOf } from "./checkpoint.ts";
import { DECODER_FIELDS, decoder, huggingFace, windowed } from "./hugging-face.ts";

const EMBEDDING = "model.embed_tokens.weight";
const at = "model.layers.{l}";

export const starcoder2 = huggingFace({
  name: "starcoder2",
  called: "Starcoder 2",
  architecture: "Starcoder2ForCausalLM",
  embedding: EMBEDDING,
  unembedding: "lm_head.weight",
  tied: true,
  fields: { ...DECODER_FIELDS, norm_epsilon: EPS, sliding_window: orNull(SIZE), use_bias: FLAG },
  config(json) {
    const all = new Array<boolean>(json.need("num_hidden_layers")).fill(true);
    return {
      ...decoder(json, "Starcoder 2", { hidden_act: "gelu_pytorch_tanh", num_key_value_heads: 2 }),
      eps: json.or("norm_epsilon", 1e-5),
      normalization_type: "LN",
      ...windowed(json.orNull<number>("sliding_window", null), all),
    };
  },
  sources() {
    const projections = projectionsOf(`${at}.self_attn`);
    const mlp = { in: `${at}.mlp.c_fc`, out: `${at}.mlp.c_proj` };
    return {
      ...layerNorm("blocks.{l}.ln1", `${at}.input_layernorm`),
      ...matrices("blocks.{l}.attn", projections),
      ...optionalBiases("blocks.{l}.attn", projections),
      ...layerNorm("blocks.{l}.ln2", `${at}.post_attention_layernorm`),
      ...matrices("blocks.{l}.mlp", mlp),
      ...optionalBiases("blocks.{l}.mlp", mlp),
      ...layerNorm("ln_final", "model.norm"),
    };
  },
});
