/** Finds the files that a name means: a local folder, the bundled model, or a model on the hub. */
import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ArgumentError } from "../tensor/errors.ts";
import { kindOf } from "../tensor/show.ts";
import type { ModelFiles } from "./files.ts";
import { atRevision, bundledModel, isHubId } from "./names.ts";
import { folderFiles } from "./node-folder.ts";
import type { HubOptions } from "./node-hub.ts";
import { hubFiles } from "./node-hub.ts";

/** Its folder: two levels up from `src/load` and from `dist/load` alike. */
const bundledFolder = new URL(`../../models/${bundledModel}/`, import.meta.url);

export interface OpenFilesOptions extends HubOptions {
  /** What a name that is not local means on the hub: aliases become ids here. @throws UnknownNameError */
  readonly resolve?: ((name: string) => string) | undefined;
}

/**
 * The files that a name means: an existing local folder; else the bundled model, for its name or "bundled"; else
 * the model with that id on the Hugging Face hub (which is contacted on first use, not here).
 * @throws ArgumentError if it is a file, or a path that does not exist.
 */
export async function openModelFiles(nameOrPath: string, options: OpenFilesOptions = {}): Promise<ModelFiles> {
  if (typeof nameOrPath !== "string") {
    throw new ArgumentError(
      `A model's name must be a string: a folder's path, "org/name", or "${bundledModel}", not ${kindOf(nameOrPath)}.`,
      { asked: nameOrPath, nearest: bundledModel },
    );
  }
  const stats = nameOrPath === "" ? undefined : await stat(nameOrPath).catch(() => undefined);
  if (stats?.isDirectory()) return folderFiles(nameOrPath);
  if (nameOrPath === bundledModel || nameOrPath === "bundled") {
    return folderFiles(fileURLToPath(bundledFolder), bundledModel);
  }
  if (stats !== undefined) {
    throw new ArgumentError(
      `"${nameOrPath}" is a file: name the folder that contains it, with the model's config.json and weights.`,
      { asked: nameOrPath, found: "a file" },
    );
  }
  const { name, revision } = atRevision(nameOrPath, options.revision);
  if (!isHubId(name)) {
    throw new ArgumentError(
      `"${nameOrPath}" is neither an existing folder nor a model's name: give a folder's path, "org/name" on the ` +
        `Hugging Face hub, or "${bundledModel}".`,
      { asked: nameOrPath, nearest: bundledModel },
    );
  }
  const { settings, resolve } = options;
  return hubFiles(resolve ? resolve(name) : name, { revision, settings });
}
