/** What a dictionary is: its architecture, sizes, and where it stands in a model. SAELens' settings in camelCase. */
import { ConfigError } from "../tensor/errors.ts";
import { COUNT, FLAG, type Kind, NOT_NEGATIVE_WHOLE, OBJECT, oneOf, orNull, TEXT } from "../tensor/kinds.ts";
import { nearest } from "../tensor/nearest.ts";
import { kindOf, shown } from "../tensor/show.ts";
import { ACTIVATIONS } from "./activations.ts";
import { ARCHITECTURES, type Composition } from "./architectures.ts";
import { NORMALIZATIONS, type NormalizationName } from "./normalizations.ts";

/** A dictionary's configuration. Source: SAELens 6's `SAEConfig` and `SAEMetadata`. */
export interface DictionaryConfig {
  /**
   * What it is composed of: `standard`, `gated`, `jumprelu`, `topk`, `transcoder`, `skip_transcoder`, `jumprelu_transcoder` as SAELens
   * calls them, and the same with every other kind of activation: `jumprelu_skip_transcoder`, `groupmax`, `signed_topk_transcoder`.
   */
  readonly architecture: string;
  /** The width of what it reads. */
  readonly dIn: number;
  /** The number of its features. */
  readonly dSae: number;
  /** The width of what it writes: `dIn`, unless it is a transcoder. */
  readonly dOut: number;
  /** The hook point that it reads, and, unless it is a transcoder, stands at. */
  readonly hookName: string | null;
  /** The hook point where a transcoder stands. */
  readonly hookNameOut: string | null;
  /** The only head that it reads, where the hook point has heads. */
  readonly hookHeadIndex: number | null;
  /** Whether `b_dec` is subtracted from the input. */
  readonly applyBDecToInput: boolean;
  /** What is done to the input: `none`, `constant_norm_rescale`, `layer_norm`, `expected_average_only_in`. */
  readonly normalizeActivations: NormalizationName;
  /** `hook_z`: it reads `head` and `d_head` as one axis. */
  readonly reshapeActivations: "none" | "hook_z";
  /** How many features stay per token, or how many groups there are; null for activations without such a number. */
  readonly k: number | null;
  /** Whether features are compared, and counted, times the norm of their decoder row. */
  readonly rescaleActsByDecoderNorm: boolean;
  /** The model that it was trained on, as the file calls it. */
  readonly modelName: string | null;
  /** What else the file says about it, under the file's own names: `prepend_bos`, `context_size`, `dataset_path`, … */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A configuration in which what has a default may be left out. */
export type GivenDictionaryConfig = Pick<DictionaryConfig, "architecture" | "dIn" | "dSae"> & Partial<DictionaryConfig>;

/** SAELens' default of `k`. */
const DEFAULT_K = 100;

const KINDS: { readonly [K in keyof DictionaryConfig]: Kind } = {
  architecture: TEXT,
  dIn: COUNT,
  dSae: COUNT,
  dOut: COUNT,
  hookName: orNull(TEXT),
  hookNameOut: orNull(TEXT),
  hookHeadIndex: orNull(NOT_NEGATIVE_WHOLE),
  applyBDecToInput: FLAG,
  normalizeActivations: oneOf(Object.keys(NORMALIZATIONS)),
  reshapeActivations: oneOf(["none", "hook_z"]),
  k: orNull(COUNT),
  rescaleActsByDecoderNorm: FLAG,
  modelName: orNull(TEXT),
  metadata: OBJECT,
};

/** A configuration's fields. */
export const CONFIG_FIELDS = Object.keys(KINDS) as readonly (keyof DictionaryConfig)[];

/** What a configuration's architecture is composed of. */
export function compositionOf({ architecture }: Pick<DictionaryConfig, "architecture">): Composition {
  return ARCHITECTURES.get(architecture)!;
}

/**
 * A configuration with its defaults, checked.
 * @param what what it is of, for errors: "cfg.json of my-sae"
 * @param nameOf what a field is called where it was written
 * @throws ConfigError for an unknown field or architecture, a value of the wrong kind, values that contradict each other
 */
export function dictionaryConfig(
  given: GivenDictionaryConfig,
  what = "The dictionary's configuration",
  nameOf: (field: keyof DictionaryConfig) => string = (field) => field,
): DictionaryConfig {
  if (!OBJECT.accepts(given)) {
    throw new ConfigError(`${what} must be an object, { architecture, dIn, dSae }, not ${kindOf(given)}.`, {
      asked: given,
    });
  }
  const fields = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  for (const field of Object.keys(fields)) {
    if (Object.hasOwn(KINDS, field)) continue;
    const near = nearest(field, CONFIG_FIELDS);
    throw new ConfigError(
      `${what} has no field "${shown(field).slice(1, -1)}". ${near ? `Did you mean "${near}"?` : `It has: ${CONFIG_FIELDS.join(", ")}.`}`,
      { asked: field, nearest: near },
    );
  }
  const composition = compositionCalled(fields.architecture, what, nameOf("architecture"));
  const cfg = { ...defaultsOf(composition, given.dIn), ...fields } as DictionaryConfig;
  for (const field of CONFIG_FIELDS) {
    const [value, kind] = [cfg[field], KINDS[field]];
    if (kind.accepts(value)) continue;
    const found = value === undefined ? `lacks ${nameOf(field)}` : `says ${nameOf(field)}: ${shown(value)}`;
    throw new ConfigError(`${what} ${found}, which must be ${kind.describe}.`, { asked: value, found: kind.describe });
  }
  checkTogether(cfg, composition, what, nameOf);
  return cfg;
}

function defaultsOf(
  { activation, transcoder }: Composition,
  dIn: number,
): Omit<DictionaryConfig, "architecture" | "dIn" | "dSae"> {
  return {
    dOut: dIn,
    hookName: null,
    hookNameOut: null,
    hookHeadIndex: null,
    applyBDecToInput: !transcoder,
    normalizeActivations: "none",
    reshapeActivations: "none",
    k: ACTIVATIONS[activation].takesK ? DEFAULT_K : null,
    rescaleActsByDecoderNorm: false,
    modelName: null,
    metadata: {},
  };
}

/** @throws ConfigError for an architecture that is not one, with those that are */
function compositionCalled(name: unknown, what: string, field: string): Composition {
  const found = typeof name === "string" ? ARCHITECTURES.get(name) : undefined;
  if (found) return found;
  const near = typeof name === "string" ? nearest(name, [...ARCHITECTURES.keys()]) : undefined;
  throw new ConfigError(
    `${what} says ${field}: ${shown(name)}, which is not an architecture that glassformer has${near ? `; the closest match is "${near}"` : ""}: ${[...ARCHITECTURES.keys()].join(", ")}.`,
    { asked: name, found: [...ARCHITECTURES.keys()], nearest: near },
  );
}

/** @throws ConfigError for values that contradict each other */
function checkTogether(
  cfg: DictionaryConfig,
  { activation, transcoder }: Composition,
  what: string,
  nameOf: (field: keyof DictionaryConfig) => string,
): void {
  const { takesK, compares } = ACTIVATIONS[activation];
  const { k, dIn, dOut, dSae } = cfg;
  const refuse = (why: string): never => {
    throw new ConfigError(`${what} ${why}.`, { asked: cfg });
  };
  const says = (field: keyof DictionaryConfig) => `says ${nameOf(field)}: ${shown(cfg[field])}`;
  const of = `the architecture "${cfg.architecture}"`;
  if (takesK && k === null) refuse(`lacks ${nameOf("k")}, which ${of} needs`);
  if (!takesK && k !== null) refuse(`${says("k")}, but ${of} keeps every feature that fires`);
  if (k !== null && k > dSae) refuse(`${says("k")}, but there are only ${dSae} features`);
  if (activation === "groupmax" && dSae % k! !== 0)
    refuse(`${says("k")}, but ${dSae} features do not fall into ${k} equal groups`);
  if (cfg.rescaleActsByDecoderNorm && !compares) {
    refuse(`${says("rescaleActsByDecoderNorm")}, but ${of} does not compare features with each other`);
  }
  if (transcoder && cfg.applyBDecToInput) {
    refuse(`${says("applyBDecToInput")}, but ${of} writes another space than it reads: b_dec is of what it writes`);
  }
  if (!transcoder && dOut !== dIn) refuse(`${says("dOut")}, but ${of} writes what it reads, of width ${dIn}`);
  if (!transcoder && cfg.hookNameOut !== null && cfg.hookNameOut !== cfg.hookName) {
    refuse(`${says("hookNameOut")}, but ${of} stands at the hook point that it reads`);
  }
}
