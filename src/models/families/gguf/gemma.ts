/** The three generations of Gemma, whose converter adds 1 to the weights of norms. */
import type { ConfigJson } from "../family.ts";
import type { GgufArchitecture } from "./architecture.ts";
import { heads, minusOne } from "./changes.ts";
import { ATTENTION, decoderConfig, ENDS, GATED, headDim, LLAMA_NAMES, layerTypes, rmsEps } from "./decoder.ts";
import { ropeParameters } from "./rope.ts";
import type { GgufSettings } from "./settings.ts";

const at = "model.layers.{l}";

/** Norms before and after attention and MLP. */
const FOUR_NORMS = {
  ...ENDS,
  ...ATTENTION,
  ...GATED,
  "blk.attn_norm": `${at}.input_layernorm`,
  "blk.post_attention_norm": `${at}.post_attention_layernorm`,
  "blk.ffn_norm": `${at}.pre_feedforward_layernorm`,
  "blk.post_ffw_norm": `${at}.post_feedforward_layernorm`,
};

const shifted = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, minusOne]));
const TWO_SHIFTED = ["output_norm", "blk.attn_norm", "blk.ffn_norm"];
const FOUR_SHIFTED = [...TWO_SHIFTED, "blk.post_attention_norm", "blk.post_ffw_norm"];

/** What scores are divided by the root of: files do not say it; llama.cpp takes the size of a head, but for the largest model. */
function scale(s: GgufSettings, layersOfLargest: number): ConfigJson {
  const size = s.need("attention.key_length");
  const isLargest = s.layers === layersOfLargest;
  return { query_pre_attn_scalar: isLargest ? s.need("embedding_length") / heads(s) : size };
}

export const gemma: GgufArchitecture = {
  name: "gemma",
  config: (s) => ({ ...decoderConfig("gemma", s), ...headDim(s), ...rmsEps(s) }),
  names: () => LLAMA_NAMES,
  changes: shifted(TWO_SHIFTED),
};

export const gemma2: GgufArchitecture = {
  name: "gemma2",
  config: (s) => ({
    ...decoderConfig("gemma2", s),
    ...headDim(s),
    ...rmsEps(s),
    ...scale(s, 46),
    attn_logit_softcapping: s.or("attn_logit_softcapping", 50),
    final_logit_softcapping: s.or("final_logit_softcapping", 30),
    sliding_window: s.or("attention.sliding_window", 4096),
    layer_types: layerTypes(s, 2),
  }),
  names: () => FOUR_NORMS,
  changes: shifted(FOUR_SHIFTED),
};

export const gemma3: GgufArchitecture = {
  name: "gemma3",
  config(s) {
    const local = { rope_theta: s.or("rope.freq_base_swa", 10000), rope_type: "default" };
    const base = s.or("rope.freq_base", 1_000_000);
    return {
      ...decoderConfig("gemma3_text", s),
      ...headDim(s),
      ...rmsEps(s),
      ...scale(s, 62),
      final_logit_softcapping: s.maybe("final_logit_softcapping") ?? null,
      sliding_window: s.or("attention.sliding_window", 4096),
      layer_types: layerTypes(s, 6),
      rope_parameters: {
        full_attention: { ...ropeParameters(s), rope_theta: base },
        sliding_attention: local,
      },
    };
  },
  names: () => FOUR_NORMS,
  changes: shifted([...FOUR_SHIFTED, "blk.attn_q_norm", "blk.attn_k_norm"]),
};
