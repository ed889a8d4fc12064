/**
 * A lock between processes: a file that only one can create, and that names its owner. A lock whose process is gone is free;
 * one held by another machine, or by a process that cannot be distinguished from a later one with its number, is judged by the
 * file's time, which the owner refreshes (`beat`).
 */
import { createHash, randomBytes } from "node:crypto";
import { link, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

/** A temporary file of another machine's process counts as left after this long. */
const LEFT_AFTER_MS = 60_000;

/** Who holds a lock, according to its file. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, if the system reports it: its number may later belong to another. */
  readonly started: string | undefined;
  /** Identifies this one lock. */
  readonly token: string;
}

export class Lock {
  private readonly path: string;
  private readonly token: string;

  private constructor(path: string, token: string) {
    this.path = path;
    this.token = token;
  }

  /** Takes the lock, if nobody has it. The folder must exist. */
  static async take(path: string): Promise<Lock | undefined> {
    const token = randomBytes(8).toString("hex");
    const holder: Holder = { pid: process.pid, host: hostname(), started: await startOf(process.pid), token };
    // Written to a temporary file first, so that a lock names its owner from the moment it exists.
    const written = besideLock(path);
    try {
      await writeFile(written, JSON.stringify(holder), { flag: "wx" });
      await link(written, path).catch((error) => makeWithoutLink(path, holder, error));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
      throw error;
    } finally {
      await rm(written, { force: true });
    }
    return new Lock(path, token);
  }

  /** Signals that the owner is still working. @returns whether it still is the owner */
  async beat(): Promise<boolean> {
    if (!(await this.isOurs())) return false;
    const now = new Date();
    await utimes(this.path, now, now).catch(() => {});
    return true;
  }

  async release(): Promise<void> {
    await removeLeft(this.path);
    if (await this.isOurs()) await rm(this.path, { force: true });
  }

  private async isOurs(): Promise<boolean> {
    return (await lockAt(this.path))?.holder?.token === this.token;
  }
}

/** On file systems without hard links, the lock is created empty and names its owner a moment later. */
async function makeWithoutLink(path: string, holder: Holder, why: NodeJS.ErrnoException): Promise<void> {
  if (why.code === "EEXIST" || why.code === "ENOENT") throw why;
  const file = await open(path, "wx");
  try {
    await file.writeFile(JSON.stringify(holder));
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

/** The current lock, if there is one; one that is being created may not name its owner yet. */
export async function lockAt(
  path: string,
): Promise<{ readonly holder: Holder | undefined; readonly mtimeMs: number } | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return undefined;
  const text = await readFile(path, "utf8").catch(() => "");
  let holder: Holder | undefined;
  try {
    const { pid, host, started, token } = JSON.parse(text);
    if (Number.isSafeInteger(pid) && pid > 0 && typeof host === "string" && typeof token === "string") {
      holder = { pid, host, started: typeof started === "string" ? started : undefined, token };
    }
  } catch {
    // being written, or not one of our locks
  }
  return { holder, mtimeMs: stats.mtimeMs };
}

/** Whether the process that holds a lock is running: "maybe" if only the file's time can tell. */
export async function isAlive(holder: Holder | undefined): Promise<"yes" | "no" | "maybe"> {
  if (holder === undefined || holder.host !== hostname()) return "maybe";
  if (!(await isRunning(holder.pid))) return "no";
  const started = await startOf(holder.pid);
  if (started === undefined || holder.started === undefined) return "maybe";
  return started === holder.started ? "yes" : "no";
}

/** Removes a lock that turned out to be abandoned, but not a new one that has replaced it meanwhile. */
export async function breakLock(path: string, found: Holder | undefined): Promise<void> {
  const aside = besideLock(path);
  const moved = await rename(path, aside).then(
    () => true,
    () => false, // another process was quicker
  );
  if (!moved) return;
  const taken = (await lockAt(aside))?.holder;
  if (taken?.token !== found?.token) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

/**
 * A new name for a temporary file of a lock: `LOCK.MACHINE-PID-RANDOM`. It names its process because a process can be killed before
 * it has written anything into the file.
 */
function besideLock(path: string): string {
  return `${path}.${machine()}-${process.pid}-${randomBytes(8).toString("hex")}`;
}

/** Something short and plain that stands for this machine's name. */
function machine(): string {
  return createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
}

/** Removes the temporary files of this lock whose processes were killed while they took it. */
async function removeLeft(path: string): Promise<void> {
  for (const name of await readdir(dirname(path)).catch(() => [])) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const left = join(dirname(path), name);
    const [, of, pid] = /^([0-9a-f]{8})-(\d+)-[0-9a-f]+$/.exec(name.slice(basename(path).length + 1)) ?? [];
    const isGone = of === machine() ? !(await isRunning(Number(pid))) : await isOld(left);
    if (isGone) await rm(left, { force: true });
  }
}

/** Whether a temporary file of another machine's process, which exists for milliseconds, was left. */
async function isOld(file: string): Promise<boolean> {
  const stats = await stat(file).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs > LEFT_AFTER_MS;
}

/** Whether there is a process with that number; a zombie does not count. */
export async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // it exists, but belongs to another user
  }
  return (await statOf(pid))?.[0] !== "Z";
}

/** When a process began, in time since boot: on Linux only. */
async function startOf(pid: number): Promise<string | undefined> {
  return (await statOf(pid))?.[19];
}

/** What Linux says about a process, from its state on. */
async function statOf(pid: number): Promise<string[] | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return line?.slice(line.lastIndexOf(")") + 2).split(" ");
}
