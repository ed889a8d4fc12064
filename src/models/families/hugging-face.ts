/** A family of Hugging Face's: what its `config.json` says in TransformerLens' words, and where its weights are. */
import { ConfigError } from "../../tensor/errors.ts";
import { FLAG, listOf, OBJECT, oneOf, orNull, POSITIVE, TEXT } from "../../tensor/kinds.ts";
import { shown } from "../../tensor/show.ts";
import { counted, withArticle } from "../../tensor/words.ts";
import { EPS, LAYERS, SIZE } from "../config/bounds.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { parseConfig } from "../config/parse.ts";
import { activation } from "./activation-name.ts";
import { linear, type Sources, same, scaled } from "./checkpoint.ts";
import { type ConfigJson, type ModelFamily, shortName } from "./family.ts";
import { checkKinds, type FieldKinds, type Fields, refuseUnknownFields, requireField } from "./read-fields.ts";
import { rotary } from "./rope.ts";

export type { Fields } from "./read-fields.ts";

/** What differs from family to family. */
export interface HuggingFaceFamily {
  /** Its `model_type`. */
  readonly name: string;
  /** What people call it. */
  readonly called: string;
  readonly architecture: string;
  /** The token embedding's name in its checkpoints. */
  readonly embedding: string;
  /** A prefix that the names may have; the other names here are without it. */
  readonly prefix?: string;
  /** The unembedding's, and whether its models have none of their own where their files do not say. */
  readonly unembedding: string;
  readonly tied: boolean;
  /** The fields that it reads. */
  readonly fields: FieldKinds;
  /** TransformerLens' fields, but for names. */
  config(json: Fields): Readonly<Record<string, unknown>>;
  /** Where the other weights are, in a checkpoint that has these names. */
  sources(config: HookedTransformerConfig, has: (name: string) => boolean, json: Fields): Sources;
  /** What embeddings and logits are multiplied with, which is done to the weights when they are read. */
  scales?(json: Fields): { readonly embedding?: number; readonly logits?: number };
  /** Set where TransformerLens puts no BOS before a text by default: the models were trained without. */
  readonly withoutBos?: true;
  /** Buffers that old versions saved with the weights. */
  readonly buffers?: RegExp;
  /** Parts that some checkpoints have, and that are not computed here: a note says so. */
  readonly leftOut?: { readonly names: RegExp; readonly what: string };
}

/** A family as the others are. */
export function huggingFace(family: HuggingFaceFamily): ModelFamily {
  const { name, called, embedding, fields, leftOut } = family;
  const what = `${withArticle(called)} model`;
  return {
    name,
    embedding,
    ...(family.prefix !== undefined && { prefix: family.prefix }),
    matches: (json) => json.model_type === name,
    config(json, { repoName, weightNames = [], note }) {
      checkKinds(json, what, fields);
      refuseUnknownFields(json, what, fields, new Set());
      if (weightNames.some((one) => leftOut?.names.test(one))) note(`${leftOut!.what} is left out.`);
      const tied = json.tie_word_embeddings ?? family.tied;
      if (tied && weightNames.includes(family.unembedding)) {
        note(
          `The unembedding should be the embedding, but the file has ${family.unembedding} too: that is used, as transformers does.`,
        );
      }
      return parseConfig({
        tie_word_embeddings: tied,
        ...family.config(fieldsOf(json, called)),
        ...(family.withoutBos && { default_prepend_bos: false }),
        tokenizer_name: repoName,
        original_architecture: family.architecture,
        model_name: shortName(repoName),
      });
    },
    layout(config, has, json) {
      // A tied unembedding is usually not stored; one that is stored is used, as transformers does.
      const tied = config.tieWordEmbeddings && !has(family.unembedding);
      const read = fieldsOf(json, called);
      const scales = family.scales?.(read);
      const sources = {
        "embed.W_E": scaled(same(embedding), scales?.embedding ?? 1),
        "unembed.W_U": scaled(linear(tied ? embedding : family.unembedding), scales?.logits ?? 1),
        ...family.sources(config, has, read),
      };
      const dropped = [family.buffers, leftOut?.names].filter((names) => names !== undefined);
      const buffers = dropped.length > 0 ? new RegExp(dropped.map(({ source }) => source).join("|")) : undefined;
      return { called, sources, buffers };
    },
  };
}

function fieldsOf(json: ConfigJson, called: string): Fields {
  const value = (name: string) => (Object.hasOwn(json, name) ? (json[name] ?? undefined) : undefined);
  return {
    need: <T>(name: string) => requireField(json, name, called) as T,
    or: <T>(name: string, byDefault: T) => (value(name) ?? byDefault) as T,
    orNull: <T>(name: string, byDefault: T | null) => (Object.hasOwn(json, name) ? json[name] : byDefault) as T | null,
    only(name, ...values) {
      const found = value(name);
      if (found === undefined || values.includes(found)) return;
      throw new ConfigError(
        `${name} = ${shown(found)} is not supported for ${withArticle(called)} model. Supported: ${values.map((value) => shown(value)).join(", ")}.`,
        { asked: name, found },
      );
    },
  };
}

