/** The folder of a training run: it has a folder `step-<number>` for each checkpoint, each of them a complete model. */
import type { ModelFiles } from "./files.ts";

/** The checkpoints among a folder's paths, by steps done: those that have `file`. */
export function trainedSteps(
  paths: readonly string[],
  file: string,
): { readonly folder: string; readonly step: number }[] {
  return paths
    .map((path) => /^(step-(\d+))\/(.+)$/.exec(path))
    .filter((found) => found?.[3] === file)
    .map((found) => ({ folder: found![1], step: Number(found![2]) }))
    .sort((a, b) => a.step - b.step);
}

/** The files of a folder inside a repository, as a repository. */
export function inFolder(files: ModelFiles, folder: string): ModelFiles {
  const prefix = `${folder}/`;
  return {
    name: `${files.name}/${folder}`,
    list: async (options) =>
      (await files.list(options)).filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length)),
    open: (path, options) => files.open(prefix + path, options),
    ...(files.pending && {
      pending: async (paths, options) => {
        const found = await files.pending!(
          paths.map((path) => prefix + path),
          options,
        );
        return new Map([...found].map(([path, pending]) => [path.slice(prefix.length), pending]));
      },
    }),
    readText: (path, options) => files.readText(prefix + path, options),
  };
}
