/** SAELens' cfg.json: that of version 6, and the flat ones before. */
import { ConfigError } from "../../tensor/errors.ts";
import { OBJECT } from "../../tensor/kinds.ts";
import { shown } from "../../tensor/show.ts";
import { firstOf } from "../../tensor/words.ts";
import { compositionOf, type DictionaryConfig, dictionaryConfig, type GivenDictionaryConfig } from "../config.ts";

type Json = Readonly<Record<string, unknown>>;

/** The settings that have a field, under SAELens' names: those of the dictionary, and those of its place in a model. */
const OWN = {
  architecture: "architecture",
  d_in: "dIn",
  d_sae: "dSae",
  d_out: "dOut",
  apply_b_dec_to_input: "applyBDecToInput",
  normalize_activations: "normalizeActivations",
  reshape_activations: "reshapeActivations",
  k: "k",
  rescale_acts_by_decoder_norm: "rescaleActsByDecoderNorm",
} as const satisfies Readonly<Record<string, keyof DictionaryConfig>>;
const PLACE = {
  model_name: "modelName",
  hook_name: "hookName",
  hook_name_out: "hookNameOut",
  hook_head_index: "hookHeadIndex",
} as const satisfies Readonly<Record<string, keyof DictionaryConfig>>;

const SAELENS_NAMES = new Map(Object.entries({ ...OWN, ...PLACE }).map(([name, field]) => [field as string, name]));

/** Names of before version 6, and what they have become. */
const RENAMED: Readonly<Record<string, string>> = {
  hook_point: "hook_name",
  hook_point_head_index: "hook_head_index",
  activation_fn_str: "activation_fn",
};

/** What is known of a dictionary besides its configuration; in old files next to it. */
const METADATA = [
  ...["model_class_name", "hook_head_index_out", "model_from_pretrained_kwargs", "prepend_bos", "context_size"],
  ...["seqpos_slice", "dataset_path", "exclude_special_tokens", "sequence_separator_token", "disable_concat_sequences"],
  ...["neuronpedia_id", "sae_lens_version", "sae_lens_training_version"],
];

/** Kinds that exist while training only, with a threshold for all features that training keeps: used as `jumprelu`. */
const TRAINED_AS_BATCHES = ["batchtopk", "matryoshka_batchtopk"];

/** What a cfg.json says. */
export interface SaelensConfig {
  readonly cfg: DictionaryConfig;
  /** A checkpoint of training whose threshold is one number, of features times their decoder's norms or not. */
  readonly batches: { readonly rescaled: boolean } | undefined;
  readonly notes: readonly string[];
}

/**
 * A cfg.json as a configuration. Fields of the training run are left out.
 * @param what the file's name, to start a sentence
 * @throws ConfigError for one that glassformer does not have, or that contradicts itself
 */
export function parseSaelens(json: Json, what: string): SaelensConfig {
  return isVersion6(json) ? parseVersion6(json, what) : parseEarlier(json, what);
}

/** Whether SAELens 6 or later has written it. */
function isVersion6(json: Json): boolean {
  const metadata = OBJECT.accepts(json.metadata) ? (json.metadata as Json) : {};
  const version = json.sae_lens_version ?? metadata.sae_lens_version;
  return typeof version === "string" && Number.parseInt(version, 10) >= 6;
}

