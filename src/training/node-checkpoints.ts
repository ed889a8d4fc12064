/** Checkpoints in a folder on disk, one folder each. */
import { access, constants, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { folderFiles } from "../load/node.ts";
import { ArgumentError } from "../tensor/errors.ts";
import type { CheckpointStore } from "./checkpoint-store.ts";

/** While a checkpoint is written it lies beside the others, hidden, and gets its name when all of it is on the disk. */
const UNFINISHED = /^\.step-\d+\.(unfinished|replaced)$/;

/** Checkpoints under `folder`, which is made where it does not exist. */
export function folderCheckpoints(folder: string): CheckpointStore {
  return {
    async check() {
      try {
        await mkdir(folder, { recursive: true });
        await access(folder, constants.W_OK);
        for (const name of await readdir(folder)) {
          if (UNFINISHED.test(name)) await rm(join(folder, name), { recursive: true });
        }
      } catch (cause) {
        throw unwritable(folder, cause);
      }
    },
    async write(checkpoint, files) {
      const place = join(folder, checkpoint);
      const unfinished = join(folder, `.${checkpoint}.unfinished`);
      const replaced = join(folder, `.${checkpoint}.replaced`);
      try {
        await rm(unfinished, { recursive: true, force: true });
        await mkdir(unfinished);
        for (const [name, bytes] of files) await writeWhole(join(unfinished, name), bytes);
        await rename(place, replaced).catch(unlessMissing);
        await rename(unfinished, place);
        await rm(replaced, { recursive: true, force: true });
      } catch (cause) {
        await rm(unfinished, { recursive: true, force: true }).catch(() => {});
        throw unwritable(place, cause);
      }
      return place;
    },
    open: (checkpoint) => folderFiles(join(folder, checkpoint)),
  };
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
      ? "it may not be written to"
      : code === "ENOSPC"
        ? "the disk is full"
        : code === "ENOTDIR" || code === "EEXIST"
          ? "a file of that name is in the way"
          : message;
  return new ArgumentError(`Checkpoints cannot be kept in ${path}: ${why}. Give another saveDir.`, {
    asked: path,
    found: code,
    cause,
  });
}
