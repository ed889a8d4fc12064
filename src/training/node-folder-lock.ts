/** Locks a folder, so that only one training run writes to it, across processes. */
import { rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { breakLock, isAlive, Lock, lockAt } from "../load/node-lock.ts";
import { makeFolder } from "../load/node-make-folder.ts";
import { ArgumentError } from "../tensor/errors.ts";

const BEAT_MS = 30_000;
/** If a process cannot be checked (one on another machine, say), its lock is valid for this long after its last sign of life. */
const STALE_AFTER_MS = 600_000;
/** A lock that does not name its owner was being created when its process ended. */
const UNWRITTEN_AFTER_MS = 30_000;

const lockOf = (folder: string) => join(folder, ".training.lock");

/**
 * Creates the folder if it does not exist, and locks it until the returned function is called, which removes the folder again
 * if it is empty.
 * @throws ArgumentError that names the process that holds it
 */
export async function holdFolder(folder: string): Promise<() => Promise<void>> {
  const firstMade = await makeFolder(folder);
  let lock: Lock | undefined;
  const take = () => Lock.take(lockOf(folder));
  // Another process that ends right now may remove the folder.
  const again = async () => {
    await makeFolder(folder);
    return take();
  };
  while (!(lock = await take().catch((error) => (error.code === "ENOENT" ? again() : Promise.reject(error))))) {
    const there = await lockAt(lockOf(folder));
    if (there === undefined) continue;
    const holder = await holderOf(there);
    if (holder !== undefined) throw busy(folder, holder);
    await breakLock(lockOf(folder), there.holder);
  }
  const held = lock;
  const timer = setInterval(() => void held.beat().catch(() => {}), BEAT_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await held.release();
    if (firstMade !== undefined) await removeEmpty(resolve(folder), resolve(firstMade));
  };
}

/** @throws ArgumentError if another process is training into the folder */
export async function refuseIfBusy(folder: string): Promise<void> {
  const there = await lockAt(lockOf(folder));
  const holder = there && (await holderOf(there));
  if (holder !== undefined && there?.holder?.pid !== process.pid) throw busy(folder, holder);
}

/** Who holds the lock, in words; undefined if nobody does any more. */
async function holderOf({
  holder,
  mtimeMs,
}: NonNullable<Awaited<ReturnType<typeof lockAt>>>): Promise<string | undefined> {
  const age = Math.abs(Date.now() - mtimeMs);
  if (holder === undefined) return age < UNWRITTEN_AFTER_MS ? "another process" : undefined;
  const alive = await isAlive(holder);
  if (alive === "no" || (alive === "maybe" && age > STALE_AFTER_MS)) return undefined;
  return holder.pid === process.pid ? "this process" : `process ${holder.pid} on ${holder.host}`;
}

function busy(folder: string, holder: string): ArgumentError {
  return new ArgumentError(
    `Another training run is writing to ${folder} (${holder}): wait until it has ended, or choose another folder.`,
    { asked: folder, found: holder },
  );
}

/** Removes the folders that were created, from the innermost outwards, as long as they are empty. */
async function removeEmpty(folder: string, firstMade: string): Promise<void> {
  for (let path = folder; ; path = dirname(path)) {
    const removed = await rmdir(path).then(
      () => true,
      () => false,
    );
    if (!removed || path === firstMade || path === dirname(path)) return;
  }
}
