/** SAELens' folders: cfg.json and sae_weights.safetensors. */
import type { Tensor } from "../../graph/tensor.ts";
import { writeSafetensors } from "../../load/safetensors-write.ts";
import type { NDArray } from "../../tensor/array.ts";
import { WeightsError } from "../../tensor/errors.ts";
import { POSITIVE } from "../../tensor/kinds.ts";
import type { DictionaryConfig } from "../config.ts";
import { withOneThreshold } from "../fold.ts";
import { checkedWeights } from "../weights.ts";
import {
  below,
  type DictionaryFormat,
  foldersWith,
  placeName,
  type RawDictionary,
  readJson,
  readTensors,
} from "./format.ts";
import { parseSaelens, type SaelensConfig, toSaelens } from "./saelens-config.ts";
import { Settings } from "./settings.ts";

const CONFIG = "cfg.json";
const WEIGHTS = "sae_weights.safetensors";
/** The factor of the input, next to a checkpoint of training. */
const SCALER = "activation_scaler.json";

/**
 * SAELens' own format, of version 6 and before. Checkpoints of BatchTopK and Matryoshka training become `jumprelu`, as when SAELens saves
 * them for use: norms folded, and their one threshold for every feature. A factor of the input next to a checkpoint is used.
 */
export const saelens: DictionaryFormat = {
  name: "SAELens",
  ids: (paths) => foldersWith(paths, WEIGHTS, CONFIG),
  async read(at) {
    const path = below(at, CONFIG);
    const read = parseSaelens(await readJson(at, path), `${at.files.name}/${path}`);
    const raw = await readTensors(at, below(at, WEIGHTS));
    const weights = read.batches ? asJumprelu(read, raw, placeName(at)) : withoutScaling(raw);
    const scaler = below(at, SCALER);
    const isScaled = read.cfg.normalizeActivations === "expected_average_only_in" && at.paths.includes(scaler);
    const inputScale = isScaled
      ? (new Settings(await readJson(at, scaler), `${at.files.name}/${scaler}`).take(
          "scaling_factor",
          POSITIVE,
        ) as number)
      : undefined;
    return { cfg: read.cfg, weights, inputScale, notes: read.notes };
  },
};

/** The weights without what versions before 6 kept for finetuning. @throws WeightsError if that changes what features are */
function withoutScaling(raw: RawDictionary): Map<string, NDArray> {
  const names = raw.names().filter((name) => !["scaling_factor", "finetuning_scaling_factor"].includes(name));
  for (const name of raw.names()) {
    if (names.includes(name) || raw.get(name).data.every((x: number) => x === 1)) continue;
    throw new WeightsError(
      `${raw.what} has a "${name}" other than 1, which SAELens had before version 6 and glassformer does not read: multiply the decoder's rows by it.`,
      { asked: name },
    );
  }
  return new Map(names.map((name) => [name, raw.get(name)]));
}

/** The weights of a BatchTopK training checkpoint as those of a jumprelu dictionary. */
function asJumprelu({ cfg, batches }: SaelensConfig, raw: RawDictionary, what: string): Map<string, NDArray> {
  const [threshold] = raw.get("topk_threshold").data;
  const relu: DictionaryConfig = { ...cfg, architecture: "standard" };
  const given = new Map(["W_enc", "b_enc", "W_dec", "b_dec"].map((name) => [name, raw.get(name)]));
  const leaves = checkedWeights(relu, given, `The dictionary ${what}`);
  return withOneThreshold(cfg, leaves, threshold, batches!.rescaled);
}

const arraysOf = (leaves: ReadonlyMap<string, Tensor>) =>
  new Map([...leaves].map(([name, { array }]) => [name, array!]));

/** How numbers are kept in a file. */
const FILE_DTYPES = { float32: "F32", float16: "F16", bfloat16: "BF16" } as const;
export type DictionaryFileDtype = keyof typeof FILE_DTYPES;
export const DICTIONARY_FILE_DTYPES = Object.keys(FILE_DTYPES) as DictionaryFileDtype[];

/** A dictionary's files in this format, by name. */
export function saelensFiles(
  cfg: DictionaryConfig,
  weights: ReadonlyMap<string, Tensor>,
  dtype: DictionaryFileDtype,
): Map<string, Uint8Array> {
  return new Map([
    [CONFIG, new TextEncoder().encode(`${JSON.stringify(toSaelens(cfg), null, 2)}\n`)],
    [WEIGHTS, writeSafetensors(arraysOf(weights), {}, { dtype: FILE_DTYPES[dtype] })],
  ]);
}
