/** Which of a repository's dictionaries is meant, and what format it is in. */
import { type FilesOptions, filesAt, MODEL_FILES, type ModelFiles } from "../load/files.ts";
import { openDefault } from "../load/open.ts";
import { TotalProgress } from "../load/total-progress.ts";
import { ArgumentError, InputError, UnknownNameError } from "../tensor/errors.ts";
import { FUNCTION, SIGNAL, TEXT } from "../tensor/kinds.ts";
import type { OptionKinds } from "../tensor/options.ts";
import { kindOf } from "../tensor/show.ts";
import { firstOf } from "../tensor/words.ts";
import type { DictionaryFormat, DictionaryPlace } from "./formats/format.ts";
import type { Release, Released } from "./releases/names.ts";

/** Which files are meant: a repository's, or others. */
export interface RepositoryOptions extends FilesOptions {
  /** Which of a repository's dictionaries, or sets: its folder, or its file without the ending; of a release, SAELens' `sae_id`. */
  readonly id?: string | undefined;
  /** Branch, tag or commit on the hub, which the name may also end with; default: `main`. */
  readonly revision?: string | undefined;
  /** The files, instead of those that the name stands for. */
  readonly files?: ModelFiles | undefined;
}

export const REPOSITORY: OptionKinds<RepositoryOptions> = {
  signal: SIGNAL,
  onProgress: FUNCTION,
  note: FUNCTION,
  id: TEXT,
  revision: TEXT,
  files: MODEL_FILES,
};

/** A release of SAELens' that a name means. */
interface NamedRelease {
  readonly name: string;
  readonly release: Release;
}

/**
 * The files that a name and options mean, and how to read them: with the progress of all downloads as one. A name without a slash may be
 * that of a release, unless a folder or a model that comes with the package is called so.
 * @throws ArgumentError for a name that is not a string, or a revision of what has none
 */
export async function repositoryOf(of: string, name: string, options: RepositoryOptions) {
  if (typeof name !== "string") {
    throw new ArgumentError(
      `${of} needs a name first: a folder's path, "org/name" or a release, not ${kindOf(name)}.`,
      {
        asked: name,
      },
    );
  }
  const { revision, signal, note } = options;
  const reading: FilesOptions = { signal, note, onProgress: new TotalProgress(options.onProgress).report };
  if (options.files) return { files: await filesAt(options.files, revision), reading, named: undefined };
  const releases = name.includes("/") ? {} : (await import("./releases/table.ts")).RELEASES;
  let named: NamedRelease | undefined;
  const resolve = (called: string) => {
    const release = Object.hasOwn(releases, called) ? releases[called] : undefined;
    named = release && { name: called, release };
    return release?.repo ?? called;
  };
  const files = await openDefault(name, resolve, { ...reading, revision });
  return { files, reading, named: named as NamedRelease | undefined };
}

/** What a release says of the dictionary with an id; of other repositories only the id. @throws UnknownNameError for an id that it lacks */
export async function releasedOf(named: NamedRelease | undefined, id: string | undefined): Promise<Released> {
  if (!named) return { id, inputScale: undefined, normalizeActivations: undefined };
  const { releasedAs } = await import("./releases/names.ts");
  return releasedAs(named.name, named.release, id);
}

/** A dictionary that can be read. */
export interface FoundDictionary {
  readonly format: DictionaryFormat;
  readonly place: DictionaryPlace;
}

/** An id as it is compared: a file's ending and a slash at the end are left out. */
const bare = (id: string) => id.replace(/\/+$/, "").replace(/\.(pt|pth|npz|safetensors)$/, "");

/**
 * The dictionary with an id, or the only one.
 * @throws InputError if there is none in any format, UnknownNameError for an id that is not there, ArgumentError where there are several and no id
 */
export async function findDictionary(
  files: ModelFiles,
  id: string | undefined,
  options: FilesOptions,
): Promise<FoundDictionary> {
  const { DICTIONARY_FORMATS } = await import("./formats/index.ts");
  const paths = await files.list(options);
  const found = new Map<string, DictionaryFormat>();
  for (const format of DICTIONARY_FORMATS) {
    for (const at of format.ids(paths)) if (!found.has(at)) found.set(at, format);
  }
  const ids = [...found.keys()].sort();
  if (ids.length === 0) {
    throw new InputError(
      `${files.name} has no dictionary in a format that glassformer reads (${DICTIONARY_FORMATS.map(({ name }) => name).join(", ")}): it has ${firstOf(paths) || "no files"}.${paths.includes("config.yaml") ? " Its config.yaml is that of a set of transcoders: TranscoderSet.fromPretrained opens it." : ""}`,
      { asked: id ?? files.name, found: paths },
    );
  }
  const asked = id === undefined ? (found.has("") ? "" : ids[0]) : found.has(id) ? id : bare(id);
  if (id === undefined && !found.has("") && ids.length > 1) {
    throw new ArgumentError(
      `${files.name} has ${ids.length} dictionaries: name one with the option id: ${firstOf(ids)}.`,
      { asked: files.name, found: ids },
    );
  }
  const format = found.get(asked);
  if (!format) throw new UnknownNameError(`dictionary in ${files.name} with the id`, id!, ids);
  return { format, place: { files, paths, id: asked, options } };
}
