/** Phi 3 and 4: as Llama, with queries, keys and values in one matrix, and gates and what they multiply in another. */
import { FLAG, orNull } from "../../tensor/kinds.ts";
import { SIZE } from "../config/bounds.ts";
import { linear, rowBlock, same, sideBySide } from "./checkpoint.ts";
import { huggingFace, windowed } from "./hugging-face.ts";
import { LLAMA_BUFFERS, LLAMA_FIELDS, llamaConfig } from "./llama.ts";
import { SHARE } from "./read-fields.ts";

const at = "model.layers.{l}";

export const phi3 = huggingFace({
  name: "phi3",
  called: "Phi 3",
  architecture: "Phi3ForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: false,
  fields: {
    ...LLAMA_FIELDS,
    sliding_window: orNull(SIZE),
    partial_rotary_factor: orNull(SHARE),
    ...{ attention_bias: FLAG, mlp_bias: FLAG, lm_head_bias: FLAG, full_attn_mod: SIZE, interpolate_factor: SIZE },
  },
  config(json) {
    for (const name of ["attention_bias", "mlp_bias", "lm_head_bias"]) json.only(name, false);
    for (const name of ["full_attn_mod", "interpolate_factor"]) json.only(name, 1);
    const all = new Array<boolean>(json.need("num_hidden_layers")).fill(true);
    return {
      ...llamaConfig(json, "Phi 3", { original_max_position_embeddings: 4096 }),
      eps: json.or("rms_norm_eps", 1e-5),
      ...windowed(json.orNull<number>("sliding_window", null), all),
    };
  },
  sources({ nHeads, nKeyValueHeads, dHead }) {
    return {
      "blocks.{l}.ln1.w": same(`${at}.input_layernorm.weight`),
      ...sideBySide("blocks.{l}.attn", `${at}.self_attn.qkv_proj`, nHeads, nKeyValueHeads ?? nHeads, dHead),
      "blocks.{l}.attn.W_O": linear(`${at}.self_attn.o_proj.weight`),
      "blocks.{l}.ln2.w": same(`${at}.post_attention_layernorm.weight`),
      "blocks.{l}.mlp.W_gate": rowBlock(`${at}.mlp.gate_up_proj.weight`, 2, 0),
      "blocks.{l}.mlp.W_in": rowBlock(`${at}.mlp.gate_up_proj.weight`, 2, 1),
      "blocks.{l}.mlp.W_out": linear(`${at}.mlp.down_proj.weight`),
      "ln_final.w": same("model.norm.weight"),
    };
  },
  buffers: LLAMA_BUFFERS,
});
