/** Where the files are that belong to a script of a page without a bundler. */
import { ORT_VERSION } from "../engine/ort-version.ts";

/** Their addresses; those of folders end in `/`. */
export interface ScriptFiles {
  /** The script of workers. */
  readonly worker: string;
  /** onnxruntime-web's. */
  readonly runtimeFolder: string;
  /** The bundled models. */
  readonly models: string;
}

/** The package's folder, with its version on a server of packages, and perhaps the script in it: such servers send that for the folder, too. */
const IN_PACKAGE = /^(.*\/)(glassformer(@[^/]+)?)(\/dist\/browser\/glassformer\.js)?$/;

/**
 * What belongs to a script. In the package's own folder (`node_modules/glassformer/…`, `…/npm/glassformer@1.0.0/…`), onnxruntime-web is next to that folder, in
 * the version that the package was made with where the address has versions, and the models are in it. Anywhere else everything is in the
 * script's folder.
 * @param address the script's
 */
export function scriptFiles(address: string): ScriptFiles {
  const { origin, pathname } = new URL(address);
  const [, above, name, version] = IN_PACKAGE.exec(pathname) ?? [];
  const at = (path: string) => new URL(path, origin + (above ?? pathname)).href;
  if (name === undefined)
    return { worker: at("glassformer-worker.js"), runtimeFolder: at("./"), models: at("models/") };
  return {
    worker: at(`${name}/dist/browser/glassformer-worker.js`),
    runtimeFolder: at(`onnxruntime-web${version ? `@${ORT_VERSION}` : ""}/dist/`),
    models: at(`${name}/models/`),
  };
}
