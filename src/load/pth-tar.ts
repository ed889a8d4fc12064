/**
 * A PyTorch checkpoint as torch wrote it before 0.1.10: a tar archive with the files `storages` (for each its key, place and type as a
 * pickle, a count of numbers, the numbers; then which of them are parts of others), `tensors` (for each its key and storage as a pickle,
 * then shape, strides and offset) and `pickle`, the object, whose tensors are keys. Source: PyTorch 2.13, _legacy_load
 */
import { FileFormatError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { type ByteSource, readExactly } from "./bytes.ts";
import { bytesPerNumber } from "./dtypes.ts";
import { OTHER, PickleDict, PickleEnd, PickleError, type PickleHost, PickleList, readPickleAt } from "./pickle.ts";
import type { PthContainer } from "./pth-container.ts";
import { PthName, tensorOf } from "./pth-names.ts";
import { brokenPickle, pthHost } from "./pth-pickle.ts";
import { PlacedStorages, type StoragePlace } from "./pth-placed.ts";
import { PthStorage, type PthTensor, type PthUnheld } from "./pth-tensor.ts";

const BLOCK = 512;
const MOST_FILES = 100;
/** A pickle of a key; the object's pickle may be as long as the file says. */
const SMALL = 4096;
const LONGEST_PICKLE = 64 << 20;
const PICKLE_MEMORY = 32_000_000;

/** Whether a file is such an archive: a tar whose first file is one of its. */
export async function isTarPth(source: ByteSource, signal: AbortSignal | undefined): Promise<boolean> {
  if (source.size < BLOCK) return false;
  const block = await readExactly(source, 0, BLOCK, signal);
  return text(block, 257, 5) === "ustar" && /^(\.\/)?(sys_info|storages|tensors|pickle)$/.test(text(block, 0, 100));
}

/** @throws FileFormatError if it is broken */
export async function openTarPth(source: ByteSource, signal: AbortSignal | undefined): Promise<PthContainer> {
  try {
    const files = await filesOf(source, signal);
    const machine = new Reader(source, fileOf(files, "sys_info"), signal);
    const info = await machine.pickle(pthHost(source.name));
    if (PickleDict.is(info) && info.entries.get("little_endian") === false) {
      throw new FileFormatError(`${source.name} has big-endian numbers: save it on a little-endian machine.`, {
        asked: source.name,
        found: "big",
      });
    }
    const { storages, places } = await readStorages(new Reader(source, fileOf(files, "storages"), signal));
    const tensors = await readTensors(new Reader(source, fileOf(files, "tensors"), signal), storages);
    const object = fileOf(files, "pickle");
    if (object.bytes > LONGEST_PICKLE) throw new PickleError(`it has ${object.bytes} bytes, far more than a model's`);
    const bytes = await readExactly(source, object.start, object.start + object.bytes, signal);
    const host: PickleHost = {
      ...pthHost(source.name),
      // A class with its source, or the key of a tensor or a storage.
      persistent(id) {
        if (Array.isArray(id)) return OTHER;
        const key = Number(id);
        return tensors.get(key) ?? storages.get(key) ?? unknownKey(id);
      },
    };
    const { value } = readPickleAt(bytes, 0, host, PICKLE_MEMORY + source.size / 8);
    return new PlacedStorages(source, { root: value, bytes: bytes.length }, places, signal);
  } catch (cause) {
    if (cause instanceof PickleError) throw brokenPickle(source.name, cause);
    throw cause;
  }
}

function unknownKey(key: unknown): never {
  throw new PickleError(`it uses ${shown(key)}, which is neither a tensor nor a storage of the file`);
}

/** The files of a tar archive. */
async function filesOf(source: ByteSource, signal: AbortSignal | undefined): Promise<Map<string, StoragePlace>> {
  const files = new Map<string, StoragePlace>();
  for (let at = 0; at + BLOCK <= source.size && files.size < MOST_FILES; ) {
    const block = await readExactly(source, at, at + BLOCK, signal);
    if (block.every((byte) => byte === 0)) break;
    const name = text(block, 0, 100).replace(/^\.\//, "");
    const size = text(block, 124, 12).trim();
    const bytes = /^[0-7]{1,12}$/.test(size) ? Number.parseInt(size, 8) : Number.NaN;
    const start = at + BLOCK;
    if (!(start + bytes <= source.size)) {
      throw new FileFormatError(
        `${source.name} is not a whole PyTorch checkpoint: its file ${shown(name)} has ${shown(size)} bytes, but the archive ends before.`,
        { asked: name, found: source.size },
      );
    }
    files.set(name, { start, bytes });
    at = start + Math.ceil(bytes / BLOCK) * BLOCK;
  }
  return files;
}

function fileOf(files: ReadonlyMap<string, StoragePlace>, name: string): StoragePlace {
  const file = files.get(name);
  if (file) return file;
  throw new PickleError(`the archive has no file "${name}"`);
}

/** The text of a field, which ends with a zero. */
function text(block: Uint8Array, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return String.fromCharCode(...field.subarray(0, end < 0 ? length : end));
}

/** One of the files, read in order. */
class Reader {
  readonly #source: ByteSource;
  readonly #end: number;
  readonly #signal: AbortSignal | undefined;
  at: number;

  constructor(source: ByteSource, { start, bytes }: StoragePlace, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#signal = signal;
    this.at = start;
    this.#end = start + bytes;
  }

  get name(): string {
    return this.#source.name;
  }

  async pickle(host: PickleHost): Promise<unknown> {
    for (let length = SMALL; ; length *= 16) {
      const bytes = await readExactly(this.#source, this.at, Math.min(this.at + length, this.#end), this.#signal);
      try {
        const { value, end } = readPickleAt(bytes, 0, host, PICKLE_MEMORY);
        this.at += end;
        return value;
      } catch (error) {
        const isWhole = this.at + bytes.length === this.#end || bytes.length >= LONGEST_PICKLE;
        if (!(error instanceof PickleEnd) || isWhole) throw error;
      }
    }
  }

  /** Whole numbers of 8 bytes. */
  async whole(count: number): Promise<number[]> {
    const bytes = await this.#bytes(8 * count);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: count }, (_, i) => Number(view.getBigInt64(8 * i, true)));
  }

  /** The next bytes, which are then behind. @throws PickleError if there are not as many */
  skip(bytes: number): void {
    if (!(bytes >= 0 && this.at + bytes <= this.#end)) throw new PickleError("its storages go beyond their file");
    this.at += bytes;
  }

  async #bytes(count: number): Promise<Uint8Array> {
    const from = this.at;
    this.skip(count);
    return readExactly(this.#source, from, from + count, this.#signal);
  }
}

const MOST_OBJECTS = 100_000;
const MOST_AXES = 64;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

async function counted(reader: Reader, host: PickleHost): Promise<number> {
  const count = await reader.pickle(host);
  if (isCount(count) && count <= MOST_OBJECTS) return count;
  throw new PickleError(`it announces ${shown(count)} tensors or storages`);
}

async function readStorages(reader: Reader) {
  const host = pthHost(reader.name);
  const storages = new Map<number, PthStorage>();
  const places = new Map<string, StoragePlace>();
  for (let left = await counted(reader, host); left > 0; left--) {
    const [key, , type] = (await tupleOf(reader, host, 3)) as [unknown, unknown, unknown];
    if (!isCount(key) || !PthName.is(type) || !type.dtype)
      throw new PickleError("a storage is not of a type that is read");
    const [length] = await reader.whole(1);
    const bytes = length * bytesPerNumber[type.dtype];
    places.set(String(key), { start: reader.at, bytes });
    reader.skip(bytes);
    storages.set(key, new PthStorage(String(key), type.dtype, length));
  }
  const views = await reader.pickle(host);
  for (const view of PickleList.is(views) ? views.items : []) {
    const [key, root, offset, length] = Array.isArray(view) ? view : [];
    const of = storages.get(root as number);
    if (!of || ![key, offset, length].every(isCount) || offset + length > of.length) {
      throw new PickleError("a storage is part of another, but not a stretch of it");
    }
    storages.set(key as number, new PthStorage(of.key, of.dtype, of.length, of.offset + (offset as number)));
  }
  return { storages, places };
}

async function readTensors(reader: Reader, storages: ReadonlyMap<number, PthStorage>) {
  const host = pthHost(reader.name);
  const tensors = new Map<number, PthTensor | PthUnheld>();
  for (let left = await counted(reader, host); left > 0; left--) {
    const [key, storage] = (await tupleOf(reader, host, 3)) as [unknown, unknown];
    const of = storages.get(storage as number);
    const [axes] = await reader.whole(1); // four bytes, and four that are not used
    if (!isCount(key) || !of || axes < 0 || axes > MOST_AXES) throw new PickleError("a tensor has no storage or shape");
    const shape = await reader.whole(axes);
    const strides = await reader.whole(axes);
    const [offset] = await reader.whole(1);
    tensors.set(key, tensorOf(of, offset, shape, strides));
  }
  return tensors;
}

async function tupleOf(reader: Reader, host: PickleHost, length: number): Promise<readonly unknown[]> {
  const tuple = await reader.pickle(host);
  if (Array.isArray(tuple) && tuple.length === length) return tuple;
  throw new PickleError("a tensor or storage of it is not described by its key and its type");
}
