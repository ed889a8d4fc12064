/** A dictionary of fields -> a configuration that can be run, or an error that names the field; and back. */

import { showAs } from "../../tensor/display.ts";
import { ArgumentError, ConfigError } from "../../tensor/errors.ts";
import { nearest } from "../../tensor/nearest.ts";
import { kindOf, shown } from "../../tensor/show.ts";
import { recordingOf } from "../recording.ts";
import { MOST_HEADS } from "./bounds.ts";
import type { HookedTransformerConfig } from "./config.ts";
import { configLine, IN_LINE } from "./config-line.ts";
import { checkExperts } from "./experts.ts";
import { FIELD_NAMES, FIELDS, type Field } from "./fields.ts";

type FieldName = keyof HookedTransformerConfig;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const NAME_OF: ReadonlyMap<string, FieldName> = new Map(
  FIELD_NAMES.flatMap((name) => [
    [name, name],
    [FIELDS[name].snake, name],
  ]),
);

/**
 * A configuration from TransformerLens' snake_case dictionary, or from ours in camelCase, with every default filled in:
 * `n_heads` = d_model / d_head, `d_mlp` = 4 d_model, `attn_scale` = sqrt(d_head), `d_vocab_out` = d_vocab,
 * `initializer_range` = 0.8 / sqrt(d_model), and `n_params` = L (4 d_model d_head h + 2 d_model d_mlp).
 *
 * @throws ArgumentError for anything but an object; ConfigError for a field that does not exist (with the closest match),
 * a value of the wrong kind, a value that no block of this library computes, values that contradict each other, and sizes
 * that no machine could hold.
 */
export function parseConfig(raw: Readonly<Record<string, unknown>>): HookedTransformerConfig {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw new ArgumentError(`A configuration must be an object, { n_layers: …, d_model: … }, not ${kindOf(raw)}.`, {
      asked: raw,
    });
  }
  const fields = namedFields(raw);
  const config = {} as Record<FieldName, unknown>;
  for (const name of FIELD_NAMES) config[name] = checkedValue(FIELDS[name] as Field, fields.get(name));
  return showAs(completed(config as unknown as Mutable<HookedTransformerConfig>), configText);
}

/**
 * The dictionary that TransformerLens' `HookedTransformerConfig.from_dict` takes: `parseConfig`'s inverse. Fields that it
 * lacks are in it only where they change something.
 */
export function toTransformerLens(config: HookedTransformerConfig): Record<string, unknown> {
  const names = FIELD_NAMES.filter((name) => !FIELDS[name].own || !sameValue(config[name], FIELDS[name].byDefault));
  return Object.fromEntries(names.map((name) => [FIELDS[name].snake, config[name]]));
}

/** For consoles: the line, and every field that is neither in it nor at its default. */
function configText(c: HookedTransformerConfig): string {
  const others = FIELD_NAMES.filter(
    (name) => FIELDS[name].byDefault !== undefined && !IN_LINE.has(name) && !sameValue(c[name], FIELDS[name].byDefault),
  );
  const also = others.map((name) => `${name}: ${shown(c[name])}`);
  return [`HookedTransformerConfig of ${c.modelName}: ${configLine(c)}`, ...also.map((text) => `  ${text}`)].join("\n");
}

/** Whether `parseConfig` knows a field of that name. */
export function isConfigField(name: string): boolean {
  return NAME_OF.has(name);
}

function namedFields(raw: Readonly<Record<string, unknown>>): Map<FieldName, unknown> {
  const fields = new Map<FieldName, unknown>();
  const spelt = new Map<FieldName, string>();
  for (const [key, value] of Object.entries(raw)) {
    if (value === undefined) continue;
    const name = NAME_OF.get(key);
    if (name === undefined) {
      const near = nearest(key, [...NAME_OF.keys()]);
      throw new ConfigError(
        `There is no configuration field ${shown(key)}.${near ? ` Did you mean "${near}"?` : " If it does not change what the model computes, remove it."}`,
        { asked: key, nearest: near },
      );
    }
    const before = spelt.get(name);
    if (before !== undefined && !sameValue(fields.get(name), value)) {
      throw new ConfigError(
        `"${before}" and "${key}" are the same field, set to ${shown(fields.get(name))} and to ${shown(value)}. Set it once.`,
        { asked: value, found: fields.get(name) },
      );
    }
    fields.set(name, value);
    spelt.set(name, key);
  }
  return fields;
}

function checkedValue(field: Field, given: unknown): unknown {
  const value = given === undefined ? field.byDefault : withoutTorch(field, given);
  if (value === undefined) {
    throw new ConfigError(`The configuration has no ${field.snake}. Set it to ${field.kind.describe}.`, {
      asked: field.snake,
    });
  }
  if (given !== undefined && !field.kind.accepts(value)) {
    throw new ConfigError(`${field.snake} is ${shown(value)}, but it must be ${field.kind.describe}.`, {
      asked: field.snake,
      found: value,
    });
  }
  if (field.supported && !field.supported.test(value)) {
    throw unsupported(field.snake, value, field.supported.describe);
  }
  return value;
}

