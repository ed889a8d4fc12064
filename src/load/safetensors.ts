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
import { readAll, type StoredTensors } from "./stored.ts";

/** Neighbouring tensors are read together up to this many bytes: few requests, little memory beyond the result. */
const READ_TOGETHER = 16 << 20;

const LOAD_OPTIONS: OptionKinds<LoadOptions> = { signal: SIGNAL, onProgress: FUNCTION };

/** Rows of one tensor are read together up to this many bytes. */
const ROWS_TOGETHER = 4 << 20;

/** Groups of neighbours whose bytes are remembered: a model's weights are not needed in the order of a file. */
const GROUPS_HELD = 3;

/**
 * All tensors of a safetensors file, in the order of their bytes, each with its own memory. Floats (F64 F32 F16 BF16 and
 * the four kinds of F8) become float32, integers (I64 I32 I16 I8 U8) int32, BOOL bool.
 * @throws FileFormatError if the file is truncated, garbled or has an unsupported dtype.
 */
export async function readSafetensors(source: ByteSource, options: LoadOptions = {}): Promise<Map<string, NDArray>> {
  return readAll(await openSafetensors(source, options), options.signal);
}

/** The same tensors, each read when it is needed. @throws FileFormatError */
export async function openSafetensors(source: ByteSource, options: LoadOptions = {}): Promise<StoredTensors> {
  checkSource("readSafetensors", source);
  checkOptions("readSafetensors", options, LOAD_OPTIONS);
  const places = await readSafetensorsHeader(source, options.signal);
  const groups = new Map(together(places).flatMap((group) => group.map((place) => [place.name, group])));
  const held = new Map<TensorPlace[], Uint8Array>();
  const spare = new Map<string, TypedData>();
  const bytesOf = async (group: TensorPlace[], signal: AbortSignal | undefined) => {
    const bytes = held.get(group) ?? (await readExactly(source, group[0].start, group[group.length - 1].end, signal));
    held.delete(group);
    if (group.length > 1) held.set(group, bytes);
    if (held.size > GROUPS_HELD) held.delete(held.keys().next().value!);
    return bytes;
  };
  const placeOf = (name: string) => groups.get(name)!.find((place) => place.name === name)!;
  const readPlace = async (place: TensorPlace, signal: AbortSignal | undefined) => {
    const { name, start, end, dtype, shape } = place;
    const group = groups.get(name)!;
    const data = memoryOf(place, source);
    if (group.length > 1) {
      const bytes = await bytesOf(group, signal);
      decode(place, source, bytes.subarray(start - group[0].start, end - group[0].start), data, 0);
    } else if (dtype === "F32" || dtype === "I32") {
      await readInto(source, start, new Uint8Array(data.buffer), signal);
    } else {
      await pieces(place, source, READ_TOGETHER, signal, (bytes, at) => decode(place, source, bytes, data, at));
    }
    return ndarray(heldAs[dtype], shape, data);
  };
  return {
    shapes: new Map(places.map(({ name, shape }) => [name, shape])),
    read: (name, signal) => readPlace(placeOf(name), signal),
    readPart: (name, part, signal) => readPlace(partOf(placeOf(name), part), signal),
    async readRows(name, take, signal) {
      const place = placeOf(name);
      const { dtype, shape } = place;
      const cols = shape.at(-1) ?? 1;
      const rowBytes = cols * bytesPerNumber[dtype];
      const together = Math.max(1, Math.floor(ROWS_TOGETHER / rowBytes)) * rowBytes;
      const count = together / bytesPerNumber[dtype];
      // The same memory for the next tensor, unless two are read at the same time.
      const of = `${heldAs[dtype]} ${count}`;
      const data = spare.get(of) ?? memoryFor(dtype, count, `Tensor ${shown(name)} of ${source.name}`);
      spare.delete(of);
      await pieces(place, source, together, signal, (bytes, at) => {
        const rows = data.subarray(0, bytes.length / bytesPerNumber[dtype]);
        decode(place, source, bytes, rows, 0);
        take(rows, at / cols);
      });
      spare.clear();
      spare.set(of, data);
    },
  };
}

/** Where one of the parts along a tensor's first axis is. */
function partOf(place: TensorPlace, part: number): TensorPlace {
  const shape = place.shape.slice(1);
  const size = sizeOf(shape) * bytesPerNumber[place.dtype];
  const start = place.start + part * size;
  return { ...place, shape, start, end: start + size };
}

/** Reads a tensor's bytes in pieces, each into the same memory if the source can do that. */
async function pieces(
  { start, end, dtype }: TensorPlace,
  source: ByteSource,
  most: number,
  signal: AbortSignal | undefined,
  take: (bytes: Uint8Array, at: number) => void,
): Promise<void> {
  const memory = new Uint8Array(source.readInto ? Math.min(end - start, most) : 0);
  for (let at = start; at < end; at += most) {
    const to = Math.min(at + most, end);
    const bytes = source.readInto ? memory.subarray(0, to - at) : await readExactly(source, at, to, signal);
    if (source.readInto) await readInto(source, at, bytes, signal);
    take(bytes, (at - start) / bytesPerNumber[dtype]);
  }
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
export async function readShardedSafetensors(
  files: ModelFiles,
  indexPath: string,
  options: LoadOptions = {},
): Promise<Map<string, NDArray>> {
  const { openShards } = await import("./shards.ts");
  return readAll(await openShards(files, indexPath, openSafetensors, options), options.signal);
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
