/** Finds the files that a name means: a local folder, a bundled model, or a model on the hub. */
import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ArgumentError } from "../tensor/errors.ts";
import { kindOf } from "../tensor/show.ts";
import { filesAt, type ModelFiles } from "./files.ts";
import { isLlama2c } from "./llama2c.ts";
import { atRevision, bundledModel, bundledName, isHubId, type ResolveName } from "./names.ts";
import { fileSource } from "./node-file.ts";
import { folderFiles, oneFile } from "./node-folder.ts";
import type { HubOptions } from "./node-hub.ts";
import { hubFiles } from "./node-hub.ts";
import { isModelUrl, urlFile } from "./url-file.ts";

/** Whether a file has a whole model, with its configuration. */
async function standsAlone(path: string): Promise<boolean> {
  if (/\.gguf$/i.test(path)) return true;
  return /\.bin$/i.test(path) && isLlama2c(await fileSource(path));
}

/** A bundled model's folder: two levels up from `src/load` and from `dist/load` alike. */
const bundledFolder = (name: string): string => fileURLToPath(new URL(`../../models/${name}/`, import.meta.url));

export interface OpenFilesOptions extends HubOptions {
  /** What a name that is not local means on the hub: aliases become ids here. @throws UnknownNameError */
  readonly resolve?: ResolveName | undefined;
}

/**
 * The files that a name means: an existing local folder, GGUF file or file of llama2.c's; a GGUF file at an
 * `https` URL; else a bundled model, for its name or "bundled"; else
 * the model with that id on the Hugging Face hub (which is contacted on first use, not here).
 * @throws ArgumentError if it is another file, a path that does not exist, or a revision of what is not on the hub.
 */
export async function openModelFiles(nameOrPath: string, options: OpenFilesOptions = {}): Promise<ModelFiles> {
  if (typeof nameOrPath !== "string") {
    throw new ArgumentError(
      `A model's name must be a string: a folder's path, "org/name", or "${bundledModel}", not ${kindOf(nameOrPath)}.`,
      { asked: nameOrPath, nearest: bundledModel },
    );
  }
  const stats = nameOrPath === "" ? undefined : await stat(nameOrPath).catch(() => undefined);
  if (stats?.isDirectory()) return filesAt(folderFiles(nameOrPath), options.revision);
  const bundled = bundledName(nameOrPath);
  if (bundled) return filesAt(folderFiles(bundledFolder(bundled), bundled), options.revision);
  if (stats?.isFile() && (await standsAlone(nameOrPath))) return filesAt(oneFile(nameOrPath), options.revision);
  if (stats !== undefined) {
    throw new ArgumentError(
      `"${nameOrPath}" is a file: name the folder that contains it, with the model's config.json and weights. Only a .gguf file, and a .bin of llama2.c's, is a model by itself.`,
      { asked: nameOrPath, found: "a file" },
    );
  }
  if (isModelUrl(nameOrPath)) return filesAt(urlFile(nameOrPath), options.revision);
  const { name, revision } = atRevision(nameOrPath, options.revision);
  if (!isHubId(name)) {
    throw new ArgumentError(
      `"${nameOrPath}" is neither an existing folder nor a model's name: give a folder's path, "org/name" on the ` +
        `Hugging Face hub, or "${bundledModel}".`,
      { asked: nameOrPath, nearest: bundledModel },
    );
  }
  const { settings, resolve } = options;
  return hubFiles(resolve ? await resolve(name) : name, { revision, settings });
}
