/** Finds the files that a name means in a page: a folder behind a URL, or a model on the hub. */
import { ArgumentError } from "../tensor/errors.ts";
import { kindOf } from "../tensor/show.ts";
import { filesAt, type ModelFiles } from "./files.ts";
import { atRevision, bundledModel, bundledName, isHubId, type ResolveName } from "./names.ts";
import { isModelUrl } from "./url-file.ts";
import { urlFiles, urlModelFile } from "./web-folder.ts";
import type { WebHubOptions } from "./web-hub.ts";
import { pageUrl } from "./web-page.ts";
import { checkSettings, webSettings } from "./web-settings.ts";

export interface OpenWebFilesOptions extends WebHubOptions {
  /** What a name that is not a URL means on the hub: aliases become ids here. @throws UnknownNameError */
  readonly resolve?: ResolveName | undefined;
}

/**
 * The files that a name means: a folder, or a GGUF file if it ends in `.gguf`, for `https://…`, `/…`, `./…` and `../…` (relative to the page); for a bundled
 * model's name or "bundled" the folder `models/solu-1l-novels`, or that of the name, next to the page (`setHub({ bundled })`: elsewhere), where the package's
 * folder of that name must be served; else the model with that id on the Hugging Face hub.
 * @throws ArgumentError if it is none of these, or for a revision of what is not on the hub.
 */
export async function openModelFiles(nameOrUrl: string, options: OpenWebFilesOptions = {}): Promise<ModelFiles> {
  if (typeof nameOrUrl !== "string") {
    throw new ArgumentError(
      `A model's name must be a string: a folder's URL, "org/name", or "${bundledModel}", not ${kindOf(nameOrUrl)}.`,
      { asked: nameOrUrl, nearest: bundledModel },
    );
  }
  if (/^(https?:\/\/|\.{0,2}\/)/.test(nameOrUrl)) {
    const url = URL.canParse(nameOrUrl, pageUrl()) ? new URL(nameOrUrl, pageUrl()).href : nameOrUrl;
    return filesAt(isModelUrl(url) ? urlModelFile(url) : urlFiles(nameOrUrl), options.revision);
  }
  const bundled = bundledName(nameOrUrl);
  if (bundled) {
    checkSettings("openModelFiles' settings", options.settings ?? {});
    const folder = { ...webSettings(), ...options.settings }.bundled.replace(/\/?$/, "/");
    return filesAt(urlFiles(`${folder}${bundled}/`, bundled), options.revision);
  }
  const { name, revision } = atRevision(nameOrUrl, options.revision);
  if (!isHubId(name)) {
    throw new ArgumentError(
      `"${nameOrUrl}" is neither a URL nor a model's name: give a folder's URL, such as "/models/${bundledModel}", or ` +
        `"org/name" on the Hugging Face hub.`,
      { asked: nameOrUrl, nearest: bundledModel },
    );
  }
  const { settings, resolve } = options;
  const { hubFiles } = await import("./web-hub.ts");
  return hubFiles(resolve ? await resolve(name) : name, { revision, settings });
}
