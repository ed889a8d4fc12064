/** GPT-Neo and TinyStories: learned positions, scores that are not divided, every other layer local. */
import { FLAG, type Kind, listOf, oneOf, orNull, TEXT } from "../../tensor/kinds.ts";
import { EPS, LAYERS, MOST_LAYERS, SIZE } from "../config/bounds.ts";
import { activation } from "./activation-name.ts";
import { biases, layerNorm, matrices, projectionsOf, same } from "./checkpoint.ts";
import { eachLayer, huggingFace } from "./hugging-face.ts";

type AttentionTypes = readonly (readonly [readonly string[], number])[];

/** As transformers has it where a file does not say. */
const USUAL: AttentionTypes = [[["global", "local"], 12]];

const NAMES = listOf(oneOf(["global", "local"]), "names");
const ATTENTION_TYPES: Kind = {
  accepts: (v) =>
    Array.isArray(v) &&
    v.every((one) => Array.isArray(one) && one.length === 2 && NAMES.accepts(one[0]) && LAYERS.accepts(one[1])) &&
    v.reduce((sum, [names, times]) => sum + names.length * times, 0) <= MOST_LAYERS,
  describe: `a list of names and how often they come, [[["global", "local"], 6]], for at most ${MOST_LAYERS} layers`,
};

const EMBEDDING = "transformer.wte.weight";

export const gptNeo = huggingFace({
  name: "gpt_neo",
  called: "GPT-Neo",
  architecture: "GPTNeoForCausalLM",
  embedding: EMBEDDING,
  unembedding: "lm_head.weight",
  tied: true,
  fields: {
    model_type: TEXT,
    num_layers: LAYERS,
    hidden_size: SIZE,
    num_heads: SIZE,
    intermediate_size: orNull(SIZE),
    max_position_embeddings: SIZE,
    vocab_size: SIZE,
    activation_function: TEXT,
    layer_norm_epsilon: EPS,
    window_size: SIZE,
    attention_layers: orNull(NAMES),
    attention_types: ATTENTION_TYPES,
    tie_word_embeddings: FLAG,
  },
  config(json) {
    const [d_model, heads, layers] = [json.need("hidden_size"), json.need("num_heads"), json.need("num_layers")];
    const given = json.or<readonly string[]>("attention_layers", attentionLayers(json.or("attention_types", USUAL)));
    const types = eachLayer("attention_layers", given, layers);
    return {
      n_layers: layers,
      d_model,
      n_heads: heads,
      d_head: d_model / heads,
      d_mlp: json.or("intermediate_size", 4 * d_model),
      n_ctx: json.need("max_position_embeddings"),
      d_vocab: json.need("vocab_size"),
      act_fn: activation("activation_function", json.or("activation_function", "gelu_new")),
      eps: json.or("layer_norm_epsilon", 1e-5),
      normalization_type: "LN",
      use_attn_scale: false,
      use_local_attn: types.includes("local"),
      window_size: json.or("window_size", 256),
      attn_types: types,
    };
  },
  sources() {
    const at = "transformer.h.{l}";
    const attention = `${at}.attn.attention`;
    const mlp = { in: `${at}.mlp.c_fc`, out: `${at}.mlp.c_proj` };
    return {
      "pos_embed.W_pos": same("transformer.wpe.weight"),
      ...layerNorm("blocks.{l}.ln1", `${at}.ln_1`),
      ...matrices("blocks.{l}.attn", projectionsOf(attention, "out_proj")),
      ...biases("blocks.{l}.attn", { O: `${attention}.out_proj` }),
      ...layerNorm("blocks.{l}.ln2", `${at}.ln_2`),
      ...matrices("blocks.{l}.mlp", mlp),
      ...biases("blocks.{l}.mlp", mlp),
      ...layerNorm("ln_final", "transformer.ln_f"),
    };
  },
  buffers: /\.attn\.attention\.(bias|masked_bias)$/,
});

/** `[[["global", "local"], 6]]`: six times both. */
function attentionLayers(types: AttentionTypes): string[] {
  return types.flatMap(([names, times]) => Array.from({ length: times }, () => names).flat());
}
