/**
 * A file from a URL, for a page: what is stored of it is used, what is missing is fetched and stored. A commit's files never change; others are
 * requested on the condition that they have changed. An interrupted download continues where it stopped, if the file is still the same.
 */
import { HubError } from "../tensor/errors.ts";
import { showBytes } from "../tensor/free-memory.ts";
import type { FilesOptions } from "./files.ts";
import type { NetworkLimits } from "./network-limits.ts";
import { ask, chunksOf, discard, NoAnswer, retried, TooLong } from "./request.ts";
import { Arriving, PART_MS } from "./web-arriving.ts";
import { request, Unreachable } from "./web-fetch.ts";
import { isOwnOrigin } from "./web-page.ts";
import { openStore } from "./web-store.ts";
import { type FileRecord, folderOf, StoredFile, type StoredVersion } from "./web-stored-file.ts";
import { inTurn } from "./web-turn.ts";

/** A file behind a URL. */
export interface WebFile {
  readonly url: URL;
  /** The repository that it is in, as the caller calls it, and as it is stored; and its path there. */
  readonly of: string;
  readonly model: string;
  readonly path: string;
  /** The commit that the URL names: it always has the same bytes. */
  readonly revision?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Its length, if a list says it. */
  readonly size?: number | undefined;
  readonly limits: NetworkLimits;
  /** The store's name, or `false` for none. */
  readonly cache: string | false;
  /** Whether an answer means that there is no such file. */
  readonly isMissing: (response: Response) => boolean;
  /** Whether the file has changed since it was stored, if that has been asked. */
  readonly changed?: Promise<boolean> | undefined;
  /** What any other answer without the file means. */
  readonly refusal: (response: Response) => HubError;
}

/** The most bytes of a file whose length is unknown. */
const MOST_UNANNOUNCED = 2 ** 31;
/** After this many more bytes, failures are counted from 0 again. */
const PROGRESS_BYTES = 1_000_000;

/** What is stored of a file. */
export async function storedVersion(file: Pick<WebFile, "url" | "cache">): Promise<StoredVersion | undefined> {
  const store = await openStore(file.cache);
  return store && new StoredFile(store, await folderOf(file.url.href)).read();
}

/** How long a tab waits for another's download: within this time, one that moves has stored something, or has ended. */
function watching({ limits }: WebFile) {
  const patienceMs = limits.answerMs + limits.stallMs + 2 * PART_MS;
  return { patienceMs, bytes: async () => 0, onBytes: () => {} };
}

/** Stores a small file that has already been read; nothing happens where there is no room. */
export async function storeWebFile(file: WebFile, blob: Blob): Promise<void> {
  const store = await openStore(file.cache);
  if (!store) return;
  const stored = new StoredFile(store, await folderOf(file.url.href));
  await inTurn(stored.folder, { ...watching(file), signal: undefined }, async (alone) => {
    if (!alone) return;
    const arriving = new Arriving(file.of, stored, undefined);
    await arriving.begin(recordOf(file, new Response(), blob.size));
    await arriving.add(new Uint8Array(await blob.arrayBuffer()));
    await arriving.finish();
  });
}

/**
 * The file, or undefined if there is none. Its blob is backed by the store: reading a slice reads no more.
 * @throws HubError if the server or the network refuses and nothing is stored; the signal's reason
 */
