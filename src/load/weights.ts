/** From a repository to its weights: which file holds them, and all the tensors in it. */
import type { NDArray } from "../tensor/array.ts";
import { WeightsError } from "../tensor/errors.ts";
import type { ByteSource } from "./bytes.ts";
import type { LoadOptions, ModelFiles } from "./files.ts";
import { readPth } from "./pth.ts";
import type { OnSkipped } from "./pth-collect.ts";
import { readSafetensors, readShardedSafetensors } from "./safetensors.ts";
import { readShards } from "./shards.ts";

export interface WeightsOptions extends LoadOptions {
  /** A weights file to take instead of the usual one, such as `checkpoints/solu_1l_000100.pth`. */
  readonly checkpoint?: string | undefined;
  /** Called for each tensor that a .pth file holds and that cannot be read here: see `readPth`. */
  readonly onSkipped?: OnSkipped | undefined;
}

/**
 * All tensors of a model under the names its file gives them. Taken is the first that exists of
 * `model.safetensors`, `model.safetensors.index.json`, a name that ends with `final.pth`, `pytorch_model.bin`,
 * `pytorch_model.bin.index.json`; or `options.checkpoint`.
 * @throws WeightsError listing what was found, if there is none of these; FileFormatError if the file is broken;
 * UnknownNameError if there is no such checkpoint.
 */
export async function loadWeights(files: ModelFiles, options: WeightsOptions = {}): Promise<Map<string, NDArray>> {
  const path = options.checkpoint ?? (await weightsFile(files, options));
  const { signal, onProgress, onSkipped } = options;
  const reading: LoadOptions = { signal, onProgress };
  if (path.endsWith(".safetensors.index.json")) return readShardedSafetensors(files, path, reading);
  if (path.endsWith(".index.json")) {
    const skipped = new Set<string>();
    const skip: OnSkipped = (name, why) => {
      skipped.add(name);
      onSkipped?.(name, why);
    };
    const readShard = (source: ByteSource) => readPth(source, { ...reading, onSkipped: skip });
    return readShards(files, path, readShard, reading, skipped);
  }
  const source = await files.open(path, options);
  return path.endsWith(".safetensors") ? readSafetensors(source, reading) : readPth(source, { ...reading, onSkipped });
}

async function weightsFile(files: ModelFiles, options: LoadOptions): Promise<string> {
  const paths = await files.list(options);
  const named = (name: string) => paths.find((path) => path === name);
  const path =
    named("model.safetensors") ??
    named("model.safetensors.index.json") ??
    paths.find((path) => path.endsWith("final.pth")) ??
    named("pytorch_model.bin") ??
    named("pytorch_model.bin.index.json");
  if (path !== undefined) return path;
  const shown = paths.slice(0, 12).join(", ") + (paths.length > 12 ? ` and ${paths.length - 12} more` : "");
  throw new WeightsError(
    `${files.name} has no weights that glassformer reads: it looks for model.safetensors, a name ending with final.pth, ` +
      `or pytorch_model.bin, and found ${shown || "no files"}. ` +
      "Name another file with the option checkpoint.",
    { asked: files.name, found: paths },
  );
}
