/** Which of a repository's dictionaries is meant, and what format it is in. */
import type { FilesOptions, ModelFiles } from "../load/files.ts";
import { ArgumentError, InputError, UnknownNameError } from "../tensor/errors.ts";
import { firstOf } from "../tensor/words.ts";
import type { DictionaryFormat, DictionaryPlace } from "./formats/format.ts";

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
      `${files.name} has no dictionary in a format that glassformer reads (${DICTIONARY_FORMATS.map(({ name }) => name).join(", ")}): it has ${firstOf(paths) || "no files"}.`,
      { asked: id ?? files.name, found: paths },
    );
  }
  const asked = id === undefined ? (found.has("") ? "" : ids[0]) : bare(id);
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
