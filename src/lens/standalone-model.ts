/** A model that is a file by itself: in GGUF, or one of llama2.c's. */
import type { LoadOptions, ModelFiles } from "../load/files.ts";
import type { OpenedGguf } from "./gguf-model.ts";

/**
 * Opens the model of a repository whose weights are in a GGUF file, or one of llama2.c's; undefined for other repositories.
 * @param checkpoint the file's path, if one is asked for
 * @throws FileFormatError, ConfigError or WeightsError for a file that is broken, or a model that is not supported
 */
export async function openStandaloneModel(
  files: ModelFiles,
  checkpoint: string | undefined,
  options: LoadOptions,
): Promise<OpenedGguf | undefined> {
  const paths = checkpoint === undefined ? await files.list(options) : [checkpoint];
  if (!paths.some((path) => /\.(gguf|bin)$/i.test(path))) return undefined;
  const { openStandalone } = await import("../load/gguf-files.ts");
  const file = await openStandalone(files, checkpoint, options);
  if (file === undefined) return undefined;
  const { modelOfGguf } = await import("./gguf-model.ts");
  return modelOfGguf(file, options.signal);
}
