/** What a format of dictionaries on disk is, and how one reads the files of a dictionary. */
import { parseJsonObject } from "../../load/bytes.ts";
import type { FilesOptions, ModelFiles } from "../../load/files.ts";
import { checkJson } from "../../load/json-check.ts";
import { openSafetensors } from "../../load/safetensors.ts";
import { readAll } from "../../load/stored.ts";
import { transposed } from "../../models/families/layout.ts";
import { type NDArray, sizeOf } from "../../tensor/array.ts";
import { FileFormatError, WeightsError } from "../../tensor/errors.ts";
import { needMemory } from "../../tensor/free-memory.ts";
import { shown } from "../../tensor/show.ts";
import { firstOf } from "../../tensor/words.ts";
import type { GivenDictionaryConfig } from "../config.ts";

/** A dictionary as its files have it. */
export interface StoredDictionary {
  readonly cfg: GivenDictionaryConfig;
  /** By SAELens' names, and in its layout. */
  readonly weights: ReadonlyMap<string, NDArray>;
  /** What its input is to be scaled by, where the files say so and it is not folded yet. */
  readonly inputScale?: number | undefined;
  /** Decisions made while reading, as sentences. */
  readonly notes?: readonly string[];
}

/** Where a dictionary is: its repository, and its id there. */
export interface DictionaryPlace {
  readonly files: ModelFiles;
  readonly paths: readonly string[];
  /** A folder, or a file without its ending; empty for the repository itself. */
  readonly id: string;
  readonly options: FilesOptions;
}

/** A format of dictionaries on disk. */
export interface DictionaryFormat {
  /** Whose format it is: "SAELens". */
  readonly name: string;
  /** The ids of the dictionaries in this format among a repository's paths. */
  ids(paths: readonly string[]): readonly string[];
  read(at: DictionaryPlace): Promise<StoredDictionary>;
}

/** The folders that have a file with each of these names, at these places below them. */
export function foldersWith(paths: readonly string[], ...names: readonly string[]): string[] {
  const known = new Set(paths);
  const [first, ...others] = names;
  return paths
    .filter((path) => path === first || path.endsWith(`/${first}`))
    .map((path) => path.slice(0, -first.length))
    .filter((folder) => others.every((name) => known.has(folder + name)))
    .map((folder) => folder.replace(/\/$/, ""));
}

/** A path below a dictionary's folder. */
export const below = ({ id }: Pick<DictionaryPlace, "id">, path: string): string =>
  id === "" ? path : `${id}/${path}`;

/** What a dictionary is called in sentences: its repository and id. */
export const placeName = ({ files, id }: Pick<DictionaryPlace, "files" | "id">): string =>
  id === "" ? files.name : `${files.name}/${id}`;

/** Most characters of a configuration. */
const LONGEST = 1_000_000;

/** A JSON file as an object. @throws FileFormatError for anything else */
export async function readJson({ files, options }: DictionaryPlace, path: string): Promise<Record<string, unknown>> {
  const what = `${files.name}/${path}`;
  const source = await files.open(path, options);
  if (source.size > LONGEST) {
    throw new FileFormatError(`${what} has ${source.size} bytes: that is not a dictionary's configuration.`, {
      asked: what,
      found: source.size,
    });
  }
  const text = await files.readText(path, options);
  checkJson(text, what);
  return parseJsonObject(text, what);
}

/** @throws MemoryError if a dictionary's numbers, which take this many bytes, do not fit in memory */
export function needDictionaryMemory(what: string, bytes: number): void {
  needMemory({ what: `Reading the dictionary ${what}`, bytes, advice: "read one with fewer features" });
}

/** All tensors of a safetensors file. */
export async function readTensors({ files, options }: DictionaryPlace, path: string): Promise<RawDictionary> {
  const { signal, onProgress } = options;
  const stored = await openSafetensors(await files.open(path, options), { signal, onProgress });
  const numbers = [...stored.shapes.values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
  needDictionaryMemory(`${files.name}/${path}`, 4 * numbers);
  return new RawDictionary(await readAll(stored, signal), `${files.name}/${path}`);
}

/** All tensors of a file of PyTorch's. */
export async function readTorch({ files, options }: DictionaryPlace, path: string): Promise<RawDictionary> {
  const { readPth } = await import("../../load/pth.ts");
  const { signal, onProgress } = options;
  const source = await files.open(path, options);
  needDictionaryMemory(`${files.name}/${path}`, source.size);
  return new RawDictionary(await readPth(source, { signal, onProgress }), `${files.name}/${path}`);
}

/** The tensors of a file under its own names, which are taken one by one. */
export class RawDictionary {
  readonly what: string;
  readonly #arrays: ReadonlyMap<string, NDArray>;

  constructor(arrays: ReadonlyMap<string, NDArray>, what: string) {
    this.#arrays = arrays;
    this.what = what;
  }

  has(name: string): boolean {
    return this.#arrays.has(name);
  }

  names(): string[] {
    return [...this.#arrays.keys()];
  }

  /** @throws WeightsError for a tensor that is not there, or not of as many axes as it must have */
  get(name: string, axes?: number): NDArray {
    const array = this.#arrays.get(name);
    if (!array) {
      throw new WeightsError(`${this.what} has no tensor ${shown(name)}: it has ${firstOf(this.names()) || "none"}.`, {
        asked: name,
        found: this.names(),
      });
    }
    if (axes === undefined || array.shape.length === axes) return array;
    throw new WeightsError(`${shown(name)} of ${this.what} is [${array.shape}], but must have ${axes} axes.`, {
      asked: axes,
      found: array.shape,
    });
  }

  /** The first of these names that is there. */
  firstOf(names: readonly string[], axes?: number): NDArray {
    return this.get(names.find((name) => this.has(name)) ?? names[0], axes);
  }

  /** A matrix, which the file has transposed. */
  turned(name: string): NDArray {
    const array = this.get(name, 2);
    if (array.dtype === "float32") return transposed(array as NDArray<"float32">);
    throw new WeightsError(`${shown(name)} of ${this.what} holds ${array.dtype}, not floating-point numbers.`, {
      asked: name,
      found: array.dtype,
    });
  }
}

/** The same number for each of some features. */
export function repeated(x: number, count: number): NDArray<"float32"> {
  return { dtype: "float32", shape: [count], data: new Float32Array(count).fill(x) };
}
