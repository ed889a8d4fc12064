/** GPTBigCode (Starcoder, SantaCoder): GPT-2 with one head of keys and values for all. */
import { FLAG, orNull } from "../../tensor/kinds.ts";
import { SIZE } from "../config/bounds.ts";
import { biases, layerNorm, matrices, rowsOf, same } from "./checkpoint.ts";
import { GPT_FIELDS, gpt, huggingFace } from "./hugging-face.ts";

const EMBEDDING = "transformer.wte.weight";
const at = "transformer.h.{l}";

export const gptBigcode = huggingFace({
  name: "gpt_bigcode",
  called: "GPTBigCode",
  architecture: "GPTBigCodeForCausalLM",
  embedding: EMBEDDING,
  unembedding: "lm_head.weight",
  tied: true,
  fields: {
    ...GPT_FIELDS,
    num_key_value_heads: orNull(SIZE),
    // In which precision scores are scaled; all arithmetic is in float32.
    attention_softmax_in_fp32: FLAG,
    scale_attention_softmax_in_fp32: FLAG,
    multi_query: FLAG,
  },
  config(json) {
    json.only("multi_query", true);
    return {
      ...gpt(json, "gelu_pytorch_tanh"),
      n_key_value_heads: json.need("n_head") === 1 ? null : 1,
      use_attn_scale: json.or("scale_attn_weights", true),
    };
  },
  sources({ nHeads, dHead }) {
    const width = nHeads * dHead;
    // All queries, then the key, then the value.
    const part = (first: number, kind: "weight" | "bias") =>
      rowsOf(`${at}.attn.c_attn.${kind}`, width + 2 * dHead, (head, e) => first + head * dHead + e);
    const mlp = { in: `${at}.mlp.c_fc`, out: `${at}.mlp.c_proj` };
    return {
      "pos_embed.W_pos": same("transformer.wpe.weight"),
      ...layerNorm("blocks.{l}.ln1", `${at}.ln_1`),
      "blocks.{l}.attn.W_Q": part(0, "weight"),
      "blocks.{l}.attn.b_Q": part(0, "bias"),
      "blocks.{l}.attn.W_K": part(width, "weight"),
      "blocks.{l}.attn.b_K": part(width, "bias"),
      "blocks.{l}.attn.W_V": part(width + dHead, "weight"),
      "blocks.{l}.attn.b_V": part(width + dHead, "bias"),
      ...matrices("blocks.{l}.attn", { O: `${at}.attn.c_proj` }),
      ...biases("blocks.{l}.attn", { O: `${at}.attn.c_proj` }),
      ...layerNorm("blocks.{l}.ln2", `${at}.ln_2`),
      ...matrices("blocks.{l}.mlp", mlp),
      ...biases("blocks.{l}.mlp", mlp),
      ...layerNorm("ln_final", "transformer.ln_f"),
    };
  },
  buffers: /\.attn\.(bias|masked_bias)$/,
});
