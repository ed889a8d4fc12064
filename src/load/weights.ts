/** Finds the weights of a repository: which file has them, and all the tensors in it. */
import type { NDArray } from "../tensor/array.ts";
import { ArgumentError, WeightsError } from "../tensor/errors.ts";
import { FUNCTION, SIGNAL, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { kindOf } from "../tensor/show.ts";
import { firstOf } from "../tensor/words.ts";
import type { ByteSource } from "./bytes.ts";
import type { FilesOptions, LoadOptions, ModelFiles } from "./files.ts";
import type { OnSkipped } from "./pth-collect.ts";
import { openSafetensors } from "./safetensors.ts";
import { inMemory, readAll, type StoredTensors } from "./stored.ts";

export interface WeightsOptions extends FilesOptions {
  /** A weights file to use instead of the usual one, such as `checkpoints/solu_1l_000100.pth`. */
  readonly checkpoint?: string | undefined;
  /** Called for each tensor in a .pth file that cannot be read here: see `readPth`. */
  readonly onSkipped?: OnSkipped | undefined;
}

const OPTIONS: OptionKinds<WeightsOptions> = {
  signal: SIGNAL,
  onProgress: FUNCTION,
  checkpoint: TEXT,
  note: FUNCTION,
  onSkipped: FUNCTION,
};

/** The usual names of weights files, in order of preference. */
const USUAL: readonly RegExp[] = [
  /^model\.safetensors$/,
  /^model\.safetensors\.index\.json$/,
  /final\.pth$/,
  /^pytorch_model\.bin$/,
  /^pytorch_model\.bin\.index\.json$/,
];
/** Other names of weights files, accepted if there is only one. */
const WEIGHTS = /^[^/]+\.(safetensors|pth|pt|bin|ckpt)$/i;
/** Files next to a model's weights that have the same formats. */
const OTHER_STATE = /^(optimizer|scheduler|scaler|sampler|training_args|rng_state|random_states|adapter_model)[^/]*$/;
const SHARD = /-(\d+)-of-(\d+)\.\w+$/;

/**
 * All tensors of a model, under the names in its file. The file is the first that exists of
 * `model.safetensors`, `model.safetensors.index.json`, a name that ends with `final.pth`, `pytorch_model.bin`,
 * `pytorch_model.bin.index.json`; or the only `.safetensors`, `.pth`, `.pt`, `.bin` or `.ckpt`; or
 * `options.checkpoint`.
 * @throws WeightsError listing what was found, if there is none of these; FileFormatError if the file is broken;
 * UnknownNameError if there is no such checkpoint.
 */
export async function loadWeights(files: ModelFiles, options: WeightsOptions = {}): Promise<Map<string, NDArray>> {
  return readAll(await openWeights(files, options), options.signal);
}

/**
 * The same tensors, each read when it is needed; those of PyTorch's files are read all together.
 * @throws as `loadWeights`
 */
export async function openWeights(files: ModelFiles, options: WeightsOptions = {}): Promise<StoredTensors> {
  if (typeof files?.list !== "function" || typeof files.open !== "function") {
    throw new ArgumentError(
      `loadWeights takes a repository of files, as returned by memoryFiles or openModelFiles, not ${kindOf(files)}.`,
      { asked: files },
    );
  }
  checkOptions("loadWeights", options, OPTIONS);
  const path = options.checkpoint ?? (await weightsFile(files, options));
  const { signal, onProgress, onSkipped } = options;
  const reading: LoadOptions = { signal, onProgress };
  const openPth = async (source: ByteSource, skipped: OnSkipped | undefined) => {
    const { readPth } = await import("./pth.ts");
    return inMemory(await readPth(source, { ...reading, onSkipped: skipped }));
  };
  const shards = () => import("./shards.ts");
  if (path.endsWith(".safetensors.index.json"))
    return (await shards()).openShards(files, path, openSafetensors, reading);
  if (path.endsWith(".index.json")) {
    const skipped = new Set<string>();
    const skip: OnSkipped = (name, why) => {
      skipped.add(name);
      onSkipped?.(name, why);
    };
    return (await shards()).openShards(files, path, (source) => openPth(source, skip), reading, skipped);
  }
  const source = await files.open(path, options);
  if (path.endsWith(".safetensors")) return openSafetensors(source, reading);
  return openPth(source, onSkipped);
}

/** The paths of the files that the weights are read from: an index and its shards, one file, or GGUF files. @throws as `loadWeights` */
export async function weightFiles(files: ModelFiles, options: LoadOptions = {}): Promise<string[]> {
  const gguf = (await files.list(options)).filter((path) => /\.gguf$/i.test(path));
  if (gguf.length > 0) return gguf;
  const path = await weightsFile(files, options);
  return path.endsWith(".index.json")
    ? [path, ...(await (await import("./shards.ts")).shardsOf(files, path, options))]
    : [path];
}

/** Whether some of a repository's files have weights, but for GGUF files. */
export function hasWeights(paths: readonly string[]): boolean {
  return paths.some((path) => USUAL.some((name) => name.test(path)) || (WEIGHTS.test(path) && !OTHER_STATE.test(path)));
}

async function weightsFile(files: ModelFiles, options: WeightsOptions): Promise<string> {
  const paths = await files.list(options);
  const usual = USUAL.flatMap((name) => paths.filter((path) => name.test(path)));
  const all = paths.filter((path) => WEIGHTS.test(path) && !OTHER_STATE.test(path));
  const others = all.filter((path) => !SHARD.test(path) && !usual.includes(path));
  if (usual.length > 0) {
    const [path, ...passedOver] = [...usual, ...others];
    if (passedOver.length > 0) {
      options.note?.(
        `${files.name} has several weights files; ${path}, the usual name, is read, and not ${firstOf(passedOver)}.`,
      );
    }
    return path;
  }
  if (others.length === 1) return others[0];
  if (others.length > 1) {
    throw new WeightsError(
      `${files.name} has several weights files but none with a usual name: ${firstOf(others)}. Name one of them with the option checkpoint.`,
      { asked: files.name, found: others },
    );
  }
  const shard = all.find((path) => SHARD.test(path));
  if (shard !== undefined) {
    throw new WeightsError(
      `${files.name} has ${all.length} of the ${Number(SHARD.exec(shard)![2])} parts of a model (${firstOf(all)}), but no index that says what is in which, such as model.safetensors.index.json.`,
      { asked: files.name, found: all },
    );
  }
  throw new WeightsError(
    `${files.name} has no weights that glassformer can read: it looks for model.safetensors, a name ending in final.pth, ` +
      `pytorch_model.bin, or a single .safetensors, .pth, .pt, .bin, .ckpt or .gguf, and found ${firstOf(paths) || "no files"}.`,
    { asked: files.name, found: paths },
  );
}
