/**
 * Models that were made here or by TransformerLens: weights under its names, and a `config.json` that is its whole
 * configuration dictionary, as `cfg.to_dict()` returns it. A configuration that the NeelNanda models' shorter form can express is written in that.
 */
import type { NDArray } from "../../tensor/array.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { FIELD_NAMES, FIELDS } from "../config/fields.ts";
import { isConfigField, parseConfig, toTransformerLens } from "../config/parse.ts";
import { changesNothing } from "./bookkeeping.ts";
import { type ConfigJson, type ModelFamily, shortName } from "./family.ts";
import { neel } from "./neel.ts";
import { isTransformerLensConfig } from "./neel-config.ts";

const ARCHITECTURE = "HookedTransformer";

export const hookedTransformer = {
  name: ARCHITECTURE,
  embedding: neel.embedding,
  within: neel.within,
  matches: (json) => json.architecture === ARCHITECTURE || isTransformerLensConfig(json),
  config(json, { repoName, note }) {
    const fields = Object.entries(json).filter(([name, value]) => name !== "architecture" && isRead(name, value));
    const stored = typeof json.dtype === "string" ? STORED_DTYPES.exec(json.dtype)?.[1] : undefined;
    if (stored !== undefined) note(`config.json says dtype ${stored}; everything is computed in float32.`);
    return parseConfig({
      ...Object.fromEntries(fields),
      ...(stored === undefined ? {} : { dtype: "float32" }),
      model_name: shortName(repoName),
      original_architecture: ARCHITECTURE,
    });
  },
  weights: (raw: ReadonlyMap<string, NDArray>, config, context) => neel.weights(raw, config, context),
} satisfies ModelFamily;

/** Formats other than float32 that weights are stored in, as Python prints them; everything is computed in float32. */
const STORED_DTYPES = /^(?:torch\.)?(bfloat16|float16|float64)$/;

/** Fields that TransformerLens has had since 3, and that mean nothing without rotary positions or experts. */
const LATER_FIELDS = /^(yarn_\w+|rotary_scaling_factor|norm_topk_prob|layer_norm_folding)$/;
/** Fields that it has had since 3, which ask for something if they are not false. */
const LATER_FLAGS = /^(use_yarn_rope|uses_rms_norm)$/;

/** Whether `parseConfig` should see a field: all that it knows, and what might matter, so that it can refuse it. */
function isRead(name: string, value: unknown): boolean {
  if (isConfigField(name)) return true;
  return !(LATER_FIELDS.test(name) || (LATER_FLAGS.test(name) && value === false) || changesNothing(name, value));
}

/** Fields that do not say what is computed, or that follow from others. */
const INCIDENTAL: ReadonlySet<keyof HookedTransformerConfig> = new Set([
  ...(["modelName", "originalArchitecture", "tokenizerName", "tokenizerPrependsBos", "nParams", "device"] as const),
  ...(["seed", "initMode", "initializerRange", "initWeights", "nDevices", "trustRemoteCode"] as const),
  ...(["fromCheckpoint", "checkpointIndex", "checkpointLabelType", "checkpointValue"] as const),
  ...(["useAttnResult", "useSplitQkvInput", "useHookMlpIn", "useAttnIn", "useHookTokens"] as const),
]);

/**
 * A model's configuration as a `config.json` from which `fromPretrained` reads the same: in the NeelNanda models' form if
 * that can express it, otherwise as TransformerLens' dictionary.
 * @param ownTokenizer whether there is a `tokenizer.json` next to it
 */
export function storedConfig(config: HookedTransformerConfig, ownTokenizer: boolean): Record<string, unknown> {
  const elsewhere = config.tokenizerName === "tokenizer.json" ? null : config.tokenizerName;
  const tokenizerName = ownTokenizer ? "tokenizer.json" : elsewhere;
  const short: ConfigJson = {
    architecture: "neel",
    n_layers: config.nLayers,
    d_model: config.dModel,
    n_heads: config.nHeads,
    d_head: config.dHead,
    d_mlp: config.dMlp,
    n_ctx: config.nCtx,
    d_vocab: config.dVocab,
    act_fn: config.actFn,
    normalization: config.normalizationType,
    attn_only: config.attnOnly,
    final_rms: config.finalRms,
    shortformer_pos: config.positionalEmbeddingType === "shortformer",
    tokenizer_name: tokenizerName,
  };
  if (isSaidBy(short, config)) return { ...short };
  const all = toTransformerLens(config);
  for (const name of INCIDENTAL) delete all[FIELDS[name].snake];
  return { architecture: ARCHITECTURE, ...all, tokenizer_name: tokenizerName };
}

/** Whether the NeelNanda models' form says all that a configuration does. */
function isSaidBy(short: ConfigJson, config: HookedTransformerConfig): boolean {
  // Of other positions it says nothing, and their context may be longer than an embedding of them could be.
  if (!["standard", "shortformer"].includes(config.positionalEmbeddingType)) return false;
  const read = neel.config(short, { repoName: config.modelName, note: () => {} });
  return FIELD_NAMES.every((name) => INCIDENTAL.has(name) || sameValue(read[name], config[name]));
}

function sameValue(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