/** Python prints its dtypes as "torch.float32". */
function withoutTorch(field: Field, value: unknown): unknown {
  return field.snake === "dtype" && typeof value === "string" ? value.replace(/^torch\./, "") : value;
}

function unsupported(field: string, value: unknown, supported: string): ConfigError {
  return new ConfigError(`${field} = ${shown(value)} is not supported. Supported: ${supported}.`, {
    asked: field,
    found: value,
    nearest: supported,
  });
}

/** Computes the fields that were left out, and checks those that must agree. */
function completed(c: Mutable<HookedTransformerConfig>): HookedTransformerConfig {
  if (c.nHeads === -1 || c.nHeads === null) c.nHeads = headsThatFit(c);
  if (c.nKeyValueHeads !== null && !(c.nKeyValueHeads >= 1 && c.nHeads % c.nKeyValueHeads === 0)) {
    throw unsupported("n_key_value_heads", c.nKeyValueHeads, `null, or a divisor of n_heads (${c.nHeads})`);
  }
  if (c.ungroupGroupedQueryAttention && c.nKeyValueHeads !== null && c.nKeyValueHeads !== c.nHeads) {
    throw unsupported("ungroup_grouped_query_attention", true, "false, as hook points have the shared keys and values");
  }
  if (c.positionalEmbeddingType === "rotary") checkRotary(c);
  if (c.positionalEmbeddingType === "alibi" && c.nHeads > MOST_HEADS) {
    throw unsupported("n_heads", c.nHeads, `at most ${MOST_HEADS} with ALiBi positions`);
  }
  checkCount("alibi_slopes", c.alibiSlopes, c.nHeads, "head");
  if (c.useLocalAttn) checkLocal(c);
  checkRelative(c);
  if (c.dMlp === -1) c.dMlp = null;
  if (!c.attnOnly) {
    if (c.dMlp === null) c.dMlp = 4 * c.dModel;
    if (c.actFn === null) {
      throw new ConfigError("act_fn is null, but the model has MLPs. Name an activation, or set attn_only.", {
        asked: "act_fn",
        found: null,
      });
    }
  }
  if (c.normPlacement === "after" && c.parallelAttnMlp) {
    throw unsupported("norm_placement", "after", '"before" where attention and MLP read the same stream');
  }
  if (c.mlmHead && c.actFn === null) {
    throw new ConfigError("act_fn is null, but mlm_head needs a nonlinearity. Name one.", { asked: "act_fn" });
  }
  checkExperts(c);
  if (c.useNormalizationBeforeAndAfter && c.normPlacement !== "before") {
    throw unsupported("use_normalization_before_and_after", true, `false with norm_placement "${c.normPlacement}"`);
  }
  if (c.finalRms && c.normalizationType === null) {
    throw new ConfigError(
      "final_rms is true, but normalization_type is null: there is no last norm to be an RMSNorm.",
      {
        asked: "final_rms",
        found: c.normalizationType,
      },
    );
  }
  if (c.dVocabOut === -1 || c.dVocabOut === null) c.dVocabOut = c.dVocab;
  if (c.useAttnScale && c.attnScale === -1) c.attnScale = Math.sqrt(c.dHead);
  if (c.initializerRange === -1) c.initializerRange = c.initMode === "gpt2" ? 0.8 / Math.sqrt(c.dModel) : 1;
  recordingOf({ ...c, nLayers: 1 }); // refuses a weight with more numbers than can be counted
  c.nParams = c.nLayers * 4 * c.dModel * c.dHead * c.nHeads;
  for (let layer = 0; layer < c.nLayers; layer++) c.nParams += mlpParams(c, layer);
  return c;
}

/** @throws ConfigError for rotary positions that turn more dimensions than a head has, or an odd number of them; for lists of other lengths */
function checkRotary(c: HookedTransformerConfig): void {
  const { dHead, ntkByPartsLowFreqFactor: low, ntkByPartsHighFreqFactor: high } = c;
  if (c.useNtkByPartsRope && low >= high) {
    throw new ConfigError(
      `NTK_by_parts_low_freq_factor is ${low}, but it must be less than NTK_by_parts_high_freq_factor, which is ${high}.`,
      { asked: low, found: high },
    );
  }
  if (c.useNtkByPartsRope && c.rotaryStretch) {
    throw new ConfigError("rotary_stretch and use_NTK_by_parts_rope both say how far pairs turn. Set one of them.", {
      asked: c.rotaryStretch,
    });
  }
  const dim = c.rotaryDim ?? dHead;
  if (dim % 2 !== 0 || dim < 2 || dim > dHead) {
    throw new ConfigError(
      `rotary_dim is ${dim}, but dimensions turn in pairs, of which a head has ${Math.floor(dHead / 2)} (d_head ${dHead}): use an even number from 2 to ${dHead}.`,
      { asked: dim, found: dHead },
    );
  }
  checkCount("rotary_stretch", c.rotaryStretch, dim / 2, "pair of dimensions");
  checkCount("rotary_stretch_long", c.rotaryStretchLong, dim / 2, "pair of dimensions");
  checkCount("rotary_layers", c.rotaryLayers, c.nLayers, "layer");
}

