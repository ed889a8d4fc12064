/** GPT-J and CodeGen: rotary positions in neighbouring pairs; attention and MLP side by side, of one norm. */
import { ConfigError } from "../../tensor/errors.ts";
import { COUNT, FLAG, orNull, TEXT } from "../../tensor/kinds.ts";
import { EPS, LAYERS, SIZE } from "../config/bounds.ts";
import { linear, rowsOf, type Sources, same } from "./checkpoint.ts";
import { activation, type Fields, huggingFace } from "./hugging-face.ts";
import type { FieldKinds } from "./read-fields.ts";

const FIELDS: FieldKinds = {
  model_type: TEXT,
  n_layer: LAYERS,
  n_embd: SIZE,
  n_head: SIZE,
  n_inner: orNull(SIZE),
  n_positions: SIZE,
  vocab_size: SIZE,
  activation_function: TEXT,
  layer_norm_epsilon: EPS,
  rotary_dim: orNull(COUNT),
  tie_word_embeddings: FLAG,
  scale_attn_weights: FLAG,
  rotary: FLAG,
  n_ctx: orNull(COUNT),
};

function config(json: Fields): Record<string, unknown> {
  json.only("scale_attn_weights", true);
  json.only("rotary", true);
  const [d_model, heads] = [json.need("n_embd"), json.need("n_head")];
  return {
    n_layers: json.need("n_layer"),
    d_model,
    n_heads: heads,
    d_head: d_model / heads,
    d_mlp: json.or("n_inner", 4 * d_model),
    n_ctx: json.need("n_positions"),
    d_vocab: json.need("vocab_size"),
    act_fn: activation(json.or("activation_function", "gelu_new")),
    eps: json.or("layer_norm_epsilon", 1e-5),
    normalization_type: "LN",
    parallel_attn_mlp: true,
    positional_embedding_type: "rotary",
    rotary_dim: json.or("rotary_dim", d_model / heads),
    rotary_adjacent_pairs: true,
  };
}

/** All but queries, keys and values. The MLP has the same norm as attention. */
function sources(has: (name: string) => boolean): Sources {
  const at = "transformer.h.{l}";
  const [w, b] = [same(`${at}.ln_1.weight`), same(`${at}.ln_1.bias`)];
  return {
    "embed.W_E": same("transformer.wte.weight"),
    "blocks.{l}.ln1.w": w,
    "blocks.{l}.ln1.b": b,
    "blocks.{l}.ln2.w": w,
    "blocks.{l}.ln2.b": b,
    "blocks.{l}.attn.W_O": linear(`${at}.attn.out_proj.weight`),
    "blocks.{l}.mlp.W_in": linear(`${at}.mlp.fc_in.weight`),
    "blocks.{l}.mlp.b_in": same(`${at}.mlp.fc_in.bias`),
    "blocks.{l}.mlp.W_out": linear(`${at}.mlp.fc_out.weight`),
    "blocks.{l}.mlp.b_out": same(`${at}.mlp.fc_out.bias`),
    "ln_final.w": same("transformer.ln_f.weight"),
    "ln_final.b": same("transformer.ln_f.bias"),
    "unembed.W_U": linear(has("lm_head.weight") ? "lm_head.weight" : "transformer.wte.weight"),
    "unembed.b_U": same("lm_head.bias"),
  };
}

const buffers = /\.attn\.(bias|masked_bias|causal_mask|embed_positions)$/;

export const gptj = huggingFace({
  name: "gptj",
  called: "GPT-J",
  architecture: "GPTJForCausalLM",
  embedding: "transformer.wte.weight",
  fields: FIELDS,
  config,
  sources: (_config, has) => ({
    ...sources(has),
    "blocks.{l}.attn.W_Q": linear("transformer.h.{l}.attn.q_proj.weight"),
    "blocks.{l}.attn.W_K": linear("transformer.h.{l}.attn.k_proj.weight"),
    "blocks.{l}.attn.W_V": linear("transformer.h.{l}.attn.v_proj.weight"),
  }),
  buffers,
});

/** Its heads lie in four groups, for four devices: in each all queries, all values, all keys. */
const GROUPS = 4;

export const codegen = huggingFace({
  name: "codegen",
  called: "CodeGen",
  architecture: "CodeGenForCausalLM",
  embedding: "transformer.wte.weight",
  fields: FIELDS,
  config(json) {
    const heads = json.need("n_head");
    if (heads % GROUPS === 0) return config(json);
    throw new ConfigError(`n_head is ${heads}, but CodeGen's heads lie in ${GROUPS} groups of equal size.`, {
      asked: "n_head",
      found: heads,
    });
  },
  sources({ nHeads, dHead }, has) {
    const width = (nHeads / GROUPS) * dHead;
    const part = (which: number) =>
      rowsOf("transformer.h.{l}.attn.qkv_proj.weight", 3 * nHeads * dHead, (head, e) => {
        const at = head * dHead + e;
        return Math.floor(at / width) * 3 * width + which * width + (at % width);
      });
    return {
      ...sources(has),
      "blocks.{l}.attn.W_Q": part(0),
      "blocks.{l}.attn.W_V": part(1),
      "blocks.{l}.attn.W_K": part(2),
    };
  },
  buffers,
});
