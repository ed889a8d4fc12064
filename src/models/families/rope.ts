/** What a `config.json` says of rotary positions, in either of transformers' generations of fields. */
import { ConfigError } from "../../tensor/errors.ts";
import { FLAG, type Kind, listOf, OBJECT, orNull, POSITIVE, TEXT } from "../../tensor/kinds.ts";
import { nearest } from "../../tensor/nearest.ts";
import { shown } from "../../tensor/show.ts";
import { withArticle } from "../../tensor/words.ts";
import { FACTOR, SIZE } from "../config/bounds.ts";
import { type FieldKinds, type Fields, SHARE } from "./read-fields.ts";
import { magnitudeOf, type Yarn, yarn } from "./yarn.ts";

/** What a model's other fields say. */
export interface RotaryDefaults {
  /** How much of a head is turned where the file does not say. */
  readonly share: number;
  readonly base: number;
  readonly d_head: number;
  /** The longest text of the model, and the longest of its training where that is a field of its own. */
  readonly n_ctx: number;
  readonly original?: number | undefined;
}

/** Of one kind of layer: what pairs turn by. */
interface Turning {
  readonly base: number;
  readonly dim: number;
  /** TransformerLens' fields of its scaling, and ours. */
  readonly scaling: Readonly<Record<string, unknown>>;
}

/** What `rope_parameters` and `rope_scaling` may hold, for all types together. */
const PARAMETERS: FieldKinds = {
  rope_type: TEXT,
  type: TEXT,
  rope_theta: orNull(POSITIVE),
  partial_rotary_factor: orNull(SHARE),
  factor: orNull(FACTOR),
  original_max_position_embeddings: orNull(SIZE),
  attention_factor: orNull(FACTOR),
  beta_fast: orNull(POSITIVE),
  beta_slow: orNull(POSITIVE),
  mscale: orNull(FACTOR),
  mscale_all_dim: orNull(FACTOR),
  truncate: FLAG,
  low_freq_factor: POSITIVE,
  high_freq_factor: POSITIVE,
  short_factor: listOf(FACTOR, "positive numbers"),
  long_factor: listOf(FACTOR, "positive numbers"),
  /** Written by hand into files that were, or were not, trained with the scaling. */
  finetuned: FLAG,
};

/** Heads of published models have at most a few hundred dimensions. */
const LARGEST_HEAD = 2 ** 16;

type Parameters = Readonly<Record<string, unknown>>;
type Scaling = (of: Parameters, turned: Omit<Turning, "scaling">, defaults: RotaryDefaults) => Turning["scaling"];

/** transformers' types of scaling; null for those that are not computed. */
const TYPES: Readonly<Record<string, Scaling | null>> = {
  default: () => ({}),
  linear: (of, { dim }) => ({ rotary_stretch: Array.from({ length: dim / 2 }, () => needed(of, "factor")) }),
  llama3: (of, _turned, defaults) => ({
    use_NTK_by_parts_rope: true,
    NTK_by_parts_factor: needed(of, "factor"),
    NTK_by_parts_low_freq_factor: needed(of, "low_freq_factor"),
    NTK_by_parts_high_freq_factor: needed(of, "high_freq_factor"),
    NTK_original_ctx_len: trainedLength(of, defaults),
  }),
  yarn(of, { dim, base }, defaults) {
    const length = trainedLength(of, defaults);
    // With null it is how much longer the model's texts are than those of training.
    const byLengths = of.factor === null && length < defaults.n_ctx;
    const settings = { ...of, factor: byLengths ? defaults.n_ctx / length : needed(of, "factor") } as Yarn;
    return { rotary_stretch: yarn(dim, base, length, settings), rotary_magnitude: magnitudeOf(settings) };
  },
  longrope(of, _turned, defaults) {
    const length = trainedLength(of, defaults);
    const factor = (of.factor as number | null | undefined) ?? defaults.n_ctx / length;
    return {
      rotary_stretch: needed<readonly number[]>(of, "short_factor"),
      rotary_stretch_long: needed<readonly number[]>(of, "long_factor"),
      NTK_original_ctx_len: length,
      rotary_magnitude: of.attention_factor ?? (factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(length))),
    };
  },
  // It differs only in texts longer than the model's context, which are refused.
  dynamic: () => ({}),
  proportional: null,
};

/**
 * TransformerLens' fields of a model's rotary positions, and ours of how they are scaled.
 * @throws ConfigError for a scaling that is not computed or is not there in full
 */