/** The fields that say the sizes of a decoder with rotary positions, and of how much of a head they turn how far. */
export const DECODER_FIELDS: FieldKinds = {
  model_type: TEXT,
  num_hidden_layers: LAYERS,
  hidden_size: SIZE,
  num_attention_heads: SIZE,
  num_key_value_heads: orNull(SIZE),
  head_dim: orNull(SIZE),
  original_max_position_embeddings: orNull(SIZE),
  intermediate_size: SIZE,
  max_position_embeddings: SIZE,
  vocab_size: SIZE,
  hidden_act: TEXT,
  rope_theta: orNull(POSITIVE),
  rope_scaling: orNull(OBJECT),
  rope_parameters: orNull(OBJECT),
  tie_word_embeddings: FLAG,
};

/** What a decoder's file may leave out. */
export interface DecoderDefaults {
  readonly hidden_act: string;
  /** The field that names the nonlinearity. Default: `hidden_act`. */
  readonly act_field?: string;
  /** Heads of keys and values. Default: as many as heads. */
  readonly num_key_value_heads?: number | undefined;
  /** Default: the stream's width by the number of heads. */
  readonly head_dim?: number;
  /** How much of a head is turned. */
  readonly share?: number;
  readonly rope_theta?: number;
  /** The longest text of training, where that is not the longest of the model. */
  readonly original_max_position_embeddings?: number;
}

/** TransformerLens' fields of what `DECODER_FIELDS` say. @throws ConfigError for positions whose scaling is not computed */
export function decoder(json: Fields, called: string, defaults: DecoderDefaults): Record<string, unknown> {
  const heads = json.need("num_attention_heads");
  const keyValueHeads = json.or("num_key_value_heads", defaults.num_key_value_heads ?? heads);
  const d_head = json.or("head_dim", defaults.head_dim ?? json.need("hidden_size") / heads);
  const n_ctx = json.need("max_position_embeddings");
  const act = defaults.act_field ?? "hidden_act";
  return {
    n_layers: json.need("num_hidden_layers"),
    d_model: json.need("hidden_size"),
    n_heads: heads,
    n_key_value_heads: keyValueHeads === heads ? null : keyValueHeads,
    d_head,
    d_mlp: json.need("intermediate_size"),
    n_ctx,
    d_vocab: json.need("vocab_size"),
    act_fn: activation(act, json.or(act, defaults.hidden_act)),
    ...rotary(json, called, {
      ...{ share: defaults.share ?? 1, base: defaults.rope_theta ?? 10000, d_head, n_ctx },
      original: json.or("original_max_position_embeddings", defaults.original_max_position_embeddings),
    }),
  };
}

/** A list with an entry for each layer. @throws ConfigError for one with more or fewer */
export function eachLayer<T>(name: string, list: readonly T[], layers: number): readonly T[] {
  if (list.length === layers) return list;
  throw new ConfigError(
    `${name} is a list of ${list.length}, but the model has ${counted(layers, "layer")}: it has one entry for each.`,
    {
      asked: list.length,
      found: layers,
    },
  );
}

/** Of a window: how many tokens a layer sees, and which layers do. */
export const WINDOW_FIELDS: FieldKinds = {
  sliding_window: orNull(SIZE),
  layer_types: orNull(listOf(oneOf(["full_attention", "sliding_attention"]), "names")),
};

/** Which layers have a window, according to `layer_types`, or to a rule of the family's where the file has none. */
export function localLayers(json: Fields, layers: number, rule: (layer: number) => boolean): readonly boolean[] {
  const types = json.or<readonly string[]>("layer_types", []);
  if (types.length === 0) return Array.from({ length: layers }, (_, layer) => rule(layer));
  return eachLayer("layer_types", types, layers).map((type) => type === "sliding_attention");
}

/** Local attention in the layers that a file says, or nothing where it has no window. */
export function windowed(window: number | null, local: readonly boolean[]): Record<string, unknown> {
  if (window === null) return {};
  return {
    use_local_attn: true,
    window_size: window,
    attn_types: local.map((is) => (is ? "local" : "global")),
  };
}

/** The fields of GPT-2's generation that its relatives share. */
export const GPT_FIELDS: FieldKinds = {
  model_type: TEXT,
  n_layer: LAYERS,
  n_embd: SIZE,
  n_head: SIZE,
  n_inner: orNull(SIZE),
  n_positions: SIZE,
  vocab_size: SIZE,
  activation_function: TEXT,
  layer_norm_epsilon: EPS,
  scale_attn_weights: FLAG,
  tie_word_embeddings: FLAG,
};

/** TransformerLens' fields of what `GPT_FIELDS` say, of a model with LayerNorms. */
export function gpt(json: Fields, hiddenAct: string): Record<string, unknown> {
  const [d_model, heads] = [json.need("n_embd"), json.need("n_head")];
  return {
    n_layers: json.need("n_layer"),
    d_model,
    n_heads: heads,
    d_head: d_model / heads,
    d_mlp: json.or("n_inner", 4 * d_model),
    n_ctx: json.need("n_positions"),
    d_vocab: json.need("vocab_size"),
    act_fn: activation("activation_function", json.or("activation_function", hiddenAct)),
    eps: json.or("layer_norm_epsilon", 1e-5),
    normalization_type: "LN",
  };
}
