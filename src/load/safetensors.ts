/** Safetensors files, single and sharded: the header first, then each tensor's bytes, with neighbours in one read. */
import { type NDArray, ndarray, sizeOf, type TypedData } from "../tensor/array.ts";
import { FileFormatError } from "../tensor/errors.ts";
import { FUNCTION, SIGNAL } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { type ByteSource, checkSource, readExactly, readInto } from "./bytes.ts";
import { bytesPerNumber, decodeInto, heldAs, memoryFor, misfitText } from "./dtypes.ts";
import type { LoadOptions, ModelFiles } from "./files.ts";
import type { TensorPlace } from "./safetensors-header.ts";
import { readSafetensorsHeader } from "./safetensors-header.ts";
import { readShards } from "./shards.ts";

/** Neighbouring tensors are read together up to this many bytes: few requests, little memory beyond the result. */
const READ_TOGETHER = 16 << 20;

const LOAD_OPTIONS: OptionKinds<LoadOptions> = { signal: SIGNAL, onProgress: FUNCTION };

/**
 * All tensors of a safetensors file, in the order of their bytes, each with its own memory. Floats (F64 F32 F16 BF16)
 * become float32, integers (I64 I32 I16 I8 U8) int32, BOOL bool.
 * @throws FileFormatError if the file is truncated, garbled or has an unsupported dtype.
 */
export async function readSafetensors(source: ByteSource, options: LoadOptions = {}): Promise<Map<string, NDArray>> {
  checkSource("readSafetensors", source);
  checkOptions("readSafetensors", options, LOAD_OPTIONS);
  const { signal } = options;
  const places = await readSafetensorsHeader(source, signal);
  const arrays = new Map<string, NDArray>();
  let memory = new Uint8Array(0); // shared by everything that is not read straight into a tensor's memory
  const read = async (start: number, end: number) => {
    if (!source.readInto) return readExactly(source, start, end, signal);
    if (memory.length < end - start) memory = new Uint8Array(end - start);
    const bytes = memory.subarray(0, end - start);
    await readInto(source, start, bytes, signal);
    return bytes;
  };
  for (const group of together(places)) {
    const [{ start: from, end, dtype, name, shape }] = group;
    if (end - from <= READ_TOGETHER) {
      const bytes = await read(from, group[group.length - 1].end);
      for (const place of group) {
        const data = memoryOf(place, source);
        decode(place, source, bytes.subarray(place.start - from, place.end - from), data, 0);
        arrays.set(place.name, ndarray(heldAs[place.dtype], place.shape, data));
      }
      continue;
    }
    const data = memoryOf(group[0], source);
    if (dtype === "F32" || dtype === "I32") await readInto(source, from, new Uint8Array(data.buffer), signal);
    else {
      for (let at = from; at < end; at += READ_TOGETHER) {
        const bytes = await read(at, Math.min(at + READ_TOGETHER, end));
        decode(group[0], source, bytes, data, (at - from) / bytesPerNumber[dtype]);
      }
    }
    arrays.set(name, ndarray(heldAs[dtype], shape, data));
  }
  return arrays;
}

function memoryOf({ name, dtype, shape }: TensorPlace, source: ByteSource): TypedData {
  return memoryFor(dtype, sizeOf(shape), `Tensor ${shown(name)} of ${source.name}`);
}

function decode(
  { name, dtype }: TensorPlace,
  source: ByteSource,
  bytes: Uint8Array,
  data: TypedData,
  at: number,
): void {
  const misfit = decodeInto(dtype, bytes, data, at);
  if (!misfit) return;
  const { value } = misfit;
  throw new FileFormatError(
    `Tensor ${shown(name)} of ${source.name} has ${misfitText({ value, position: at + misfit.position })}.`,
    { asked: name, found: value },
  );
}

/** The tensors of a model in several files, as listed in its `*.safetensors.index.json`. */
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
