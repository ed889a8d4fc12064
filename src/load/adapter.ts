/** A PEFT adapter: a folder with `adapter_config.json` and `adapter_model.safetensors`. Source: peft 0.21, LoraConfig */
import { ConfigError, FileFormatError } from "../tensor/errors.ts";
import { FLAG, type Kind, OBJECT, orNull, POSITIVE, TEXT } from "../tensor/kinds.ts";
import { shown } from "../tensor/show.ts";
import { type ByteSource, parseJsonObject } from "./bytes.ts";
import { ADAPTER_CONFIG as CONFIG } from "./file-kinds.ts";
import type { LoadOptions, ModelFiles } from "./files.ts";
import { checkJson } from "./json-check.ts";
import { openSafetensors } from "./safetensors.ts";
import { inMemory, type StoredTensors } from "./stored.ts";
import { readText } from "./text-pieces.ts";

const LONGEST_CONFIG = 1_000_000;

/** What an adapter's file says of how its matrices are added. */
export interface AdapterSettings {
  readonly alpha: number;
  readonly alphaPattern: Readonly<Record<string, unknown>>;
  /** alpha by the root of the rank, not by the rank. */
  readonly byRoot: boolean;
  /** The matrices that it changes are stored [in out]. */
  readonly transposed: boolean;
}

export interface Adapter {
  readonly name: string;
  /** The model that it was made for, and its revision. */
  readonly base: string | undefined;
  readonly revision: string | undefined;
  readonly settings: AdapterSettings;
  readonly tensors: StoredTensors;
}

/** The fields that say what is computed. */
const FIELDS: Readonly<Record<string, Kind>> = {
  peft_type: TEXT,
  base_model_name_or_path: orNull(TEXT),
  revision: orNull(TEXT),
  lora_alpha: POSITIVE,
  alpha_pattern: orNull(OBJECT),
  use_rslora: FLAG,
  fan_in_fan_out: FLAG,
};

/** Fields that say how it was made or trained, or what its tensors say too. */
const BOOKKEEPING = new Set([
  ...["auto_mapping", "bias", "corda_config", "ensure_weight_tying", "eva_config", "exclude_modules", "inference_mode"],
  ...["layers_pattern", "layers_to_transform", "loftq_config", "lora_dropout", "lora_ga_config", "megatron_core"],
  ...["modules_to_save", "peft_version", "qalora_group_size", "r", "rank_pattern", "runtime_config", "target_modules"],
  ...["task_type", "use_dora"],
]);

/** Ways to begin its training that leave the model as it is: others also change the model, and not in the adapter's file. */
const INITIALISATIONS: readonly unknown[] = [true, false, "gaussian", "eva", "orthogonal"];

/** @throws ConfigError for an adapter that is not a LoRA or asks for something that is not computed; FileFormatError if a file is broken */
export async function openAdapter(files: ModelFiles, options: LoadOptions): Promise<Adapter> {
  const paths = await files.list(options);
  const json = await configOf(files, options);
  const refuse = (field: string, why: string): never => {
    throw new ConfigError(`${field} in ${files.name}/${CONFIG} is ${shown(json[field])}, ${why}.`, {
      asked: field,
      found: json[field],
    });
  };
  for (const [field, kind] of Object.entries(FIELDS)) {
    const value = Object.hasOwn(json, field) ? json[field] : undefined;
    if (value !== undefined && !kind.accepts(value)) refuse(field, `but it must be ${kind.describe}`);
  }
  if (json.peft_type !== "LORA") refuse("peft_type", 'which is not supported: only "LORA" is');
  for (const [field, value] of Object.entries(json)) {
    if (Object.hasOwn(FIELDS, field) || BOOKKEEPING.has(field) || value === null || value === false) continue;
    if (field === "init_lora_weights" && INITIALISATIONS.includes(value)) continue;
    refuse(field, "which is not supported");
  }
  const path = ["adapter_model.safetensors", "adapter_model.bin"].find((file) => paths.includes(file));
  if (path === undefined) {
    throw new FileFormatError(
      `${files.name} has an ${CONFIG}, but neither adapter_model.safetensors nor adapter_model.bin.`,
      {
        asked: files.name,
        found: paths,
      },
    );
  }
  const source = await files.open(path, options);
  return {
    name: files.name,
    base: (json.base_model_name_or_path as string | null | undefined) ?? undefined,
    revision: (json.revision as string | null | undefined) ?? undefined,
    settings: {
      alpha: (json.lora_alpha as number | undefined) ?? 8,
      alphaPattern: (json.alpha_pattern as Record<string, unknown> | null | undefined) ?? {},
      byRoot: json.use_rslora === true,
      transposed: json.fan_in_fan_out === true,
    },
    tensors: await openTensors(path, source, options),
  };
}

async function openTensors(path: string, source: ByteSource, options: LoadOptions): Promise<StoredTensors> {
  if (!path.endsWith(".bin")) return openSafetensors(source, options);
  const { readPth } = await import("./pth.ts");
  return inMemory(await readPth(source, options));
}

async function configOf(files: ModelFiles, options: LoadOptions): Promise<Record<string, unknown>> {
  const source = await files.open(CONFIG, options);
  const what = `${files.name}/${CONFIG}`;
  if (source.size > LONGEST_CONFIG) {
    throw new FileFormatError(`${what} has ${source.size} bytes: that is not an adapter's configuration.`, {
      asked: what,
      found: source.size,
    });
  }
  const text = await readText(source, options.signal);
  checkJson(text, what);
  return parseJsonObject(text, what);
}
