/** Safetensors files, single and sharded: the header first, then each tensor's bytes, neighbours in one read. */
import type { NDArray } from "../tensor/array.ts";
import type { ByteSource } from "./bytes.ts";
import { decodeNumbers } from "./dtypes.ts";
import type { LoadOptions, ModelFiles } from "./files.ts";
import type { TensorPlace } from "./safetensors-header.ts";
import { readSafetensorsHeader } from "./safetensors-header.ts";
import { readShards } from "./shards.ts";

/** Neighbouring tensors are read together up to this many bytes: few requests, little memory beyond the result. */
const READ_TOGETHER = 16 << 20;

/**
 * All tensors of a safetensors file, in the order of their bytes. Floats (F64 F32 F16 BF16) become float32, integers
 * (I64 I32 I16 I8 U8) int32, BOOL bool.
 * @throws FileFormatError if the file is truncated, garbled or holds another dtype.
 */
export async function readSafetensors(source: ByteSource, options: LoadOptions = {}): Promise<Map<string, NDArray>> {
  const arrays = new Map<string, NDArray>();
  for (const group of together(await readSafetensorsHeader(source, options.signal))) {
    const from = group[0].start;
    const bytes = await source.read(from, group[group.length - 1].end, options.signal);
    for (const { name, dtype, shape, start, end } of group) {
      const label = `Tensor "${name}" of ${source.name}`;
      arrays.set(name, decodeNumbers(dtype, shape, bytes.subarray(start - from, end - from), label));
    }
  }
  return arrays;
}

/** The tensors of a model in several files, as its `*.safetensors.index.json` lists them. */
export function readShardedSafetensors(
  files: ModelFiles,
  indexPath: string,
  options: LoadOptions = {},
): Promise<Map<string, NDArray>> {
  return readShards(files, indexPath, readSafetensors, options);
}

function together(places: readonly TensorPlace[]): TensorPlace[][] {
  const groups: TensorPlace[][] = [];
  for (const place of places) {
    const group = groups.at(-1);
    if (group && place.end - group[0].start <= READ_TOGETHER) group.push(place);
    else groups.push([place]);
  }
  return groups;
}
