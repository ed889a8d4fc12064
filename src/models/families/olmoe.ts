/** OLMoE: as Llama, with experts, and norms of all heads' queries and keys together. */
import { FLAG, orNull } from "../../tensor/kinds.ts";
import { FACTOR } from "../config/bounds.ts";
import { optionalBiases } from "./checkpoint.ts";
import { EXPERT_FIELDS, expertSources, experts, GATED } from "./expert-fields.ts";
import { huggingFace } from "./hugging-face.ts";
import { LLAMA_BUFFERS, LLAMA_FIELDS, LLAMA_PROJECTIONS, llamaConfig, llamaSources } from "./llama.ts";
import { qkNormSources } from "./qwen.ts";

const mlp = "model.layers.{l}.mlp";

export const olmoe = huggingFace({
  name: "olmoe",
  called: "OLMoE",
  architecture: "OlmoeForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: false,
  fields: {
    ...{ ...LLAMA_FIELDS, ...EXPERT_FIELDS },
    ...{ norm_topk_prob: FLAG, attention_bias: FLAG, clip_qkv: orNull(FACTOR) },
  },
  config(json) {
    return {
      ...llamaConfig(json, "OLMoE"),
      ...experts(json, 64, 8),
      eps: json.or("rms_norm_eps", 1e-5),
      norm_topk_prob: json.or("norm_topk_prob", false),
      use_qk_norm: true,
      qk_norm_type: "RMSOfAllHeads",
      qkv_clip: json.orNull("clip_qkv", null),
    };
  },
  sources: ({ numExperts }) => ({
    ...llamaSources(),
    ...expertSources(numExperts, `${mlp}.gate`, `${mlp}.experts`, GATED),
    ...optionalBiases("blocks.{l}.attn", LLAMA_PROJECTIONS),
    ...qkNormSources,
  }),
  buffers: LLAMA_BUFFERS,
});
