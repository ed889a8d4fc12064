/** GPT-2 and its relatives (distilgpt2, Stanford's), in Hugging Face's form. */
import { type NDArray, zeros } from "../../tensor/array.ts";
import { ConfigError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { parseConfig } from "../config/parse.ts";
import { type ConfigJson, type FamilyContext, type ModelFamily, shortName } from "./family.ts";
import { GPT2_FIELDS, GPT2_OTHER_NAMES } from "./gpt2-fields.ts";
import { activation } from "./hugging-face.ts";
import { headsOfColumns, partOf, RawWeights, reshaped, transposed } from "./layout.ts";
import { checkKinds, refuseUnknownFields, requireField } from "./read-fields.ts";

/** Constants that old versions of transformers saved with the weights: the causal mask and the masked score. */
const BUFFERS = /^h\.\d+\.attn\.(bias|masked_bias)$/;
const PREFIX = "transformer.";

export const gpt2: ModelFamily = {
  name: "gpt2",
  embedding: "wte.weight",
  prefix: PREFIX,
  matches: (json) => json.model_type === "gpt2" || isEarly(json),
  config: gpt2Config,
  weights(raw, config) {
    const arrays = new RawWeights(withoutPrefix(raw), "GPT-2");
    arrays.drop(BUFFERS);
    const { nLayers, dModel, nCtx, dVocab } = config;
    const weights = new Map<string, NDArray<"float32">>();
    const embedding = arrays.take("wte.weight", [dVocab, dModel]);
    weights.set("embed.W_E", embedding);
    weights.set("pos_embed.W_pos", arrays.take("wpe.weight", [nCtx, dModel]));
    for (let layer = 0; layer < nLayers; layer++) addBlock(weights, arrays, config, layer);
    weights.set("ln_final.w", arrays.take("ln_f.weight", [dModel]));
    weights.set("ln_final.b", arrays.take("ln_f.bias", [dModel]));
    // A tied unembedding is usually not stored. If both exist, transformers uses what is stored.
    const unembedding = arrays.has("lm_head.weight") ? arrays.take("lm_head.weight", [dVocab, dModel]) : embedding;
    weights.set("unembed.W_U", transposed(unembedding));
    weights.set("unembed.b_U", zeros("float32", [dVocab]));
    arrays.expectEmpty();
    return weights;
  },
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
      "tie_word_embeddings = false promises a separate unembedding, but the checkpoint has no lm_head.weight.",
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
    act_fn: activation((json.activation_function ?? "gelu_new") as string),
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

/** Checkpoints of the language model say `transformer.h.0...`, those of the bare model `h.0...`. */
function withoutPrefix(raw: ReadonlyMap<string, NDArray>): Map<string, NDArray> {
  return new Map([...raw].map(([name, array]) => [name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name, array]));
}

/** GPT-2's Conv1D weights are [in, out] already; queries, keys and values lie side by side, each head by head. */
function addBlock(
  weights: Map<string, NDArray<"float32">>,
  arrays: RawWeights,
  config: HookedTransformerConfig,
  layer: number,
): void {
  const { nHeads, dHead, dModel } = config;
  const dMlp = config.dMlp ?? 0;
  const from = `h.${layer}`;
  const to = `blocks.${layer}`;
  for (const [ours, theirs] of [
    ["ln1", "ln_1"],
    ["ln2", "ln_2"],
  ]) {
    weights.set(`${to}.${ours}.w`, arrays.take(`${from}.${theirs}.weight`, [dModel]));
    weights.set(`${to}.${ours}.b`, arrays.take(`${from}.${theirs}.bias`, [dModel]));
  }
  const qkv = arrays.take(`${from}.attn.c_attn.weight`, [dModel, 3 * dModel]);
  const biases = arrays.take(`${from}.attn.c_attn.bias`, [3 * dModel]);
  ["Q", "K", "V"].forEach((part, block) => {
    weights.set(`${to}.attn.W_${part}`, headsOfColumns(qkv, nHeads, dHead, block));
    weights.set(`${to}.attn.b_${part}`, partOf(biases, [nHeads, dHead], block));
  });
  const output = arrays.take(`${from}.attn.c_proj.weight`, [dModel, dModel]);
  weights.set(`${to}.attn.W_O`, reshaped(output, [nHeads, dHead, dModel]));
  weights.set(`${to}.attn.b_O`, arrays.take(`${from}.attn.c_proj.bias`, [dModel]));
  weights.set(`${to}.mlp.W_in`, arrays.take(`${from}.mlp.c_fc.weight`, [dModel, dMlp]));
  weights.set(`${to}.mlp.b_in`, arrays.take(`${from}.mlp.c_fc.bias`, [dMlp]));
  weights.set(`${to}.mlp.W_out`, arrays.take(`${from}.mlp.c_proj.weight`, [dMlp, dModel]));
  weights.set(`${to}.mlp.b_out`, arrays.take(`${from}.mlp.c_proj.bias`, [dModel]));
}