export async function openWebFile(file: WebFile, load: FilesOptions): Promise<Blob | undefined> {
  load.signal?.throwIfAborted();
  const store = await openStore(file.cache);
  if (!store) return download(file, new Arriving(file.of, undefined, load.note), load);
  const stored = new StoredFile(store, await folderOf(file.url.href));
  const whole = file.revision === undefined ? undefined : await stored.read();
  if (whole?.record.complete) return whole.blob;
  const bytes = async () => (await stored.read())?.blob.size ?? 0;
  const onBytes = (done: number) => report(file, done, file.size, load);
  return inTurn(stored.folder, { ...watching(file), signal: load.signal, bytes, onBytes }, async (alone) => {
    if (!alone) {
      load.note?.(
        `${file.path} of ${file.of} is held in memory, because another tab is downloading it and nothing has arrived there for a while.`,
      );
      return download(file, new Arriving(file.of, undefined, load.note), load);
    }
    const there = await stored.read();
    if (there?.record.complete) return current(file, there, stored, load);
    const arriving = new Arriving(file.of, stored, load.note);
    if (there && isSure(there.record) && there.blob.size <= (there.record.size ?? Infinity)) arriving.resume(there);
    return download(file, arriving, load);
  });
}

/** The file as it is now: as it is stored, if it has not changed or the server cannot be reached. */
async function current(
  file: WebFile,
  there: StoredVersion,
  stored: StoredFile,
  load: FilesOptions,
): Promise<Blob | undefined> {
  if (file.revision !== undefined) return there.blob;
  try {
    if (!(await (file.changed ?? hasChanged(file, there.record, load)))) return there.blob;
    return await download(file, new Arriving(file.of, stored, load.note), load);
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    load.note?.(
      `${file.url.href} cannot be reached: ${file.path} is read as it was stored on ${there.record.date.slice(0, 10)}.`,
    );
    return there.blob;
  }
}

/** Another origin would have to allow a conditional request beforehand, and seldom does; all allow the headers of a file to be read. */
export async function hasChanged(
  { url, headers, limits }: WebFile,
  record: FileRecord,
  load: FilesOptions,
): Promise<boolean> {
  if (record.etag === undefined && record.modified === undefined) return true;
  const condition: Record<string, string> =
    record.etag !== undefined ? { "if-none-match": record.etag } : { "if-modified-since": record.modified! };
  const asked = { ...headers, ...(isOwnOrigin(url) ? condition : {}) };
  const unchanged = (response: Response) => response.status === 304 || isSame(record, response);
  return !(await request({ url, method: "HEAD", headers: asked, limits }, load.signal, unchanged));
}

/** Downloads what has not arrived yet. */
async function download(file: WebFile, arriving: Arriving, load: FilesOptions): Promise<Blob | undefined> {
  let counted = arriving.bytes;
  try {
    return await retried(file.limits, load.signal, (fresh) => {
      if (arriving.bytes - counted > PROGRESS_BYTES) fresh();
      counted = arriving.bytes;
      return fetchRest(file, arriving, load);
    });
  } catch (error) {
    if (error instanceof TooLong) {
      await arriving.discard();
      throw wrongLength(file, arriving.record?.size, "more");
    }
    if (!(error instanceof NoAnswer)) throw error;
    await arriving.flush();
    throw arriving.bytes > 0 ? brokenOff(file, arriving, error) : new Unreachable(file.url, error);
  } finally {
    await arriving.flush();
  }
}

async function fetchRest(file: WebFile, arriving: Arriving, load: FilesOptions): Promise<Blob | undefined> {
  const { url, headers = {}, limits } = file;
  if (arriving.bytes > 0 && !isSure(arriving.record)) await arriving.discard();
  const from = arriving.bytes;
  if (from > 0 && from === arriving.record?.size) return arriving.finish();
  const range: Record<string, string> = from > 0 ? { range: `bytes=${from}-`, ...ifRange(url, arriving.record!) } : {};
  const response = await ask(url, { headers: { ...headers, ...range }, cache: "no-store" }, limits, load.signal);
  const continues = from > 0 && response.status === 206 && isRest(arriving.record!, from, response);
  if ((response.status === 206 || response.status === 416) && !continues) {
    await discard(response);
    if (from === 0) throw file.refusal(response);
    await arriving.discard();
    return fetchRest(file, arriving, load);
  }
  if (file.isMissing(response) || !response.ok) {
    await discard(response);
    if (file.isMissing(response)) return undefined;
    throw file.refusal(response);
  }
  const start = continues ? from : 0;
  const length = lengthOf(response);
  const size = file.size ?? (length === undefined ? undefined : start + length);
  if (!continues) await arriving.begin(recordOf(file, response, size));
  report(file, start, size, load);
  for await (const chunk of chunksOf(response, (size ?? MOST_UNANNOUNCED) - start, limits, load.signal)) {
    await arriving.add(chunk);
    report(file, arriving.bytes, size, load);
  }
  if (size === undefined) report(file, arriving.bytes, arriving.bytes, load);
  if (size === undefined || arriving.bytes === size) return arriving.finish();
  const found = arriving.bytes;
  await arriving.discard();
  throw wrongLength(file, size, String(found));
}

