/** The fields of a Hugging Face GPT-2 `config.json`. */
import { COUNT, FLAG, orNull } from "../../tensor/kinds.ts";
import { GPT_FIELDS } from "./hugging-face.ts";
import type { FieldKinds } from "./read-fields.ts";

/** Those that say what the model computes. */
export const GPT2_FIELDS: FieldKinds = {
  ...GPT_FIELDS,
  scale_attn_by_inverse_layer_idx: FLAG,
  /** How large the causal mask of old versions was: no larger than the positions, so no numbers depend on it. */
  n_ctx: orNull(COUNT),
};

/** The names that transformers gives some of them in every family; a file may use either. */
export const GPT2_OTHER_NAMES: Readonly<Record<string, string>> = {
  hidden_size: "n_embd",
  max_position_embeddings: "n_positions",
  num_attention_heads: "n_head",
  num_hidden_layers: "n_layer",
};
