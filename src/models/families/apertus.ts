/** Apertus: as Llama, with plain MLPs whose nonlinearity has learned numbers, and norms of queries and keys. */
import { FLAG } from "../../tensor/kinds.ts";
import { matrices, optionalBiases, type Source, same } from "./checkpoint.ts";
import { huggingFace } from "./hugging-face.ts";
import { LLAMA_FIELDS, LLAMA_PROJECTIONS, llamaConfig } from "./llama.ts";
import { qkNormSources } from "./qwen.ts";

const at = "model.layers.{l}";

/** A number, which checkpoints hold as a list of one. */
function number(name: string): Source {
  return { ...same(name), shape: () => [1] };
}

export const apertus = huggingFace({
  name: "apertus",
  called: "Apertus",
  architecture: "ApertusForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: false,
  fields: { ...LLAMA_FIELDS, attention_bias: FLAG, mlp_bias: FLAG, post_norm: FLAG, qk_norm: FLAG },
  config(json) {
    // Published files say so; transformers reads none of these.
    json.only("mlp_bias", false);
    json.only("post_norm", false);
    json.only("qk_norm", true);
    return {
      ...llamaConfig(json, "Apertus", { hidden_act: "xielu", rope_theta: 12_000_000 }),
      eps: json.or("rms_norm_eps", 1e-5),
      gated_mlp: false,
      use_qk_norm: true,
    };
  },
  sources: () => ({
    "blocks.{l}.ln1.w": same(`${at}.attention_layernorm.weight`),
    ...matrices("blocks.{l}.attn", LLAMA_PROJECTIONS),
    ...optionalBiases("blocks.{l}.attn", LLAMA_PROJECTIONS),
    ...qkNormSources,
    "blocks.{l}.ln2.w": same(`${at}.feedforward_layernorm.weight`),
    ...matrices("blocks.{l}.mlp", { in: `${at}.mlp.up_proj`, out: `${at}.mlp.down_proj` }),
    "blocks.{l}.mlp.act_fn.alpha_p": number(`${at}.mlp.act_fn.alpha_p`),
    "blocks.{l}.mlp.act_fn.alpha_n": number(`${at}.mlp.act_fn.alpha_n`),
    "ln_final.w": same("model.norm.weight"),
  }),
  // The numbers of xIELU that are not learned are the same in all models.
  buffers: /\.(rotary_emb\.inv_freq|act_fn\.(beta|eps))$/,
});
