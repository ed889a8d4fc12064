/** What most architectures have in common: names and settings as of Llama. */
import type { ConfigJson } from "../family.ts";
import { heads, keyValueHeads } from "./changes.ts";
import { ropeParameters } from "./rope.ts";
import type { GgufSettings } from "./settings.ts";

const at = "model.layers.{l}";

/** Tensors outside of the blocks. */
export const ENDS = { token_embd: "model.embed_tokens", output_norm: "model.norm", output: "lm_head" } as const;

/** Attention with its own matrices for queries, keys and values. */
export const ATTENTION = {
  "blk.attn_q": `${at}.self_attn.q_proj`,
  "blk.attn_k": `${at}.self_attn.k_proj`,
  "blk.attn_v": `${at}.self_attn.v_proj`,
  "blk.attn_output": `${at}.self_attn.o_proj`,
  "blk.attn_q_norm": `${at}.self_attn.q_norm`,
  "blk.attn_k_norm": `${at}.self_attn.k_norm`,
} as const;

/** Norms before attention and MLP. */
export const NORMS = {
  "blk.attn_norm": `${at}.input_layernorm`,
  "blk.ffn_norm": `${at}.post_attention_layernorm`,
} as const;

export const GATED = {
  "blk.ffn_gate": `${at}.mlp.gate_proj`,
  "blk.ffn_up": `${at}.mlp.up_proj`,
  "blk.ffn_down": `${at}.mlp.down_proj`,
} as const;

export const LLAMA_NAMES = { ...ENDS, ...ATTENTION, ...NORMS, ...GATED };

/** Experts with a matrix each, and what chooses them. */
export const EXPERTS = {
  "blk.ffn_gate_inp": `${at}.mlp.gate`,
  "blk.ffn_gate_exps": `${at}.mlp.experts.{e}.gate_proj`,
  "blk.ffn_up_exps": `${at}.mlp.experts.{e}.up_proj`,
  "blk.ffn_down_exps": `${at}.mlp.experts.{e}.down_proj`,
} as const;

/** The sizes of any model. The vocabulary is as large as the embedding, which some converters cut or pad. */
export function sizes(s: GgufSettings) {
  return {
    layers: s.layers,
    d_model: s.need("embedding_length"),
    heads: heads(s),
    n_ctx: s.need("context_length"),
    d_vocab: s.rows("token_embd.weight"),
    tied: !s.has("output.weight"),
  };
}

/** Fields of Hugging Face's decoders with rotary positions. */
export function decoderConfig(model_type: string, s: GgufSettings): ConfigJson {
  const { layers, d_model, heads, n_ctx, d_vocab, tied } = sizes(s);
  return {
    model_type,
    num_hidden_layers: layers,
    hidden_size: d_model,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads(s),
    intermediate_size: s.has("blk.0.ffn_up.weight") ? s.rows("blk.0.ffn_up.weight") : s.need("feed_forward_length"),
    max_position_embeddings: n_ctx,
    vocab_size: d_vocab,
    tie_word_embeddings: tied,
    rope_parameters: ropeParameters(s),
  };
}

/** The size of a head, where it is not the stream's width by the number of heads. */
export function headDim(s: GgufSettings): ConfigJson {
  const size = s.maybe("attention.key_length");
  return size === undefined ? {} : { head_dim: size };
}

export const rmsEps = (s: GgufSettings): ConfigJson => ({ rms_norm_eps: s.need("attention.layer_norm_rms_epsilon") });

/** How much of a head is turned, beside the other parameters of rotary positions. */
export function partialRope(s: GgufSettings): ConfigJson {
  const d_head = s.or("attention.key_length", s.need("embedding_length") / heads(s));
  const share = s.or("rope.dimension_count", d_head) / d_head;
  return { rope_parameters: { ...ropeParameters(s), partial_rotary_factor: share } };
}

/** Which layers are local: as the file says, or all but each n-th. */
export function layerTypes(s: GgufSettings, every: number): readonly string[] {
  const local = s.eachLayer("attention.sliding_window_pattern");
  const count = local ? every : s.or("attention.sliding_window_pattern", every);
  return Array.from({ length: s.layers }, (_, l) => {
    const isLocal = local ? local[l] === true : (l + 1) % count !== 0;
    return isLocal ? "sliding_attention" : "full_attention";
  });
}
