/**
 * Decides who downloads a blob: one caller in this process, and one of all processes that share the cache. The others wait, follow its
 * progress, and find the file; or they take over if it is gone.
 */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pause, within } from "./deadline.ts";
import { isFile } from "./node-folder.ts";
import { breakLock, isAlive, Lock, lockAt } from "./node-lock.ts";
import { makeFolder } from "./node-make-folder.ts";

const STALE_AFTER_MS = 30_000;
const BEAT_MS = 5_000;
const LOOK_AGAIN_MS = 250;

/** Another process took the lock, because this one was inactive for too long. */
export class LostTurn extends Error {}

/** Held while downloading. */
export interface Turn {
  /** Call it before each write. @throws LostTurn once another process is downloading */
  check(): Promise<void>;
}

export interface Waiting {
  readonly signal: AbortSignal | undefined;
  /** How many bytes the downloading process has. */
  readonly onBytes: (loaded: number) => void;
  /** After this long without a sign of its owner, a lock counts as abandoned. */
  readonly staleMs?: number;
}

const turns = new Map<string, Promise<unknown>>();

/** Runs `work` once nobody else is downloading `blob`, or not at all if it exists by then. */
export async function inTurn(blob: string, waiting: Waiting, work: (turn: Turn) => Promise<void>): Promise<void> {
  const before = turns.get(blob) ?? Promise.resolve();
  const turn = (async () => {
    await within(Number.POSITIVE_INFINITY, "", waiting.signal, () => before);
    while (!(await isFile(blob))) {
      waiting.signal?.throwIfAborted();
      await makeFolder(dirname(blob));
      const lock = await waitFor(blob, waiting);
      if (lock === undefined) return;
      try {
        if (!(await isFile(blob))) await withBeat(lock, work);
      } catch (error) {
        if (!(error instanceof LostTurn)) throw error;
      } finally {
        await lock.release();
      }
    }
  })();
  // A caller that gives up waiting does not let the next one in.
  const settled = Promise.all([before, turn.catch(() => {})]);
  turns.set(blob, settled);
  try {
    await turn;
  } finally {
    if (turns.get(blob) === settled) turns.delete(blob);
  }
}

/** The lock of a blob, or nothing once the blob exists. */
async function waitFor(
  blob: string,
  { signal, onBytes, staleMs = STALE_AFTER_MS }: Waiting,
): Promise<Lock | undefined> {
  const path = `${blob}.lock`;
  let seen: { readonly mtimeMs: number; readonly at: number } | undefined;
  for (;;) {
    const lock = await Lock.take(path);
    if (lock) return lock;
    if (await isFile(blob)) return undefined;
    const there = await lockAt(path);
    if (there === undefined) continue; // just released
    // The file's time is only compared with itself, because another machine's clock may be wrong.
    if (seen?.mtimeMs !== there.mtimeMs) seen = { mtimeMs: there.mtimeMs, at: performance.now() };
    const still = performance.now() - seen.at > staleMs;
    if (still || (await isAlive(there.holder)) === "no") {
      await breakLock(path, there.holder);
      continue;
    }
    const loaded = await bytesOf(blob);
    if (loaded > 0) onBytes(loaded);
    await pause(LOOK_AGAIN_MS, signal);
  }
}

async function withBeat(lock: Lock, work: (turn: Turn) => Promise<void>): Promise<void> {
  let last = performance.now();
  let lost = false;
  const beat = async () => {
    last = performance.now();
    if (!(await lock.beat())) lost = true;
  };
  const timer = setInterval(() => void beat().catch(() => {}), BEAT_MS);
  timer.unref();
  try {
    await work({
      async check() {
        // A process that was stopped or busy may have lost the lock meanwhile.
        if (performance.now() - last > STALE_AFTER_MS / 2) await beat();
        if (lost) throw new LostTurn("another process has taken over the download");
      },
    });
  } finally {
    clearInterval(timer);
  }
}

/** The bytes of the longest partial download of the blob. */
async function bytesOf(blob: string): Promise<number> {
  const names = await readdir(dirname(blob)).catch(() => []);
  const parts = names.filter((name) => name.startsWith(`${basename(blob)}.`) && name.endsWith(".incomplete"));
  const sizes = parts.map(async (name) => (await stat(join(dirname(blob), name)).catch(() => undefined))?.size ?? 0);
  return Math.max(0, ...(await Promise.all(sizes)));
}
