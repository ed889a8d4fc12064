/** A family of Hugging Face's: what its `config.json` says in TransformerLens' words, and where its weights are. */
import { ConfigError } from "../../tensor/errors.ts";
import { between, type Kind } from "../../tensor/kinds.ts";
import { shown } from "../../tensor/show.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { parseConfig } from "../config/parse.ts";
import { readCheckpoint, type Sources } from "./checkpoint.ts";
import { type ConfigJson, type ModelFamily, shortName } from "./family.ts";
import { checkKinds, type FieldKinds, refuseUnknownFields, requireField } from "./read-fields.ts";

/** The fields of a `config.json`, each of the kind that it must be. */
export interface Fields {
  /** A field that must be there. @throws ConfigError */
  need<T = number>(name: string): T;
  /** A field, or what it is where it is left out or null. */
  or<T>(name: string, byDefault: T): T;
  /** @throws ConfigError for a field that holds another value than those that are computed */
  only(name: string, ...values: readonly unknown[]): void;
}

/** What differs from family to family. */
export interface HuggingFaceFamily {
  /** Its `model_type`. */
  readonly name: string;
  /** What people call it. */
  readonly called: string;
  readonly architecture: string;
  /** The token embedding's name in its checkpoints. */
  readonly embedding: string;
  /** The fields that it reads. */
  readonly fields: FieldKinds;
  /** TransformerLens' fields, but for names. */
  config(json: Fields): Readonly<Record<string, unknown>>;
  sources(config: HookedTransformerConfig, has: (name: string) => boolean): Sources;
  /** Buffers that old versions saved with the weights. */
  readonly buffers?: RegExp;
}

/** A family as the others are. */
export function huggingFace(family: HuggingFaceFamily): ModelFamily {
  const { name, called, embedding, fields } = family;
  const what = `a ${called} model`;
  return {
    name,
    embedding,
    matches: (json) => json.model_type === name,
    config(json, { repoName }) {
      checkKinds(json, what, fields);
      refuseUnknownFields(json, what, fields, new Set());
      return parseConfig({
        ...family.config(fieldsOf(json, called)),
        tokenizer_name: repoName,
        original_architecture: family.architecture,
        model_name: shortName(repoName),
      });
    },
    weights(raw, config) {
      return readCheckpoint(
        raw,
        config,
        called,
        family.sources(config, (array) => raw.has(array)),
        family.buffers,
      );
    },
  };
}

function fieldsOf(json: ConfigJson, called: string): Fields {
  const value = (name: string) => (Object.hasOwn(json, name) ? (json[name] ?? undefined) : undefined);
  return {
    need: <T>(name: string) => requireField(json, name, called) as T,
    or: <T>(name: string, byDefault: T) => (value(name) ?? byDefault) as T,
    only(name, ...values) {
      const found = value(name);
      if (found === undefined || values.includes(found)) return;
      throw new ConfigError(
        `${name} = ${shown(found)} is not supported for a ${called} model. Supported: ${values.map(shown).join(", ")}.`,
        { asked: name, found },
      );
    },
  };
}

/** Hugging Face's other names for nonlinearities. */
const SAME_ACTIVATION: Readonly<Record<string, string>> = {
  swish: "silu",
  gelu_python: "gelu",
  gelu_accurate: "gelu_new",
  gelu_python_tanh: "gelu_pytorch_tanh",
};

/** A nonlinearity by TransformerLens' name. */
export function activation(name: string): string {
  return Object.hasOwn(SAME_ACTIVATION, name) ? SAME_ACTIVATION[name] : name;
}

/** A part of a whole. */
export const SHARE: Kind = between(0, 1);

/** What a `config.json` says of rotary positions, in either of transformers' generations of fields. */
export interface RotaryFields {
  readonly base: number;
  /** How much of a head is turned. */
  readonly share: number;
}

/**
 * @param share how much of a head is turned where the file does not say
 * @throws ConfigError for positions that are scaled
 */
export function rotary(json: Fields, called: string, share = 1): RotaryFields {
  const given = json.or<Record<string, unknown>>("rope_parameters", json.or("rope_scaling", {}));
  const type = given.rope_type ?? given.type ?? "default";
  if (type !== "default") {
    throw new ConfigError(`rope_type = ${shown(type)} is not supported for a ${called} model. Supported: "default".`, {
      asked: "rope_type",
      found: type,
    });
  }
  const number = (name: string) => (typeof given[name] === "number" ? given[name] : undefined);
  return {
    base: number("rope_theta") ?? json.or("rope_theta", json.or("rotary_emb_base", 10000)),
    share: number("partial_rotary_factor") ?? json.or("partial_rotary_factor", json.or("rotary_pct", share)),
  };
}
