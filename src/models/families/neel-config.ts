/** `config.json` of the models that Neel Nanda trained, and of all others in that form. */
import { ConfigError } from "../../tensor/errors.ts";
import { OnDemand } from "../../tensor/on-demand.ts";
import { shown } from "../../tensor/show.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { parseConfig } from "../config/parse.ts";
import { activations } from "../parts/activation.ts";
import { type ConfigJson, type FamilyContext, shortName } from "./family.ts";
import { NEEL_FIELDS, NEEL_TRAINING_FIELDS } from "./neel-fields.ts";
import { checkKinds, refuseUnknownFields, requireField, unknownFields } from "./read-fields.ts";

/** The models that TransformerLens lists: loaded for a repository's name, which alone can be among them. */
export const LISTED_MODELS = new OnDemand(
  "The list of models",
  async () => (await import("./aliases.ts")).MODEL_ALIASES,
);
/** Whether a name is a repository's: "org/name". */
export const isRepository = (name: string): boolean => name.includes("/");

/** What TransformerLens computes these models with, whatever their training used. */
const EPS = 1e-5;

/**
 * The architecture that a file of this form declares; "neel" unless it says otherwise, and "neel-solu-old" for the
 * repositories that are called old. Undefined for a file of another form.
 */
export function neelArchitecture(json: ConfigJson, repoName: string): string | undefined {
  if (isTransformerLensConfig(json)) return undefined;
  if (typeof json.architecture === "string") return json.architecture;
  if (json.model_type !== undefined || json.d_model === undefined || json.n_layers === undefined) return undefined;
  return repoName.includes("_old") ? "neel-solu-old" : "neel";
}

/**
 * Whether a file is TransformerLens' whole configuration, as `cfg.to_dict()` returns it: it says where positions are added
 * and in which direction attention looks, which the shorter form never does.
 */
export function isTransformerLensConfig(json: ConfigJson): boolean {
  const has = (name: string) => Object.hasOwn(json, name) && json[name] !== null;
  if (has("architecture") || has("model_type")) return false;
  return has("n_layers") && has("d_model") && has("positional_embedding_type") && has("attention_dir");
}

/**
 * Only the fields that TransformerLens reads are read; all others keep their defaults, in particular `eps`: 1e-5.
 *
 * @throws ConfigError for a field that is neither read nor known to concern only the training. In the repositories that
 * TransformerLens lists, such a field is noted and ignored: there the model is what TransformerLens reads.
 */
export function neelConfig(json: ConfigJson, context: FamilyContext): HookedTransformerConfig {
  const architecture = neelArchitecture(json, context.repoName) ?? "neel";
  const what = `a model of architecture ${shown(architecture)}`;
  checkKinds(json, what, NEEL_FIELDS);
  if (isRepository(context.repoName) && LISTED_MODELS.code.has(context.repoName)) {
    const passedOver = unknownFields(json, NEEL_FIELDS, NEEL_TRAINING_FIELDS);
    if (passedOver.length > 0) {
      context.note(
        `config.json has fields that TransformerLens does not read; they are ignored here too: ${passedOver.join(", ")}.`,
      );
    }
  } else {
    refuseUnknownFields(json, what, NEEL_FIELDS, NEEL_TRAINING_FIELDS);
  }

  if (json.ln_eps !== undefined && json.ln_eps !== EPS) {
    context.note(`config.json records ln_eps ${shown(json.ln_eps)}; as in TransformerLens, ${EPS} is used.`);
  }

  const attnOnly = json.attn_only ?? false;
  return parseConfig({
    n_layers: requireField(json, "n_layers", what),
    d_model: requireField(json, "d_model", what),
    n_heads: requireField(json, "n_heads", what),
    d_head: requireField(json, "d_head", what),
    d_mlp: json.d_mlp ?? null,
    n_ctx: requireField(json, "n_ctx", what),
    d_vocab: requireField(json, "d_vocab", what),
    act_fn: attnOnly ? activationOrNull(json.act_fn) : requireField(json, "act_fn", what),
    attn_only: attnOnly,
    eps: EPS,
    final_rms: json.final_rms ?? false,
    normalization_type: normalization(json, what, context),
    positional_embedding_type: json.shortformer_pos ? "shortformer" : "standard",
    tokenizer_name: json.tokenizer_name ?? null,
    original_architecture: architecture,
    model_name: shortName(context.repoName),
  });
}

/** Attention-only models have an `act_fn` that nothing reads. */
function activationOrNull(value: unknown): unknown {
  return typeof value === "string" && Object.hasOwn(activations, value) ? value : null;
}

/**
 * Some of the old checkpoints have norm weights although their file says `LNPre`, which has none. TransformerLens' default
 * loading folds those weights in, so they count: such a model is an `LN` one.
 */
function normalization(json: ConfigJson, what: string, context: FamilyContext): unknown {
  const { normalization: short, normalization_type: long } = json;
  if (short !== undefined && long !== undefined && short !== long) {
    throw new ConfigError(
      `normalization (${shown(short)}) and normalization_type (${shown(long)}) contradict each other. Keep one.`,
      { asked: short, found: long },
    );
  }
  const declared =
    short !== undefined ? short : long !== undefined ? long : requireField(json, "normalization_type", what);
  if (declared === "LNPre" && context.weightNames?.some((name) => /^blocks\.\d+\.(ln|norm)1\.w$/.test(name))) {
    context.note("config.json says LNPre, but the checkpoint has norm weights; they are used, so the model is LN.");
    return "LN";
  }
  return declared;
}
