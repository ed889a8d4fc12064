/** Phi 1 and 2: rotary positions on a part of each head; attention and MLP side by side, of one norm. */
import { FLAG, orNull } from "../../tensor/kinds.ts";
import { EPS } from "../config/bounds.ts";
import { biases, layerNorm, matrices, projectionsOf, same } from "./checkpoint.ts";
import { DECODER_FIELDS, decoder, huggingFace } from "./hugging-face.ts";
import { SHARE } from "./read-fields.ts";

const EMBEDDING = "model.embed_tokens.weight";
const at = "model.layers.{l}";

export const phi = huggingFace({
  name: "phi",
  called: "Phi",
  architecture: "PhiForCausalLM",
  embedding: EMBEDDING,
  unembedding: "lm_head.weight",
  tied: false,
  fields: { ...DECODER_FIELDS, layer_norm_eps: EPS, partial_rotary_factor: orNull(SHARE), qk_layernorm: FLAG },
  config: (json) => ({
    ...decoder(json, "Phi", { hidden_act: "gelu_new", share: 0.5 }),
    eps: json.or("layer_norm_eps", 1e-5),
    normalization_type: "LN",
    parallel_attn_mlp: true,
    use_qk_norm: json.or("qk_layernorm", false),
    qk_norm_type: "LN",
  }),
  sources() {
    const projections = projectionsOf(`${at}.self_attn`, "dense");
    const mlp = { in: `${at}.mlp.fc1`, out: `${at}.mlp.fc2` };
    return {
      ...layerNorm("blocks.{l}.ln1", `${at}.input_layernorm`),
      ...matrices("blocks.{l}.attn", projections),
      ...biases("blocks.{l}.attn", projections),
      ...layerNorm("blocks.{l}.attn.q_norm", `${at}.self_attn.q_layernorm`),
      ...layerNorm("blocks.{l}.attn.k_norm", `${at}.self_attn.k_layernorm`),
      ...layerNorm("blocks.{l}.ln2", `${at}.input_layernorm`),
      ...matrices("blocks.{l}.mlp", mlp),
      ...biases("blocks.{l}.mlp", mlp),
      ...layerNorm("ln_final", "model.final_layernorm"),
      "unembed.b_U": same("lm_head.bias"),
    };
  },
});
