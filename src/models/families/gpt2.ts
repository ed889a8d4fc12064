/** GPT-2 and its relatives (distilgpt2, Stanford's), in Hugging Face's form. */
import { ConfigError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { parseConfig } from "../config/parse.ts";
import { activation } from "./activation-name.ts";
import { columnsOf, layerNorm, linear, merged, type Sources, same } from "./checkpoint.ts";
import { type ConfigJson, type FamilyContext, type ModelFamily, shortName } from "./family.ts";
import { GPT2_FIELDS, GPT2_OTHER_NAMES } from "./gpt2-fields.ts";

import { checkKinds, refuseUnknownFields, requireField } from "./read-fields.ts";

/** Constants that old versions of transformers saved with the weights: the causal mask and the masked score. */
const BUFFERS = /^h\.\d+\.attn\.(bias|masked_bias)$/;

export const gpt2: ModelFamily = {
  name: "gpt2",
  embedding: "wte.weight",
  prefix: "transformer.",
  matches: (json) => json.model_type === "gpt2" || isEarly(json),
  config: gpt2Config,
  // A tied unembedding is usually not stored. If both exist, transformers uses what is stored.
  layout: (_config, has) => ({
    called: "GPT-2",
    sources: { ...SOURCES, "unembed.W_U": linear(has("lm_head.weight") ? "lm_head.weight" : "wte.weight") },
    buffers: BUFFERS,
  }),
};

const at = "h.{l}";

/** Queries, keys and values lie side by side, each head by head. */
const SOURCES: Sources = {
  "embed.W_E": same("wte.weight"),
  "pos_embed.W_pos": same("wpe.weight"),
  ...layerNorm("blocks.{l}.ln1", `${at}.ln_1`),
  ...Object.fromEntries(
    ["Q", "K", "V"].flatMap((x, block) => [
      [`blocks.{l}.attn.W_${x}`, columnsOf(`${at}.attn.c_attn.weight`, 3, block)],
      [`blocks.{l}.attn.b_${x}`, columnsOf(`${at}.attn.c_attn.bias`, 3, block)],
    ]),
  ),
  "blocks.{l}.attn.W_O": merged(`${at}.attn.c_proj.weight`),
  "blocks.{l}.attn.b_O": same(`${at}.attn.c_proj.bias`),
  ...layerNorm("blocks.{l}.ln2", `${at}.ln_2`),
  "blocks.{l}.mlp.W_in": same(`${at}.mlp.c_fc.weight`),
  "blocks.{l}.mlp.b_in": same(`${at}.mlp.c_fc.bias`),
  "blocks.{l}.mlp.W_out": same(`${at}.mlp.c_proj.weight`),
  "blocks.{l}.mlp.b_out": same(`${at}.mlp.c_proj.bias`),
  ...layerNorm("ln_final", "ln_f"),
};

/** Files of 2019 do not say what they are for, but have GPT-2's own fields; only the first GPT's also have `afn`. */
function isEarly(json: ConfigJson): boolean {
  const has = (name: string) => Object.hasOwn(json, name);
  const named = ["model_type", "architecture", "afn"].some(has);
  return !named && ["n_embd", "n_head", "n_layer", "n_positions", "vocab_size"].every(has);
}

function gpt2Config(file: ConfigJson, context: FamilyContext): HookedTransformerConfig {
  const json = underOwnNames(file);
  checkKinds(json, "a GPT-2 model", GPT2_FIELDS);
  refuseUnknownFields(json, "a GPT-2 model", GPT2_FIELDS, NOTHING_ELSE);
  const dModel = requireField(json, "n_embd", "GPT-2") as number;
  const nHeads = requireField(json, "n_head", "GPT-2") as number;
  const untied = json.tie_word_embeddings === false;
  if (untied && context.weightNames && !context.weightNames.includes("lm_head.weight")) {
    throw new ConfigError(
      "tie_word_embeddings = false promises a separate unembedding, but the checkpoint has no lm_head.weight: if the unembedding is the embedding, set it to true in the config.json.",
      { asked: "tie_word_embeddings", found: false },
    );
  }
  if (!Number.isInteger(dModel / nHeads)) {
    throw new ConfigError(`n_embd ${dModel} is not a multiple of n_head ${nHeads}, as GPT-2's heads require.`, {
      asked: "n_head",
      found: nHeads,
    });
  }
  return parseConfig({
    n_layers: requireField(json, "n_layer", "GPT-2"),
    d_model: dModel,
    n_heads: nHeads,
    d_head: dModel / nHeads,
    d_mlp: json.n_inner ?? 4 * dModel,
    n_ctx: requireField(json, "n_positions", "GPT-2"),
    d_vocab: requireField(json, "vocab_size", "GPT-2"),
    act_fn: activation("activation_function", (json.activation_function ?? "gelu_new") as string),
    eps: json.layer_norm_epsilon ?? 1e-5,
    use_attn_scale: json.scale_attn_weights ?? true,
    scale_attn_by_inverse_layer_idx: json.scale_attn_by_inverse_layer_idx ?? false,
    normalization_type: "LN",
    tokenizer_name: context.repoName,
    original_architecture: "GPT2LMHeadModel",
    model_name: shortName(context.repoName),
  });
}

const NOTHING_ELSE: ReadonlySet<string> = new Set();

/** The file's fields under GPT-2's own names. @throws ConfigError if a field has both names with different values. */
function underOwnNames(file: ConfigJson): ConfigJson {
  const fields = new Map(Object.entries(file));
  for (const [other, own] of Object.entries(GPT2_OTHER_NAMES)) {
    const value = fields.get(other);
    fields.delete(other);
    if (value === undefined || value === null) continue;
    const before = fields.get(own);
    if (before !== undefined && before !== value) {
      throw new ConfigError(
        `${own} (${shown(before)}) and ${other} (${shown(value)}) are the same field of a GPT-2 model. Keep one.`,
        { asked: value, found: before },
      );
    }
    fields.set(own, value);
  }
  return Object.fromEntries(fields);
}
