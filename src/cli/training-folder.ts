/** The folder that a training run writes its checkpoints to: whether it may, and how far it is. */
import { existsSync } from "node:fs";
import { trainedSteps } from "../load/index.ts";
import { folderFiles } from "../load/node.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { folderCheckpoints } from "../training/node-checkpoints.ts";

/**
 * The number of steps already done in the folder that checkpoints go to.
 * @throws ArgumentError if it cannot be written to, is a model's own folder, or holds another training run
 */
export async function stepsDoneIn(out: string, resume: boolean): Promise<number> {
  await folderCheckpoints(out).check();
  const paths = await filesIn(out);
  if (paths.includes("config.json")) {
    throw new ArgumentError(
      `${out} is the folder of a model, which --model ${out} would still open. Name another folder.`,
      { asked: out },
    );
  }
  const step = trainedSteps(paths, "training.json").at(-1)?.step ?? 0;
  if (resume && step === 0) {
    throw new ArgumentError(`${out} has no checkpoint to resume from: leave out --resume to start.`, { asked: out });
  }
  if (!resume && step > 0) {
    throw new ArgumentError(
      `${out} already holds a training run, up to step ${step}: continue it with --resume, or name another folder.`,
      { asked: out, found: step },
    );
  }
  return step;
}

/** The folder is created with the first checkpoint. */
const filesIn = async (out: string): Promise<readonly string[]> => (existsSync(out) ? folderFiles(out).list() : []);

/** The last step that a folder has a checkpoint of; 0 without any. */
export async function lastStepIn(out: string): Promise<number> {
  return trainedSteps(await filesIn(out), "training.json").at(-1)?.step ?? 0;
}