/** @throws ConfigError for a list that has not one entry for each */
function checkCount(field: string, list: readonly unknown[] | null, count: number, each: string): void {
  if (list === null || list.length === count) return;
  throw new ConfigError(`${field} must have ${count} numbers or flags, one for each ${each}, but has ${list.length}.`, {
    asked: field,
    found: list.length,
  });
}

/** @throws ConfigError for an encoder-decoder without relative positions, or the reverse; for buckets that hold no distances */
function checkRelative(c: HookedTransformerConfig): void {
  const { nDecoderLayers, relativeAttentionNumBuckets: buckets, relativeAttentionMaxDistance: most } = c;
  const relative = c.positionalEmbeddingType === "relative_positional_bias";
  if (nDecoderLayers === null && !relative) {
    const given = { relative_attention_num_buckets: buckets, relative_attention_max_distance: most };
    for (const [name, value] of Object.entries(given)) if (value !== null) throw unsupported(name, value, "null");
    return;
  }
  if (nDecoderLayers === null || !relative) {
    throw new ConfigError(
      `Relative positions are computed in encoder-decoders only, and encoder-decoders only with them: set both positional_embedding_type "relative_positional_bias" and n_decoder_layers, or neither (n_decoder_layers is ${shown(nDecoderLayers)}).`,
      { asked: c.positionalEmbeddingType, found: nDecoderLayers },
    );
  }
  const onlyOne = c.parallelAttnMlp || c.attnOnly || c.normPlacement !== "before" || c.mlmHead || c.normAfterEmbeddings;
  if (onlyOne || c.nTokenTypes > 0) {
    throw new ConfigError(
      "An encoder-decoder has sequential blocks with MLPs, norms before them, and no token types or head for masks.",
      { asked: "n_decoder_layers" },
    );
  }
  if (buckets !== null && most !== null && buckets >= 4 && buckets % 2 === 0 && most > buckets / 2) return;
  throw new ConfigError(
    `relative_attention_num_buckets is ${shown(buckets)} and relative_attention_max_distance ${shown(most)}, but there must be an even number of buckets, at least 4, and a distance of more than half of it.`,
    { asked: buckets, found: most },
  );
}

/** @throws ConfigError for local attention without a window, or without a type for each layer */
function checkLocal({ windowSize, attnTypes, nLayers }: HookedTransformerConfig): void {
  if (windowSize === null || windowSize < 1) {
    throw new ConfigError(`use_local_attn needs a window_size of at least 1, but it is ${shown(windowSize)}.`, {
      asked: "window_size",
      found: windowSize,
    });
  }
  if (attnTypes === null || attnTypes.length < nLayers) {
    throw new ConfigError(
      `use_local_attn needs attn_types with "global" or "local" for each of the ${nLayers} layers, but has ${attnTypes?.length ?? "none"}.`,
      { asked: "attn_types", found: attnTypes },
    );
  }
}

/** Weights of a layer's MLP or experts, with the router's and without biases. */
function mlpParams(c: HookedTransformerConfig, layer: number): number {
  if (c.attnOnly) return 0;
  const each = (c.gatedMlp ? 3 : 2) * c.dModel;
  if (c.numExperts === null || c.mlpTypes?.[layer] === "dense") return each * (c.dMlp ?? 0);
  const shared = c.sharedExpertDMlp === null ? 0 : each * c.sharedExpertDMlp + c.dModel;
  return c.numExperts * (each * (c.expertDMlp ?? c.dMlp ?? 0) + c.dModel) + shared;
}

function headsThatFit(c: HookedTransformerConfig): number {
  const heads = c.dModel / c.dHead;
  if (Number.isInteger(heads)) return heads;
  throw new ConfigError(
    `n_heads is missing, and d_model ${c.dModel} is not a multiple of d_head ${c.dHead}. Set n_heads.`,
    { asked: "n_heads", found: heads },
  );
}

function sameValue(a: unknown, b: unknown): boolean {
  return a === b || (Array.isArray(a) && Array.isArray(b) && shown(a) === shown(b));
}
