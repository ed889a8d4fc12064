/** SmolLM 3: as Llama, with layers that have no rotary positions. */
import { FLAG, listOf, oneOf, orNull, WHOLE } from "../../tensor/kinds.ts";
import { SIZE } from "../config/bounds.ts";
import { optionalBiases } from "./checkpoint.ts";
import { eachLayer, type Fields, huggingFace, localLayers, WINDOW_FIELDS, windowed } from "./hugging-face.ts";
import { LLAMA_BUFFERS, LLAMA_FIELDS, LLAMA_PROJECTIONS, llamaConfig, llamaSources } from "./llama.ts";

export const smollm3 = huggingFace({
  name: "smollm3",
  called: "SmolLM 3",
  architecture: "SmolLM3ForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: true,
  fields: {
    ...LLAMA_FIELDS,
    attention_bias: FLAG,
    mlp_bias: FLAG,
    no_rope_layers: orNull(listOf(oneOf([0, 1, true, false]), "0 and 1")),
    no_rope_layer_interval: SIZE,
    use_sliding_window: FLAG,
    ...WINDOW_FIELDS,
    // Which layers have a window is said by the others.
    max_window_layers: WHOLE,
  },
  config(json) {
    json.only("mlp_bias", false);
    const turned = turnedLayers(json);
    const window = json.or("use_sliding_window", false) ? json.orNull<number>("sliding_window", null) : null;
    // Where the file does not say, layers that are not turned are those with the window.
    const local = localLayers(json, turned.length, (layer) => !turned[layer]);
    return {
      ...llamaConfig(json, "SmolLM 3", { num_key_value_heads: 4, rope_theta: 2000000 }),
      ...windowed(window, local),
      rotary_layers: turned,
    };
  },
  sources: () => ({ ...llamaSources(), ...optionalBiases("blocks.{l}.attn", LLAMA_PROJECTIONS) }),
  buffers: LLAMA_BUFFERS,
});

/** Which layers turn queries and keys: the file's list says 1 for those, in spite of its name. */
function turnedLayers(json: Fields): readonly boolean[] {
  const layers = json.need("num_hidden_layers");
  const given = json.or<readonly (number | boolean)[] | null>("no_rope_layers", null);
  if (given) return eachLayer("no_rope_layers", given, layers).map(Boolean);
  const every = json.or("no_rope_layer_interval", 4);
  return Array.from({ length: layers }, (_, layer) => (layer + 1) % every !== 0);
}
