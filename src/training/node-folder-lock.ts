/** A folder that one training writes to, and no second one, in whatever process. */
import { rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { breakLock, isAlive, Lock, lockAt } from "../load/node-lock.ts";
import { makeFolder } from "../load/node-make-folder.ts";
import { ArgumentError } from "../tensor/errors.ts";

const BEAT_MS = 30_000;
/** Where a process cannot be asked after (another machine's, say), its lock counts for so long after its last sign. */
const STALE_AFTER_MS = 600_000;
/** A lock that does not say whose it is was being made when its process ended. */
const UNWRITTEN_AFTER_MS = 30_000;

const lockOf = (folder: string) => join(folder, ".training.lock");

/**
 * Makes the folder, if it is not there, and holds it until what this gives is called: that takes the folder away again,
 * if nothing came into it.
 * @throws ArgumentError that names the process that holds it
 */
export async function holdFolder(folder: string): Promise<() => Promise<void>> {
  const firstMade = await makeFolder(folder);
  let lock: Lock | undefined;
  const take = () => Lock.take(lockOf(folder));
  // Whoever ends just now may take away the folder that was there.
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

/** @throws ArgumentError if another process trains into the folder */
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
    `A training writes to ${folder} already (${holder}): wait until it has ended, or give another folder.`,
    { asked: folder, found: holder },
  );
}

/** The folders that were made, from the innermost out, as long as they are empty. */
async function removeEmpty(folder: string, firstMade: string): Promise<void> {
  for (let path = folder; ; path = dirname(path)) {
    const removed = await rmdir(path).then(
      () => true,
      () => false,
    );
    if (!removed || path === firstMade || path === dirname(path)) return;
  }
}
