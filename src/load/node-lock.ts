/**
 * A lock between processes: a file that only one can make, with who made it. A lock whose process is gone is nobody's;
 * one that another machine holds, or a process that cannot be told from a later one of its number, is known by its
 * file's time, which the owner sets anew (`beat`).
 */
import { randomBytes } from "node:crypto";
import { link, open, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";

/** Who holds a lock, as the lock's file says. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, where the system tells: its number may be another's later. */
  readonly started: string | undefined;
  /** Of this one lock. */
  readonly token: string;
}

export class Lock {
  private readonly path: string;
  private readonly token: string;

  private constructor(path: string, token: string) {
    this.path = path;
    this.token = token;
  }

  /** The lock, if nobody has it. The folder must be there. */
  static async take(path: string): Promise<Lock | undefined> {
    const token = randomBytes(8).toString("hex");
    const holder: Holder = { pid: process.pid, host: hostname(), started: await startOf(process.pid), token };
    // Written beside it first, so that a lock says whose it is from the moment it is there.
    const written = `${path}.${token}`;
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

  /** Says that the owner is at it. @returns whether it still is the owner */
  async beat(): Promise<boolean> {
    if (!(await this.isOurs())) return false;
    const now = new Date();
    await utimes(this.path, now, now).catch(() => {});
    return true;
  }

  async release(): Promise<void> {
    if (await this.isOurs()) await rm(this.path, { force: true });
  }

  private async isOurs(): Promise<boolean> {
    return (await lockAt(this.path))?.holder?.token === this.token;
  }
}

/** Where a file cannot have two names, the lock is made empty and says whose it is a moment later. */
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

/** The lock that lies there, if one does; one that is being made may not say yet whose it is. */
export async function lockAt(
  path: string,
): Promise<{ readonly holder: Holder | undefined; readonly mtimeMs: number } | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  const text = await readFile(path, "utf8").catch(() => "");
  let holder: Holder | undefined;
  try {
    const { pid, host, started, token } = JSON.parse(text);
    if (Number.isSafeInteger(pid) && pid > 0 && typeof host === "string" && typeof token === "string") {
      holder = { pid, host, started: typeof started === "string" ? started : undefined, token };
    }
  } catch {
    // being written, or no lock of ours
  }
  return { holder, mtimeMs: found.mtimeMs };
}

/** Whether the process that holds a lock runs: "maybe" where only the file's time can tell. */
export async function isAlive(holder: Holder | undefined): Promise<"yes" | "no" | "maybe"> {
  if (holder === undefined || holder.host !== hostname()) return "maybe";
  if (!(await isRunning(holder.pid))) return "no";
  const started = await startOf(holder.pid);
  if (started === undefined || holder.started === undefined) return "maybe";
  return started === holder.started ? "yes" : "no";
}

/** Takes away a lock that was found to be nobody's, and no other that came in its place meanwhile. */
export async function breakLock(path: string, found: Holder | undefined): Promise<void> {
  const aside = `${path}.${randomBytes(4).toString("hex")}`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false, // another process was quicker
  );
  if (!moved) return;
  const taken = (await lockAt(aside))?.holder;
  if (taken?.token !== found?.token) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

/** Whether there is a process of that number; one that ended and was not yet waited for is none. */
export async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // there, and somebody else's
  }
  return (await statOf(pid))?.[0] !== "Z";
}

/** When a process began, since the system did: on Linux alone. */
async function startOf(pid: number): Promise<string | undefined> {
  return (await statOf(pid))?.[19];
}

/** What Linux says of a process, from its state on. */
async function statOf(pid: number): Promise<string[] | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return line?.slice(line.lastIndexOf(")") + 2).split(" ");
}
