/**
 * A PyTorch checkpoint as torch wrote it before 1.6, and still does if asked to: pickles one after the other (a magic number, the
 * format's version, the machine, the object, the keys of its storages), then for each key the count of numbers in 8 bytes and the
 * numbers. Source: PyTorch 2.13, torch/serialization.py, _legacy_save
 */
import { FileFormatError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { type ByteSource, readExactly } from "./bytes.ts";
import { PickleDict, PickleEnd, PickleError, type PickleHost, PickleList, readPickleAt } from "./pickle.ts";
import type { PthContainer } from "./pth-container.ts";
import { storageBytes } from "./pth-names.ts";
import { brokenPickle, pthHost } from "./pth-pickle.ts";
import { PlacedStorages, type StoragePlace } from "./pth-placed.ts";

/** The bytes of the pickles that are read first; then four times as many, up to the most. */
const FIRST = 1 << 20;
const LONGEST_PICKLES = 64 << 20;
const VERSION = 1001;
const PICKLE_MEMORY = 32_000_000;

/** @throws FileFormatError if the pickles are broken, or the file does not have the storages that they name and nothing else */
export async function openLegacyPth(source: ByteSource, signal: AbortSignal | undefined): Promise<PthContainer> {
  const { root, bytes, keys, storages, end } = await readPickles(source, signal);
  const refuse = (why: string, found?: unknown): never => {
    throw new FileFormatError(`${source.name} is not a whole PyTorch checkpoint: ${why}.`, {
      asked: source.name,
      found,
    });
  };
  const places = new Map<string, StoragePlace>();
  let at = end;
  for (const key of keys) {
    const label = `storage ${shown(key).slice(1, -1)}`;
    const expected = storages.get(key) ?? refuse(`it has the ${label}, but nothing uses it`, key);
    const length = expected.length * expected.size;
    if (at + 8 + length > source.size) {
      refuse(`${label} ends at byte ${at + 8 + length}, but the file has ${source.size}`, source.size);
    }
    const head = await readExactly(source, at, at + 8, signal);
    const count = new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true);
    if (count !== BigInt(expected.length)) {
      refuse(`${label} has ${count} numbers, but its pickle says ${expected.length}`, count);
    }
    places.set(key, { start: at + 8, bytes: length });
    at += 8 + length;
  }
  if (at !== source.size) refuse(`its storages end at byte ${at}, but the file has ${source.size}`, source.size);
  return new PlacedStorages(source, { root, bytes }, places, signal);
}

interface Pickles {
  readonly root: unknown;
  readonly bytes: number;
  readonly keys: readonly string[];
  readonly storages: ReadonlyMap<string, { readonly length: number; readonly size: number }>;
  readonly end: number;
}

/** The pickles at the beginning of a file, whose length it does not say. */
async function readPickles(source: ByteSource, signal: AbortSignal | undefined): Promise<Pickles> {
  for (let length = FIRST; ; length *= 4) {
    const bytes = await readExactly(source, 0, Math.min(length, LONGEST_PICKLES, source.size), signal);
    try {
      return pickles(bytes, source);
    } catch (cause) {
      if (cause instanceof PickleEnd && bytes.length < Math.min(LONGEST_PICKLES, source.size)) continue;
      if (cause instanceof PickleError) throw brokenPickle(source.name, cause);
      throw cause;
    }
  }
}

function pickles(bytes: Uint8Array, source: ByteSource): Pickles {
  const storages = new Map<string, { readonly length: number; readonly size: number }>();
  const host = pthHost(source.name);
  const noting: PickleHost = {
    ...host,
    persistent(id) {
      const made = host.persistent(id);
      const { key, length, size } = storageBytes(id);
      const before = storages.get(key);
      if (before && before.length * before.size !== length * size) {
        throw new PickleError(`storage ${shown(key)} has two sizes`);
      }
      if (!before) storages.set(key, { length, size });
      return made;
    },
  };
  let at = 0;
  const next = (with_: PickleHost): unknown => {
    const { value, end } = readPickleAt(bytes, at, with_, PICKLE_MEMORY + source.size / 8);
    at = end;
    return value;
  };
  next(host); // the magic number, by which the file was recognised
  const version = next(host);
  if (version !== VERSION)
    throw new PickleError(`it is version ${shown(version)} of the format, but only ${VERSION} exists`);
  const machine = next(host);
  if (PickleDict.is(machine) && machine.entries.get("little_endian") === false) {
    throw new FileFormatError(`${source.name} has big-endian numbers: save it on a little-endian machine.`, {
      asked: source.name,
      found: "big",
    });
  }
  const start = at;
  const root = next(noting);
  const length = at - start;
  const keys = next(host);
  const list = PickleList.is(keys) ? keys.items : [];
  if (!PickleList.is(keys) || list.some((key) => typeof key !== "string") || new Set(list).size !== list.length) {
    throw new PickleError("its keys of storages are not a list of different texts");
  }
  const missing = [...storages.keys()].find((key) => !list.includes(key));
  if (missing !== undefined) throw new PickleError(`it uses the storage ${shown(missing)}, but does not list it`);
  return { root, bytes: length, keys: list as string[], storages, end: at };
}