function recordOf(
  { url, model, path, revision }: WebFile,
  { headers }: Response,
  size: number | undefined,
): FileRecord {
  return {
    ...{ url: url.href, model, path, revision, size, complete: false, date: new Date().toISOString() },
    etag: headers.get("etag") ?? undefined,
    modified: headers.get("last-modified") ?? undefined,
  };
}

/** Whether it can be known that the rest is of the same version. */
function isSure(record: FileRecord | undefined): boolean {
  return [record?.revision, record?.etag, record?.modified].some((mark) => mark !== undefined);
}

/** Whether an answer is about the version that is recorded, by the marks that both have. */
function isSame(record: FileRecord, { headers }: Response): boolean {
  const marks = [
    [record.etag, headers.get("etag")],
    [record.modified, headers.get("last-modified")],
  ].filter(([before, now]) => before && now);
  return marks.length > 0 && marks.every(([before, now]) => before === now);
}

/** Whether an answer has the bytes from there on of the recorded version. */
function isRest(record: FileRecord, from: number, response: Response): boolean {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
  if (range && Number(range[1]) !== from) return false;
  const length = lengthOf(response);
  const total = range && range[2] !== "*" ? Number(range[2]) : length === undefined ? undefined : from + length;
  if (total !== undefined && record.size !== undefined && total !== record.size) return false;
  return record.revision !== undefined || isSame(record, response);
}

/** Asks for the whole file instead, if it has changed; a header that only the page's own server takes without being asked. */
function ifRange(url: URL, { revision, etag, modified }: FileRecord): Record<string, string> {
  const mark = etag?.startsWith('"') ? etag : modified;
  return revision === undefined && mark !== undefined && isOwnOrigin(url) ? { "if-range": mark } : {};
}

/** The length of a body, if it is known: that of a compressed one is not, and other origins do not show whether it is. */
function lengthOf({ headers, url }: Response): number | undefined {
  const encoding =
    headers.get("content-encoding") ?? (url === "" || isOwnOrigin(new URL(url)) ? "identity" : undefined);
  const length = headers.get("content-length");
  return encoding !== "identity" || length === null ? undefined : Number(length);
}

function report({ path, of }: WebFile, done: number, size: number | undefined, { onProgress }: FilesOptions): void {
  onProgress?.({ done, total: size === undefined ? 0 : Math.max(size, done), unit: "bytes", file: path, of });
}

function wrongLength({ path, url, size }: WebFile, announced: number | undefined, found: string): HubError {
  const most = size ?? announced ?? `at most ${MOST_UNANNOUNCED}`;
  return new HubError(`${path} should have ${most} bytes, but ${found} arrived: try again.`, {
    asked: url.href,
    found,
  });
}

function brokenOff({ path, of, url }: WebFile, arriving: Arriving, cause: NoAnswer): HubError {
  const { bytes, isStored, record } = arriving;
  const all = record?.size === undefined ? "" : ` of ${showBytes(record.size)}`;
  const then = isStored ? "what has arrived is stored: load it again to continue from there." : "try again.";
  return new HubError(
    `The download of ${path} of ${of} broke off after ${showBytes(bytes)}${all} (${cause.message}): ${then}`,
    { asked: url.href, found: bytes, cause },
  );
}
