/** Mixtral: as Mistral, with a mixture of experts in place of each MLP. */
import { orNull } from "../../tensor/kinds.ts";
import { SIZE } from "../config/bounds.ts";
import { EXPERT_FIELDS, expertSources, experts } from "./expert-fields.ts";
import { huggingFace, windowed } from "./hugging-face.ts";
import { LLAMA_BUFFERS, LLAMA_FIELDS, llamaConfig, llamaSources } from "./llama.ts";

const moe = "model.layers.{l}.block_sparse_moe";

export const mixtral = huggingFace({
  name: "mixtral",
  called: "Mixtral",
  architecture: "MixtralForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: false,
  fields: { ...LLAMA_FIELDS, ...EXPERT_FIELDS, sliding_window: orNull(SIZE) },
  config(json) {
    const all = new Array<boolean>(json.need("num_hidden_layers")).fill(true);
    return {
      ...llamaConfig(json, "Mixtral", { num_key_value_heads: 8, rope_theta: 1e6 }),
      ...experts(json, 8, 2),
      eps: json.or("rms_norm_eps", 1e-5),
      ...windowed(json.orNull<number>("sliding_window", null), all),
    };
  },
  sources: ({ numExperts }) => ({
    ...llamaSources(),
    ...expertSources(numExperts, `${moe}.gate`, `${moe}.experts`, { gate: "w1", in: "w3", out: "w2" }),
  }),
  buffers: LLAMA_BUFFERS,
});
