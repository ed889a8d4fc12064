/** Checkpoints in a folder on disk, one subfolder each. */
import { access, constants, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { folderFiles } from "../load/node.ts";
import { makeFolder } from "../load/node-make-folder.ts";
import { ArgumentError } from "../tensor/errors.ts";
import type { CheckpointStore } from "./checkpoint-store.ts";
import { holdFolder, refuseIfBusy } from "./node-folder-lock.ts";

/** While a checkpoint is written it is hidden next to the others, and gets its name when all of it is on disk. */
const UNFINISHED = /^\.(step-\d+)\.(unfinished|replaced)$/;

/** Checkpoints in `folder`, which is created with the first of them if it does not exist. */
export function folderCheckpoints(folder: string): CheckpointStore {
  return {
    async check() {
      try {
        const there = await nearestThere(resolve(folder));
        await access(there, constants.W_OK);
        if (there !== resolve(folder)) return;
        await refuseIfBusy(folder);
        await tidy(folder);
      } catch (cause) {
        throw cause instanceof ArgumentError ? cause : unwritable(folder, cause);
      }
    },
    async hold() {
      try {
        return await holdFolder(folder);
      } catch (cause) {
        throw cause instanceof ArgumentError ? cause : unwritable(folder, cause);
      }
    },
    async write(checkpoint, files) {
      const place = join(folder, checkpoint);
      const unfinished = join(folder, `.${checkpoint}.unfinished`);
      const replaced = join(folder, `.${checkpoint}.replaced`);
      try {
        await refuseForeign(place);
        await rm(unfinished, { recursive: true, force: true });
        await makeFolder(unfinished);
        for (const [name, bytes] of files) await writeWhole(join(unfinished, name), bytes);
        await rename(place, replaced).catch(unlessMissing);
        await rename(unfinished, place);
        await rm(replaced, { recursive: true, force: true });
      } catch (cause) {
        await rm(unfinished, { recursive: true, force: true }).catch(() => {});
        await rename(replaced, place).catch(() => {}); // it may already have been moved away
        throw unwritable(place, cause);
      }
      return place;
    },
    open: (checkpoint) => folderFiles(join(folder, checkpoint)),
  };
}

/** The folder itself, or its closest parent that exists: where it would be created. */
async function nearestThere(folder: string): Promise<string> {
  const stats = await stat(folder).catch(unlessMissing);
  if (!stats) return nearestThere(dirname(folder));
  if (!stats.isDirectory()) throw Object.assign(new Error("in the way"), { code: "ENOTDIR" });
  return folder;
}

/** Cleans up after a crash: restores a checkpoint that was being replaced if nothing took its place, and removes incomplete ones. */
async function tidy(folder: string): Promise<void> {
  const names = await readdir(folder);
  for (const name of names) {
    const [, step, how] = UNFINISHED.exec(name) ?? [];
    if (how === "replaced" && !names.includes(step)) await rename(join(folder, name), join(folder, step));
    else if (how) await rm(join(folder, name), { recursive: true });
  }
}

/** Only checkpoints are replaced. */
async function refuseForeign(place: string): Promise<void> {
  const stats = await stat(place).catch(() => undefined);
  if (!stats) return;
  const ours = stats.isDirectory() && (await stat(join(place, "training.json")).catch(() => undefined));
  if (!ours) throw Object.assign(new Error("in the way"), { code: "EEXIST" });
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

function unwritable(path: string, cause: unknown): ArgumentError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const why =
    code === "EACCES" || code === "EROFS" || code === "EPERM"
      ? "it is not writable"
      : code === "ENOSPC"
        ? "the disk is full"
        : code === "ENOTDIR" || code === "EEXIST"
          ? "something else with that name is in the way"
          : message;
  return new ArgumentError(`Checkpoints cannot be saved in ${path}: ${why}. Choose another saveDir.`, {
    asked: path,
    found: code,
    cause,
  });
}
