/** A model in several files: an index, `{"weight_map": {tensor: file}}`, and the files that it names. */
import { FileFormatError, UnknownNameError } from "../tensor/errors.ts";
import { shortened } from "../tensor/show.ts";
import type { ByteSource } from "./bytes.ts";
import { parseJsonObject } from "./bytes.ts";
import type { LoadOptions, ModelFiles } from "./files.ts";
import { checkJson } from "./json-check.ts";
import type { StoredTensors } from "./stored.ts";
import { readText } from "./text-pieces.ts";

/** The most bytes in an index; those of the largest models have a few million. */
const LONGEST_INDEX = 25_000_000;

/** The paths of the shards that an index names, sorted. */
export async function shardsOf(files: ModelFiles, indexPath: string, options: LoadOptions): Promise<string[]> {
  const map = (await readIndex(files, indexPath, options)).weight_map ?? {};
  const folder = indexPath.slice(0, indexPath.lastIndexOf("/") + 1);
  return [...new Set(Object.values(map))].map((shard) => `${folder}${shard}`).sort();
}

/**
 * The tensors of every shard of an index.
 * @param openShard opens one of them
 * @param skipped the tensors of a shard that were left out; filled while it is opened
 * @throws FileFormatError if the index is malformed or too long, a shard is missing, a shard lacks a tensor that the index promises, or two have
 * the same one.
 */
export async function openShards(
  files: ModelFiles,
  indexPath: string,
  openShard: (source: ByteSource, options: LoadOptions) => Promise<StoredTensors>,
  options: LoadOptions,
  skipped: ReadonlySet<string> = new Set(),
): Promise<StoredTensors> {
  const map = (await readIndex(files, indexPath, options)).weight_map;
  const entries = typeof map === "object" && map !== null ? Object.entries(map) : [];
  if (entries.length === 0 || entries.some(([, shard]) => typeof shard !== "string")) {
    throw new FileFormatError(`${indexPath} of ${files.name} has no "weight_map" from tensor names to file names.`, {
      asked: indexPath,
      found: map,
    });
  }
  const folder = indexPath.slice(0, indexPath.lastIndexOf("/") + 1);
  const parts = new Map<string, StoredTensors>();
  const shapes = new Map<string, readonly number[]>();
  const shards = new Map<string, string[]>();
  for (const [tensor, shard] of entries) {
    const tensors = shards.get(shard as string);
    if (tensors) tensors.push(tensor);
    else shards.set(shard as string, [tensor]);
  }
  const missing = (paths: readonly string[]) =>
    new FileFormatError(
      `${indexPath} of ${files.name} names ${shards.size} weights files, of which ${paths.length} ${paths.length === 1 ? "is" : "are"} missing: ` +
        `${shortened(paths.join(", "), 400)}. Put ${paths.length === 1 ? "it" : "them"} into the same folder.`,
      { asked: paths, found: indexPath },
    );
  // A server of single files lists no shards; if some are listed, the others are missing, and nothing need be read.
  const listed = new Set(await files.list(options));
  const absent = [...shards.keys()].filter((shard) => !listed.has(folder + shard));
  if (absent.length > 0 && absent.length < shards.size) throw missing(absent);
  for (const [shard, tensors] of shards) {
    const path = folder + shard;
    const part = await openShard(await sourceOf(files, path, missing, options), options);
    for (const [tensor, shape] of part.shapes) {
      if (parts.has(tensor)) {
        throw new FileFormatError(`${path} of ${files.name} has "${tensor}", but so does an earlier file.`, {
          asked: tensor,
          found: path,
        });
      }
      parts.set(tensor, part);
      shapes.set(tensor, shape);
    }
    const lacks = tensors.filter((tensor) => !part.shapes.has(tensor) && !skipped.has(tensor));
    if (lacks.length > 0) {
      throw new FileFormatError(
        `${indexPath} of ${files.name} says that ${lacks.length} tensors are in ${shard}, but they are not, first "${lacks[0]}".`,
        { asked: lacks, found: [...part.shapes.keys()] },
      );
    }
  }
  return {
    shapes,
    read: (name, signal) => parts.get(name)!.read(name, signal),
    ...([...parts.values()].every((part) => part.readRows) && {
      readRows: (name, take, signal) => parts.get(name)!.readRows!(name, take, signal),
    }),
    ...([...parts.values()].every((part) => part.readPart) && {
      readPart: (name, part, signal) => parts.get(name)!.readPart!(name, part, signal),
    }),
    forget: (name) => parts.get(name)!.forget?.(name),
  };
}

async function readIndex(files: ModelFiles, indexPath: string, options: LoadOptions): Promise<Record<string, unknown>> {
  const what = `${files.name}/${indexPath}`;
  const source = await files.open(indexPath, options);
  if (source.size > LONGEST_INDEX) {
    throw new FileFormatError(`${what} has ${source.size} bytes: that is not an index of a model's tensors.`, {
      asked: what,
      found: source.size,
    });
  }
  const text = await readText(source, options.signal);
  checkJson(text, what);
  return parseJsonObject(text, what);
}

/** A shard's bytes. @throws FileFormatError if it is missing */
async function sourceOf(
  files: ModelFiles,
  path: string,
  missing: (paths: readonly string[]) => FileFormatError,
  options: LoadOptions,
): Promise<ByteSource> {
  try {
    return await files.open(path, options);
  } catch (error) {
    if (error instanceof UnknownNameError) throw missing([path]);
    throw error;
  }
}
