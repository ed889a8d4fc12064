/** GPT-NeoX and Pythia: rotary positions on a part of each head, attention and MLP side by side. */
import { FLAG, orNull, POSITIVE } from "../../tensor/kinds.ts";
import { EPS } from "../config/bounds.ts";
import { biases, inGroups, layerNorm, matrices, optionalBiases } from "./checkpoint.ts";
import { DECODER_FIELDS, decoder, huggingFace } from "./hugging-face.ts";
import { SHARE } from "./read-fields.ts";

const EMBEDDING = "gpt_neox.embed_in.weight";
const at = "gpt_neox.layers.{l}";

export const gptNeox = huggingFace({
  name: "gpt_neox",
  called: "GPT-NeoX",
  architecture: "GPTNeoXForCausalLM",
  embedding: EMBEDDING,
  unembedding: "embed_out.weight",
  tied: false,
  fields: {
    ...DECODER_FIELDS,
    layer_norm_eps: EPS,
    rotary_pct: orNull(SHARE),
    rotary_emb_base: orNull(POSITIVE),
    partial_rotary_factor: orNull(SHARE),
    use_parallel_residual: FLAG,
    attention_bias: FLAG,
  },
  config: (json) => ({
    ...decoder(json, "GPT-NeoX", { hidden_act: "gelu", share: 0.25 }),
    eps: json.or("layer_norm_eps", 1e-5),
    normalization_type: "LN",
    parallel_attn_mlp: json.or("use_parallel_residual", true),
  }),
  sources({ nHeads, dHead }) {
    const mlp = { in: `${at}.mlp.dense_h_to_4h`, out: `${at}.mlp.dense_4h_to_h` };
    return {
      ...layerNorm("blocks.{l}.ln1", `${at}.input_layernorm`),
      ...inGroups("blocks.{l}.attn", `${at}.attention.query_key_value`, nHeads, nHeads, dHead),
      ...matrices("blocks.{l}.attn", { O: `${at}.attention.dense` }),
      ...optionalBiases("blocks.{l}.attn", { O: `${at}.attention.dense` }),
      ...layerNorm("blocks.{l}.ln2", `${at}.post_attention_layernorm`),
      ...matrices("blocks.{l}.mlp", mlp),
      ...biases("blocks.{l}.mlp", mlp),
      ...layerNorm("ln_final", "gpt_neox.final_layer_norm"),
    };
  },
  buffers: /\.(attention\.(bias|masked_bias)|rotary_emb\.inv_freq)$/,
});
