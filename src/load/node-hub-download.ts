/**
 * One blob from the hub into the cache. Bytes go to a file beside it, which gets the blob's name only when complete
 * and checked; so the cache is valid at every moment, and what a broken download leaves is where the next one goes on.
 *
 * Two processes never write to one file: a download works in `ETAG.PID-RANDOM.incomplete`. When it ends early it
 * leaves that as `ETAG.incomplete`, and the next one takes it over by renaming, which only one of several can do.
 */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { HubError } from "../tensor/errors.ts";
import type { LoadOptions } from "./files.ts";
import { isFile } from "./node-folder.ts";
import type { HubModel, RemoteFile } from "./node-hub-http.ts";
import { fetchBytes, reasonOf } from "./node-hub-http.ts";
import type { HubSettings } from "./node-hub-settings.ts";

export interface BlobDownload extends RemoteFile {
  readonly hub: HubSettings;
  readonly model: HubModel;
  /** The file's path in the repository, for progress and errors. */
  readonly file: string;
  readonly url: string;
  /** Where the blob goes. */
  readonly blob: string;
}

/** After so long without a write, a download that another process began counts as abandoned. */
const ABANDONED_AFTER_MS = 60_000;

/**
 * Makes sure that `blob` exists. Downloads of the same blob in this process take turns, so the second finds it done.
 * @throws HubError if the connection breaks, the disk is full or the bytes do not match their checksum.
 */
export async function downloadBlob(download: BlobDownload, options: LoadOptions): Promise<void> {
  await inTurn(download.blob, async () => {
    if (await isFile(download.blob)) return;
    await mkdir(dirname(download.blob), { recursive: true });
    const part = await takeOver(download.blob);
    try {
      await complete(part, download, options);
      await rename(part, download.blob);
    } catch (error) {
      await leave(part, download.blob);
      throw error;
    }
  });
}

const turns = new Map<string, Promise<void>>();

async function inTurn(key: string, work: () => Promise<void>): Promise<void> {
  const turn = (turns.get(key) ?? Promise.resolve()).then(work);
  const settled = turn.catch(() => {});
  turns.set(key, settled);
  try {
    await turn;
  } finally {
    if (turns.get(key) === settled) turns.delete(key);
  }
}

/** A name for this download alone; the file is there already if an earlier one left some bytes. */
async function takeOver(blob: string): Promise<string> {
  const own = `${blob}.${process.pid}-${randomBytes(4).toString("hex")}.incomplete`;
  for (const name of await readdir(dirname(blob))) {
    if (!name.startsWith(`${basename(blob)}.`) || !name.endsWith(".incomplete")) continue;
    const path = join(dirname(blob), name);
    const owner = name.slice(basename(blob).length + 1, -"incomplete".length).replace(/\.$/, "");
    if (!(await isFree(path, owner))) continue;
    const taken = await rename(path, own).then(
      () => true,
      () => false, // another process was quicker
    );
    if (taken) break;
  }
  return own;
}

/** @param owner what stands between the blob's name and ".incomplete": nothing, `PID-RANDOM`, or another program's mark. */
async function isFree(path: string, owner: string): Promise<boolean> {
  if (owner === "") return true;
  const pid = /^(\d+)-[0-9a-f]{8}$/.exec(owner)?.[1];
  if (pid !== undefined && !isRunning(Number(pid))) return true;
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // there, and somebody else's
  }
}

/** Keeps what was downloaded, under the name where the next download looks; the longer of two. */
async function leave(part: string, blob: string): Promise<void> {
  const size = await sizeOf(part);
  if (size > (await sizeOf(`${blob}.incomplete`))) await rename(part, `${blob}.incomplete`);
  else await rm(part, { force: true });
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** Fills `part` to its full size and checks it. */
async function complete(part: string, download: BlobDownload, options: LoadOptions): Promise<void> {
  const { file, etag, size } = download;
  const begun = await sizeOf(part);
  await fetchRest(part, begun, download, options);
  const found = await checksum(part, etag, size);
  if (found === etag || (found === undefined && (await sizeOf(part)) === size)) return;
  await rm(part);
  if (begun > 0) return complete(part, download, options); // the fault may lie in the bytes from last time
  throw new HubError(
    `${file} of "${download.model.id}" arrived damaged: its checksum is ${found}, not ${etag}. It was discarded; try again.`,
    { asked: etag, found },
  );
}

async function fetchRest(part: string, begun: number, download: BlobDownload, options: LoadOptions): Promise<void> {
  const { hub, model, url, file, size } = download;
  if (begun === size && size > 0) return;
  const response = await fetchBytes(hub, model, url, begun < size ? begun : 0, options.signal);
  if (response.status === 416) {
    await response.body?.cancel();
    await rm(part, { force: true });
    return fetchRest(part, 0, download, options);
  }
  const resumes = response.status === 206 && response.headers.get("content-range")?.startsWith(`bytes ${begun}-`);
  if (response.status === 206 && !resumes) {
    await response.body?.cancel();
    throw new HubError(`${url} answered with other bytes than were asked for; try again.`, {
      asked: `bytes ${begun}-`,
      found: response.headers.get("content-range"),
    });
  }
  let loaded = resumes ? begun : 0;
  const output = await open(part, resumes ? "a" : "w");
  try {
    options.onProgress?.({ file, loaded, total: size });
    for await (const chunk of chunks(response, options.signal)) {
      await output.writeFile(chunk);
      loaded += chunk.length;
      options.onProgress?.({ file, loaded, total: size });
    }
    await output.sync();
  } catch (error) {
    if (!(error instanceof BrokenOff)) throw error;
    throw brokenOff(download, loaded, error.message);
  } finally {
    await output.close();
  }
  if (loaded < size) throw brokenOff(download, loaded, "the connection closed early");
}

class BrokenOff extends Error {}

/** The body's chunks; a failure of the connection, and nothing else, becomes `BrokenOff`. */
async function* chunks(response: Response, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const next = await reader.read().catch((cause) => {
        signal?.throwIfAborted();
        throw new BrokenOff(reasonOf(cause), { cause });
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function brokenOff({ file, model, size }: BlobDownload, loaded: number, why: string): HubError {
  return new HubError(
    `The download of ${file} of "${model.id}" broke off after ${loaded} of ${size} bytes (${why}); ` +
      "run the same again and it resumes from there.",
    { asked: size, found: loaded },
  );
}

/** The checksum that an etag of this form is: SHA-256, or git's SHA-1 of a blob; undefined for any other etag. */
async function checksum(path: string, etag: string, size: number): Promise<string | undefined> {
  const isSha256 = /^[0-9a-f]{64}$/.test(etag);
  if (!isSha256 && !/^[0-9a-f]{40}$/.test(etag)) return undefined;
  const hash = createHash(isSha256 ? "sha256" : "sha1");
  if (!isSha256) hash.update(`blob ${size}\0`);
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
