/** A model in several files: an index, `{"weight_map": {tensor: file}}`, and the files that it names. */
import type { NDArray } from "../tensor/array.ts";
import { FileFormatError } from "../tensor/errors.ts";
import type { ByteSource } from "./bytes.ts";
import { parseJsonObject } from "./bytes.ts";
import type { LoadOptions, ModelFiles } from "./files.ts";

/**
 * Reads every shard of an index, one after the other.
 * @param skipped the tensors that a shard holds, but `readShard` left out; filled while it reads
 * @throws FileFormatError if the index is malformed, a shard lacks a tensor that the index promises, or two shards hold
 * the same one.
 */
export async function readShards(
  files: ModelFiles,
  indexPath: string,
  readShard: (source: ByteSource, options: LoadOptions) => Promise<Map<string, NDArray>>,
  options: LoadOptions,
  skipped: ReadonlySet<string> = new Set(),
): Promise<Map<string, NDArray>> {
  const map = parseJsonObject(await files.readText(indexPath, options), indexPath).weight_map;
  const entries = typeof map === "object" && map !== null ? Object.entries(map) : [];
  if (entries.length === 0 || entries.some(([, shard]) => typeof shard !== "string")) {
    throw new FileFormatError(`${indexPath} of ${files.name} has no "weight_map" from tensor names to file names.`, {
      asked: indexPath,
      found: map,
    });
  }
  const folder = indexPath.slice(0, indexPath.lastIndexOf("/") + 1);
  const arrays = new Map<string, NDArray>();
  for (const shard of new Set(entries.map(([, shard]) => shard as string))) {
    const path = folder + shard;
    const part = await readShard(await files.open(path, options), options);
    for (const [tensor, array] of part) {
      if (arrays.has(tensor)) {
        throw new FileFormatError(`${path} of ${files.name} holds "${tensor}", as did a file before it.`, {
          asked: tensor,
          found: path,
        });
      }
      arrays.set(tensor, array);
    }
    const missing = entries
      .filter(([tensor, home]) => home === shard && !part.has(tensor) && !skipped.has(tensor))
      .map(([tensor]) => tensor);
    if (missing.length > 0) {
      throw new FileFormatError(
        `${indexPath} of ${files.name} places ${missing.length} tensors in ${shard} that it does not hold, first "${missing[0]}".`,
        { asked: missing, found: [...part.keys()] },
      );
    }
  }
  return arrays;
}
