/**
 * Downloads one blob from the hub into the cache. Bytes go to a temporary file, which gets the blob's name only when complete
 * and checked; so the cache is valid at every moment, and the next download continues where an interrupted one stopped.
 *
 * One process downloads, the others wait (node-hub-turn.ts). Two never write to the same file, whatever happens to their lock:
 * a download works in `ETAG.PID-RANDOM.incomplete`. If it ends early, it leaves that as `ETAG.incomplete`, and the next
 * one takes it over by renaming, which only one of several can do.
 */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { HubError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import type { LoadOptions } from "./files.ts";
import { type NetworkLimits, networkLimits } from "./network-limits.ts";
import type { HubRepository, RemoteFile } from "./node-hub-http.ts";
import { fetchBytes } from "./node-hub-http.ts";
import type { HubSettings } from "./node-hub-settings.ts";
import { inTurn, type Turn } from "./node-hub-turn.ts";
import { isRunning } from "./node-lock.ts";
import { chunksOf, discard, NoAnswer, retried, TooLong } from "./request.ts";

export interface BlobDownload extends RemoteFile {
  readonly hub: HubSettings;
  readonly model: HubRepository;
  /** The file's path in the repository, for progress and errors. */
  readonly file: string;
  readonly url: string;
  /** Where the blob goes. */
  readonly blob: string;
}

/** SHA-256, or git's SHA-1. */
const CHECKSUM = /^([0-9a-f]{64}|[0-9a-f]{40})$/;
/** After this long without a write, another process' download counts as abandoned. */
const ABANDONED_AFTER_MS = 60_000;
/** After this many more bytes, failures are counted from 0 again. */
const PROGRESS_BYTES = 1_000_000;

/**
 * Makes sure that `blob` exists. If this or another process is already downloading it, waits for that.
 * @throws HubError if the connection stays broken, the disk is full, or the bytes are not the announced ones.
 */
export async function downloadBlob(download: BlobDownload, options: LoadOptions): Promise<void> {
  const { blob, size } = download;
  await dropIfCut(download);
  const onBytes = (done: number) => report(download, Math.min(done, size), options);
  await inTurn(blob, { signal: options.signal, onBytes }, async (turn) => {
    const part = await takeOver(blob);
    try {
      await complete(part, download, turn, options);
      await turn.check();
      await rename(part, blob);
    } catch (error) {
      await leave(part, blob);
      throw error;
    }
  });
}

function report({ file, size, model }: BlobDownload, done: number, { onProgress }: LoadOptions): void {
  onProgress?.({ done, total: size, unit: "bytes", file, of: model.id });
}

/**
 * A blob whose size differs from the hub's file was cut off: it is removed, so that the right one is downloaded.
 * @throws HubError if the ETag is not a checksum: it may be another file, which a snapshot uses
 */
async function dropIfCut({ blob, size, etag, file, model }: BlobDownload): Promise<void> {
  const stats = await stat(blob).catch(() => undefined);
  if (!stats?.isFile() || stats.size === size) return;
  if (CHECKSUM.test(etag)) return rm(blob, { force: true });
  throw new HubError(
    `The cache has another file under the ETag of ${file} of "${model.id}", with ${stats.size} bytes instead of ${size}: remove ${blob}, or set HF_HUB_CACHE to another folder.`,
    { asked: size, found: stats.size },
  );
}

/** A name for this download only; the file already exists if an earlier download left some bytes. */
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

/** @param owner the part between the blob's name and ".incomplete": nothing, `PID-RANDOM`, or another program's mark. */
async function isFree(path: string, owner: string): Promise<boolean> {
  if (owner === "") return true;
  const pid = /^(\d+)-[0-9a-f]{8}$/.exec(owner)?.[1];
  if (pid !== undefined && !(await isRunning(Number(pid)))) return true;
  const stats = await stat(path).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs > ABANDONED_AFTER_MS;
}

/** Keeps the downloaded bytes under the name where the next download looks; of two such files, the longer. */
async function leave(part: string, blob: string): Promise<void> {
  const size = await sizeOf(part);
  if (size > (await sizeOf(`${blob}.incomplete`))) await rename(part, `${blob}.incomplete`);
  else await rm(part, { force: true });
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** Fills `part` to its full size and checks it. */
async function complete(part: string, download: BlobDownload, turn: Turn, options: LoadOptions): Promise<void> {
  const { file, etag, size, model } = download;
  const begun = await sizeOf(part);
  await fetchWhole(part, download, turn, options);
  const digest = await checksum(part, etag, size, options.signal);
  if (digest === etag || (digest === undefined && (await sizeOf(part)) === size)) return;
  await rm(part);
  if (begun > 0) return complete(part, download, turn, options); // the error may be in the bytes from last time
  throw new HubError(
    `${file} of "${model.id}" arrived damaged: its checksum is ${digest}, not ${etag}. It was discarded; try again.`,
    { asked: etag, found: digest },
  );
}

/** Fetches the rest of `part`, continuing after broken connections, as often as the limits allow. */
async function fetchWhole(part: string, download: BlobDownload, turn: Turn, options: LoadOptions): Promise<void> {
  const { model, file, size, url, hub } = download;
  const limits = networkLimits(hub.limits);
  let before = await sizeOf(part);
  try {
    await retried(limits, options.signal, async (fresh) => {
      const begun = await sizeOf(part);
      if (begun - before > PROGRESS_BYTES) {
        before = begun;
        fresh();
      }
      await fetchRest(part, begun, download, limits, turn, options);
    });
  } catch (error) {
    const loaded = await sizeOf(part);
    if (error instanceof TooLong) {
      await rm(part, { force: true });
      throw new HubError(
        `${url} sent more than the ${size} bytes announced for ${file} of "${model.id}": the download was stopped and discarded.`,
        { asked: size, found: error.message },
      );
    }
    if (!(error instanceof NoAnswer)) throw error;
    throw new HubError(
      `The download of ${file} of "${model.id}" broke off after ${loaded} of ${size} bytes (${error.message}): ` +
        "run the same again to resume from there.",
      { asked: size, found: loaded, cause: error },
    );
  }
}

async function fetchRest(
  part: string,
  begun: number,
  download: BlobDownload,
  limits: NetworkLimits,
  turn: Turn,
  options: LoadOptions,
): Promise<void> {
  const { hub, model, url, size } = download;
  if (begun === size && size > 0) return;
  const start = begun < size ? begun : 0;
  await refuseIfFull(part, size - start);
  let response = await fetchBytes(hub, model, url, start, limits, options.signal);
  if (response.status === 416 && start > 0) {
    await discard(response);
    response = await fetchBytes(hub, model, url, 0, limits, options.signal);
  }
  const compressed = (response.headers.get("content-encoding") ?? "identity") !== "identity";
  const range = response.headers.get("content-range");
  const resumes = response.status === 206 && !compressed && range?.startsWith(`bytes ${start}-`);
  if (response.status === 416 || (response.status === 206 && !resumes)) {
    await discard(response);
    const found = response.status === 416 ? "none (416)" : compressed ? "compressed ones" : shown(range);
    throw new HubError(`${url} was asked for the bytes from ${start} on, but answered with ${found}: try again.`, {
      asked: `bytes ${start}-`,
      found: range,
    });
  }
  let loaded = resumes ? start : 0;
  const output = await open(part, resumes ? "a" : "w");
  try {
    report(download, loaded, options);
    for await (const chunk of chunksOf(response, size - loaded, limits, options.signal)) {
      await turn.check();
      await output.writeFile(chunk);
      loaded += chunk.length;
      report(download, loaded, options);
    }
    await output.sync();
  } finally {
    await output.close();
  }
  if (loaded < size) throw new NoAnswer("the connection closed early", { passing: true });
}

/** @throws the error that the disk would raise later */
async function refuseIfFull(part: string, missing: number): Promise<void> {
  const { bavail, bsize, blocks } = await statfs(dirname(part));
  if (blocks > 0 && missing > bavail * bsize)
    throw Object.assign(new Error("full"), { code: "ENOSPC", syscall: "write" });
}

/** The checksum that an ETag of this form is: SHA-256, or git's SHA-1 of a blob; undefined for any other ETag. */
async function checksum(
  path: string,
  etag: string,
  size: number,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (!CHECKSUM.test(etag)) return undefined;
  const isSha256 = etag.length === 64;
  const hash = createHash(isSha256 ? "sha256" : "sha1");
  if (!isSha256) hash.update(`blob ${size}\0`);
  for await (const chunk of createReadStream(path)) {
    signal?.throwIfAborted();
    hash.update(chunk as Buffer);
  }
  return hash.digest("hex");
}
