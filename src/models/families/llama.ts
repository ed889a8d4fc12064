/** Llama and its kin: rotary positions, RMSNorm, gated MLPs, keys and values that heads may share. */
import { FLAG, listOf, oneOf, orNull, WHOLE } from "../../tensor/kinds.ts";
import { EPS, SIZE } from "../config/bounds.ts";
import { biases, matrices, optionalBiases, projectionsOf, type Sources, same } from "./checkpoint.ts";
import { DECODER_FIELDS, decoder, eachLayer, type Fields, huggingFace, windowed } from "./hugging-face.ts";

const FIELDS = { ...DECODER_FIELDS, rms_norm_eps: EPS };
const EMBEDDING = "model.embed_tokens.weight";
const at = "model.layers.{l}";

/** @param num_key_value_heads where the file does not say; as many as heads unless here */
function config(json: Fields, called: string, num_key_value_heads?: number): Record<string, unknown> {
  return {
    ...decoder(json, called, { hidden_act: "silu", num_key_value_heads }),
    eps: json.or("rms_norm_eps", 1e-6),
    normalization_type: "RMS",
    final_rms: true,
    gated_mlp: true,
  };
}

function sources(): Sources {
  return {
    "blocks.{l}.ln1.w": same(`${at}.input_layernorm.weight`),
    ...matrices("blocks.{l}.attn", PROJECTIONS),
    "blocks.{l}.ln2.w": same(`${at}.post_attention_layernorm.weight`),
    ...matrices("blocks.{l}.mlp", { gate: `${at}.mlp.gate_proj`, in: `${at}.mlp.up_proj`, out: `${at}.mlp.down_proj` }),
    "ln_final.w": same("model.norm.weight"),
  };
}

const PROJECTIONS = projectionsOf(`${at}.self_attn`);

/** An inverse frequency that old versions of transformers saved with the weights. */
const buffers = /\.rotary_emb\.inv_freq$/;

export const llama = huggingFace({
  name: "llama",
  called: "Llama",
  architecture: "LlamaForCausalLM",
  embedding: EMBEDDING,
  unembedding: "lm_head.weight",
  tied: false,
  fields: { ...FIELDS, attention_bias: FLAG, mlp_bias: FLAG },
  config(json) {
    json.only("mlp_bias", false);
    return config(json, "Llama");
  },
  sources: () => ({ ...sources(), ...optionalBiases("blocks.{l}.attn", PROJECTIONS) }),
  buffers,
});

/** All layers are local where there is a window. */
export const mistral = huggingFace({
  name: "mistral",
  called: "Mistral",
  architecture: "MistralForCausalLM",
  embedding: EMBEDDING,
  unembedding: "lm_head.weight",
  tied: false,
  fields: { ...FIELDS, sliding_window: orNull(SIZE) },
  config(json) {
    const all = new Array<boolean>(json.need("num_hidden_layers")).fill(true);
    return { ...config(json, "Mistral", 8), ...windowed(json.orNull("sliding_window", 4096), all) };
  },
  sources,
  buffers,
});

/** Queries, keys and values have biases; layers from `max_window_layers` on are local, unless the file says which. */
export const qwen2 = huggingFace({
  name: "qwen2",
  called: "Qwen 2",
  architecture: "Qwen2ForCausalLM",
  embedding: EMBEDDING,
  unembedding: "lm_head.weight",
  tied: false,
  fields: {
    ...FIELDS,
    sliding_window: orNull(SIZE),
    use_sliding_window: FLAG,
    max_window_layers: WHOLE,
    layer_types: orNull(listOf(oneOf(["full_attention", "sliding_attention"]), "names")),
  },
  config(json) {
    const window = json.or("use_sliding_window", false) ? json.orNull("sliding_window", 4096) : null;
    const from = json.or("max_window_layers", 28);
    const types = json.or<readonly string[]>("layer_types", []);
    const layers = json.need("num_hidden_layers");
    const local =
      types.length > 0
        ? eachLayer("layer_types", types, layers).map((type) => type === "sliding_attention")
        : Array.from({ length: layers }, (_, l) => l >= from);
    return { ...config(json, "Qwen 2", 32), ...windowed(window, local) };
  },
  sources: () => ({
    ...sources(),
    ...biases("blocks.{l}.attn", { Q: PROJECTIONS.Q, K: PROJECTIONS.K, V: PROJECTIONS.V }),
  }),
  buffers,
});
