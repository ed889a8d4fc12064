/** The checkpoints of a model's training: weights files or folders next to each other, or revisions of a repository on the hub. */
import type { LoadOptions, ModelFiles } from "../load/files.ts";
import { inFolder, trainedSteps } from "../load/training-folder.ts";
import type { PublishedStep } from "../models/families/published-steps.ts";
import { UnknownNameError } from "../tensor/errors.ts";

/** Which checkpoint is asked for. */
export interface CheckpointChoice extends LoadOptions {
  readonly revision?: string | undefined;
  readonly checkpointIndex?: number | undefined;
  readonly checkpointValue?: number | undefined;
}

/** A checkpoint by its label: tokens or steps seen. */
type Checkpoint = { readonly label: number } & (
  | { readonly path: string }
  | { readonly folder: string }
  | { readonly revision: string }
);

/**
 * Where the requested checkpoint is: a weights file, a folder of a training run's (by default its last), or a revision.
 * @throws UnknownNameError if there is none of that label or place
 */
export async function atCheckpoint(
  files: ModelFiles,
  options: CheckpointChoice,
): Promise<{ readonly files: ModelFiles; readonly checkpoint?: string }> {
  const { checkpointIndex, checkpointValue } = options;
  if (checkpointIndex === undefined && checkpointValue === undefined) {
    const last = (await amongFiles(files, options)).at(-1);
    return last && "folder" in last ? { files: inFolder(files, last.folder) } : { files };
  }
  const checkpoints = await checkpointsOf(files, options);
  const chosen =
    checkpointIndex !== undefined
      ? checkpoints.at(checkpointIndex)
      : checkpoints.find((c) => c.label === checkpointValue);
  if (chosen && "folder" in chosen) return { files: inFolder(files, chosen.folder) };
  if (chosen && "path" in chosen) return { files, checkpoint: chosen.path };
  if (chosen && files.revisions) return { files: await files.revisions.at(chosen.revision) };
  throw new UnknownNameError(
    "checkpoint",
    String(checkpointIndex ?? checkpointValue),
    checkpoints.map((c) => String(c.label)),
    checkpoints.length === 0 ? `${files.name} has no checkpoints.` : `${files.name} has ${checkpoints.length}.`,
  );
}

/** The checkpoints of a model in the order of their labels; none for a model without. */
export async function checkpointsOf(files: ModelFiles, options: CheckpointChoice): Promise<readonly Checkpoint[]> {
  const own = await amongFiles(files, options);
  // A revision that was chosen has its files alone.
  if (own.length > 0 || !files.revisions || options.revision !== undefined) return own;
  const { knownSteps, stepsOfBranches } = await import("../models/families/published-steps.ts");
  const published: readonly PublishedStep[] =
    knownSteps(files.name) ?? stepsOfBranches(await files.revisions.list(options));
  return published.map(({ step, revision }) => ({ label: step, revision }));
}

/** `checkpoints/*_<label>.pth`, or the folders of a training run. */
async function amongFiles(files: ModelFiles, options: LoadOptions): Promise<readonly Checkpoint[]> {
  const paths = await files.list(options);
  if (!paths.includes("config.json")) {
    return trainedSteps(paths, "config.json").map(({ folder, step }) => ({ folder, label: step }));
  }
  return paths
    .map((path) => ({ path, label: /^checkpoints\/.*_(\d+)\.pth$/.exec(path)?.[1] }))
    .filter((c) => c.label !== undefined)
    .map((c) => ({ path: c.path, label: Number(c.label) }))
    .sort((a, b) => a.label - b.label);
}
