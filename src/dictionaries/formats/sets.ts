/** Sets of transcoders on disk. */
import type { FilesOptions, ModelFiles } from "../../load/files.ts";
import { ArgumentError, InputError, UnknownNameError } from "../../tensor/errors.ts";
import { firstOf } from "../../tensor/words.ts";
import { partsOf } from "../set-of.ts";
import type { SetParts } from "../set-parts.ts";
import { circuitTracer } from "./circuit-tracer.ts";
import { foldersWith } from "./format.ts";
import { gemmaScope2Clt, gemmaScope2Sets } from "./gemma-scope-2-clt.ts";

async function hasDictionary(paths: readonly string[]): Promise<boolean> {
  const { DICTIONARY_FORMATS } = await import("./index.ts");
  return DICTIONARY_FORMATS.some((format) => format.ids(paths).length > 0);
}

/**
 * The set with an id, or the only one; where there is none, a single transcoder with the id is the set of a model of one layer.
 * @throws InputError if there is none, UnknownNameError for an id that is not there, ArgumentError where there are several and no id
 */
export async function readTranscoderSet(
  files: ModelFiles,
  id: string | undefined,
  options: FilesOptions,
): Promise<SetParts> {
  const paths = await files.list(options);
  const described = foldersWith(paths, "config.yaml");
  const ids = [...described, ...gemmaScope2Sets(paths)].sort();
  if (ids.length === 0 && (await hasDictionary(paths))) {
    const { Dictionary } = await import("../dictionary.ts");
    return partsOf([await Dictionary.fromPretrained(files.name, { files, id, ...options })]);
  }
  if (ids.length === 0) {
    throw new InputError(
      `${files.name} has no set of transcoders, with a config.yaml as circuit-tracer writes it or a layer_N….safetensors for each layer: it has ${firstOf(paths) || "no files"}.`,
      { asked: id ?? files.name, found: paths },
    );
  }
  if (id === undefined && ids.length > 1 && !ids.includes("")) {
    throw new ArgumentError(
      `${files.name} has ${ids.length} sets of transcoders: name one with the option id: ${firstOf(ids)}.`,
      { asked: files.name, found: ids },
    );
  }
  const asked = id === undefined ? (ids.includes("") ? "" : ids[0]) : id.replace(/\/+$/, "");
  if (!ids.includes(asked)) throw new UnknownNameError(`set of transcoders in ${files.name} with the id`, asked, ids);
  const at = { files, paths, id: asked, options };
  return described.includes(asked) ? circuitTracer(at) : gemmaScope2Clt(at);
}