function parseVersion6(json: Json, what: string): SaelensConfig {
  const { metadata: found = {}, dtype: _dtype, device: _device, ...settings } = json;
  if (!OBJECT.accepts(found)) {
    throw new ConfigError(`${what} says metadata: ${shown(found)}, which must be an object.`, { asked: found });
  }
  const metadata = found as Json;
  const others = Object.keys(settings).filter((name) => !Object.hasOwn(OWN, name) && !METADATA.includes(name));
  const batches = TRAINED_AS_BATCHES.includes(settings.architecture as string)
    ? { rescaled: settings.rescale_acts_by_decoder_norm !== false }
    : undefined;
  const { k: _k, rescale_acts_by_decoder_norm: _rescale, ...withoutChoice } = settings;
  const own = batches ? { ...withoutChoice, architecture: "jumprelu" } : settings;
  const place = Object.fromEntries(Object.entries(metadata).filter(([name]) => Object.hasOwn(PLACE, name)));
  const rest = Object.fromEntries(Object.entries(metadata).filter(([name]) => !Object.hasOwn(PLACE, name)));
  return {
    cfg: configOf({ ...own, ...place }, rest, what),
    batches,
    notes: others.length === 0 ? [] : [`Of ${what} these settings were left out: ${firstOf(others)}.`],
  };
}

function parseEarlier(json: Json, what: string): SaelensConfig {
  const old = Object.fromEntries(Object.entries(json).map(([name, value]) => [RENAMED[name] ?? name, value]));
  const hook = typeof old.hook_name === "string" ? old.hook_name : "";
  const { normalize_activations: normalize, activation_fn: activation = "relu" } = old;
  const { architecture = "standard", reshape_activations = hook.includes("hook_z") ? "hook_z" : "none" } = old;
  const settings = {
    ...old,
    architecture,
    reshape_activations,
    normalize_activations:
      typeof normalize === "boolean" ? (normalize ? "expected_average_only_in" : "none") : (normalize ?? "none"),
  };
  const rest = Object.fromEntries(METADATA.filter((name) => Object.hasOwn(old, name)).map((name) => [name, old[name]]));
  const metadata = { prepend_bos: true, ...rest };
  if (activation === "topk" && architecture === "standard") {
    const kwargs = OBJECT.accepts(old.activation_fn_kwargs) ? (old.activation_fn_kwargs as Json) : {};
    const topk = { ...settings, architecture: "topk", k: kwargs.k, rescale_acts_by_decoder_norm: false };
    return { cfg: configOf(topk, metadata, what), batches: undefined, notes: [] };
  }
  if (activation !== "relu") {
    throw new ConfigError(
      `${what} says activation_fn: ${shown(activation)} of the architecture ${shown(architecture)}; glassformer has "relu" there, and "topk" for "standard".`,
      { asked: activation },
    );
  }
  return { cfg: configOf(settings, metadata, what), batches: undefined, notes: [] };
}

/** The settings that have a field; a null is one that is left out. */
function configOf(settings: Json, metadata: Json, what: string): DictionaryConfig {
  const given: Record<string, unknown> = { metadata };
  for (const [name, field] of Object.entries({ ...OWN, ...PLACE })) {
    if (settings[name] !== undefined && settings[name] !== null) given[field] = settings[name];
  }
  return dictionaryConfig(
    given as unknown as GivenDictionaryConfig,
    what,
    (field) => SAELENS_NAMES.get(field) ?? field,
  );
}

/** A configuration as SAELens 6 writes it, for weights in float32. */
export function toSaelens(cfg: DictionaryConfig): Json {
  const { transcoder } = compositionOf(cfg);
  const ownFields = Object.entries(OWN).filter(([name]) => transcoder || name !== "d_out");
  const choosing = cfg.k !== null;
  const isLeftOut = (field: string) => !choosing && (field === "k" || field === "rescaleActsByDecoderNorm");
  const place = Object.entries(PLACE).filter(([, field]) => field !== "hookNameOut" || transcoder);
  return {
    ...Object.fromEntries(
      ownFields.filter(([, field]) => !isLeftOut(field)).map(([name, field]) => [name, cfg[field]]),
    ),
    dtype: "float32",
    device: "cpu",
    metadata: {
      ...cfg.metadata,
      ...Object.fromEntries(place.map(([name, field]) => [name, cfg[field]])),
      sae_lens_version: SAELENS_VERSION,
    },
  };
}

/** The version of SAELens whose format is written. */
const SAELENS_VERSION = "6.18.0";
