/** GGUF files, as llama.cpp makes them: settings of the model and its tokenizer, and tensors, mostly quantised. */
import { type NDArray, ndarray, sizeOf, type TypedData } from "../tensor/array.ts";
import { FileFormatError } from "../tensor/errors.ts";
import { FUNCTION, SIGNAL } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { type ByteSource, checkSource, readExactly, readInto } from "./bytes.ts";
import { misfitText } from "./dtypes.ts";
import type { LoadOptions } from "./files.ts";
import { type GgufPlace, type GgufValue, readGgufHeader } from "./gguf-header.ts";
import { readAll, type StoredTensors } from "./stored.ts";

/** The settings of a file, and its tensors, read one by one. */
export interface GgufFile extends StoredTensors {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** The kind of each tensor's numbers in the file: "Q4_K". */
  readonly kinds: ReadonlyMap<string, string>;
}

const LOAD_OPTIONS: OptionKinds<LoadOptions> = { signal: SIGNAL, onProgress: FUNCTION };

/** The bytes of a quantised tensor that are decoded together. */
const PIECE = 4 << 20;

/**
 * A GGUF file: its settings, and its tensors, whose numbers are read on demand, one at a time. Quantised numbers become float32, as do
 * F16 and BF16.
 * @throws FileFormatError if the file is truncated or garbled, has another version than 2 or 3, or a tensor is quantised in a way
 * that is not read here
 */
export async function openGguf(source: ByteSource, options: LoadOptions = {}): Promise<GgufFile> {
  checkSource("openGguf", source);
  checkOptions("openGguf", options, LOAD_OPTIONS);
  const { metadata, places } = await readGgufHeader(source, options.signal);
  const byName = new Map(places.map((place) => [place.name, place]));
  return {
    metadata,
    kinds: new Map(places.map(({ name, kind }) => [name, kind.name])),
    shapes: new Map(places.map(({ name, shape }) => [name, shape])),
    read: (name, signal) => readTensor(source, byName.get(name)!, signal),
    readRows: (name, take, signal) => readRows(source, byName.get(name)!, take, signal),
  };
}

/** All tensors of a GGUF file, under the names in it. @throws FileFormatError as `openGguf` */
export async function readGguf(source: ByteSource, options: LoadOptions = {}): Promise<Map<string, NDArray>> {
  checkSource("readGguf", source);
  checkOptions("readGguf", options, LOAD_OPTIONS);
  return readAll(await openGguf(source, options), options.signal);
}

async function readTensor(source: ByteSource, place: GgufPlace, signal: AbortSignal | undefined): Promise<NDArray> {
  const { name, shape, kind, start } = place;
  const what = `Tensor ${shown(name)} of ${source.name}`;
  const count = sizeOf(shape);
  const data = emptyOrRefuse(() => kind.empty(count), what, count);
  if (kind.name === "F32" || kind.name === "I32") {
    await readInto(source, start, new Uint8Array(data.buffer), signal);
    return ndarray(kind.heldAs, shape, data);
  }
  await pieces(source, place, PIECE, signal, (bytes, at) => decode(bytes, data, at, place, what));
  return ndarray(kind.heldAs, shape, data);
}

async function readRows(
  source: ByteSource,
  place: GgufPlace,
  take: (rows: TypedData, first: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { name, shape, kind } = place;
  const cols = shape.at(-1) ?? 1;
  const what = `Tensor ${shown(name)} of ${source.name}`;
  const rowBytes = (cols / kind.numbers) * kind.bytes;
  const together = Math.max(1, Math.floor(PIECE / rowBytes));
  const data = emptyOrRefuse(() => kind.empty(together * cols), what, together * cols);
  await pieces(source, place, together * rowBytes, signal, (bytes, at) => {
    const rows = data.subarray(0, (bytes.length / kind.bytes) * kind.numbers);
    decode(bytes, rows, 0, place, what);
    take(rows, at / cols);
  });
}

/** A tensor's bytes, some whole blocks at a time. @param most about how many bytes */
async function pieces(
  source: ByteSource,
  { kind, start, end }: GgufPlace,
  most: number,
  signal: AbortSignal | undefined,
  take: (bytes: Uint8Array, at: number) => void,
): Promise<void> {
  const piece = kind.bytes * Math.max(1, Math.floor(most / kind.bytes));
  for (let at = start; at < end; at += piece) {
    const bytes = await readExactly(source, at, Math.min(at + piece, end), signal);
    take(bytes, ((at - start) / kind.bytes) * kind.numbers);
  }
}

function decode(bytes: Uint8Array, data: TypedData, at: number, { name, kind }: GgufPlace, what: string): void {
  const misfit = kind.decode(bytes, data, at);
  if (misfit) throw new FileFormatError(`${what} has ${misfitText(misfit)}.`, { asked: name, found: misfit.value });
}

/** @throws FileFormatError if there is not enough memory */
function emptyOrRefuse<T>(make: () => T, what: string, count: number): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new FileFormatError(`${what} has ${count} numbers, more than fit in memory.`, { asked: count, cause });
  }
}