export function rotary(json: Fields, called: string, defaults: RotaryDefaults): Record<string, unknown> {
  const given = json.or<Parameters>("rope_scaling", {});
  const parameters = Object.keys(given).length > 0 ? given : json.or<Parameters>("rope_parameters", {});
  const base = json.or("rope_theta", json.or("rotary_emb_base", defaults.base));
  const share = json.or("partial_rotary_factor", json.or("rotary_pct", defaults.share));
  const read = (of: unknown) => turningOf(of, called, { ...defaults, base, share });
  const isNested = "full_attention" in parameters || "sliding_attention" in parameters;
  const global = read(isNested ? parameters.full_attention : parameters);
  const local = isNested ? read(parameters.sliding_attention ?? parameters.full_attention) : global;
  return {
    positional_embedding_type: "rotary",
    rotary_dim: global.dim,
    rotary_base: global.base,
    ...localBase(global, local, called),
    ...global.scaling,
  };
}

function turningOf(parameters: unknown, called: string, defaults: RotaryDefaults): Turning {
  const of = checked(parameters, called);
  const base = (of.rope_theta as number | null | undefined) ?? defaults.base;
  const share = (of.partial_rotary_factor as number | null | undefined) ?? defaults.share;
  const dim = Math.floor(defaults.d_head * share);
  if (dim > LARGEST_HEAD) {
    throw new ConfigError(`A head of ${dim} dimensions cannot be turned: there are at most ${LARGEST_HEAD}.`, {
      asked: dim,
    });
  }
  const given = (of.rope_type ?? of.type ?? "default") as string;
  // The first Phi 3 models called it "su" or "yarn".
  const type = given === "su" || (given === "yarn" && of.short_factor) ? "longrope" : given;
  const scaling = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (scaling) return { base, dim, scaling: scaling(of, { base, dim }, defaults) };
  const computed = Object.keys(TYPES).filter((name) => TYPES[name]);
  const near = scaling === null ? undefined : nearest(type, computed);
  throw new ConfigError(
    `rope_type = ${shown(type)} is not supported for ${withArticle(called)} model.${near ? ` Did you mean "${near}"?` : ""} Supported: ${computed.map((name) => `"${name}"`).join(", ")}.`,
    { asked: "rope_type", found: type, nearest: near },
  );
}

/** Local layers turn by their own base and without scaling, or like the others. */
function localBase(global: Turning, local: Turning, called: string): Readonly<Record<string, unknown>> {
  if (shown(local) === shown(global)) return {};
  if (local.dim === global.dim && Object.keys(local.scaling).length === 0) return { rotary_base_local: local.base };
  throw new ConfigError(
    `The rotary positions of ${withArticle(called)} model's local layers are scaled, which is not supported: rope_type of "sliding_attention" must be "default".`,
    { asked: "sliding_attention", found: local },
  );
}

/** The parameters, each of the right kind. */
function checked(parameters: unknown, called: string): Parameters {
  if (!OBJECT.accepts(parameters)) {
    throw new ConfigError(
      `The rotary positions of ${withArticle(called)} model are ${shown(parameters)}, but must be an object.`,
      {
        asked: parameters,
      },
    );
  }
  for (const [name, value] of Object.entries(parameters as Parameters)) {
    const kind: Kind | undefined = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
    if (!kind) {
      const near = nearest(name, Object.keys(PARAMETERS));
      throw new ConfigError(
        `The rotary positions of ${withArticle(called)} model have a field that is not supported: ${shown(name)}.${near ? ` Did you mean "${near}"?` : ""}`,
        { asked: name, nearest: near },
      );
    }
    if (kind.accepts(value)) continue;
    throw new ConfigError(
      `${name} of the rotary positions of ${withArticle(called)} model is ${shown(value)}, but it must be ${kind.describe}.`,
      {
        asked: name,
        found: value,
      },
    );
  }
  return parameters as Parameters;
}

function needed<T = number>(of: Parameters, name: string): T {
  const value = of[name] ?? undefined;
  if (value !== undefined) return value as T;
  throw new ConfigError(
    `The rotary positions are scaled by ${shown(of.rope_type ?? of.type)}, but have no ${name}: write it next to that type in the config.json, as it was in training.`,
    { asked: name, found: of },
  );
}

/** The length of training: a field of the model's own goes before one of the scaling, as in transformers. */
function trainedLength(of: Parameters, { original, n_ctx }: RotaryDefaults): number {
  return original ?? (of.original_max_position_embeddings as number | null | undefined) ?? n_ctx;
}
