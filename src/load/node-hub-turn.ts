/**
 * Who downloads a blob: one in this process, and one of all processes that share the cache. The others wait, see how far
 * it is, and find the file; or they take over where the one is gone.
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

/** The lock was taken by another, as this process was still for too long. */
export class LostTurn extends Error {}

/** While one downloads. */
export interface Turn {
  /** To be asked before each write. @throws LostTurn once another process downloads */
  check(): Promise<void>;
}

export interface Waiting {
  readonly signal: AbortSignal | undefined;
  /** How many bytes the process that is waited for has. */
  readonly onBytes: (loaded: number) => void;
  /** After so long without a sign of its owner, a lock counts as nobody's. */
  readonly staleMs?: number;
}

const turns = new Map<string, Promise<unknown>>();

/** Runs `work` when no one else downloads `blob`; not at all, if then it is there. */
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
  // Whoever gives up waiting does not let the next one in.
  const settled = Promise.all([before, turn.catch(() => {})]);
  turns.set(blob, settled);
  try {
    await turn;
  } finally {
    if (turns.get(blob) === settled) turns.delete(blob);
  }
}

/** The lock of a blob, or nothing once the blob is there. */
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
    if (there === undefined) continue; // given back just now
    // The file's time is only compared with itself: another machine's clock may be wrong.
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
        // A process that was stopped, or busy, may have lost the lock meanwhile.
        if (performance.now() - last > STALE_AFTER_MS / 2) await beat();
        if (lost) throw new LostTurn("another process goes on with the download");
      },
    });
  } finally {
    clearInterval(timer);
  }
}

/** Bytes of the longest download of the blob that lies beside it. */
async function bytesOf(blob: string): Promise<number> {
  const names = await readdir(dirname(blob)).catch(() => []);
  const parts = names.filter((name) => name.startsWith(`${basename(blob)}.`) && name.endsWith(".incomplete"));
  const sizes = parts.map(async (name) => (await stat(join(dirname(blob), name)).catch(() => undefined))?.size ?? 0);
  return Math.max(0, ...(await Promise.all(sizes)));
}
