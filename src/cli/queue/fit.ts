/** Whether a worker can do the shards of a scan: its version, what it sees of the scan's folder and texts, and its weights. */
import { access } from "node:fs/promises";
import { basename, join } from "node:path";
import { ArgumentError, GlassformerError } from "../../tensor/errors.ts";
import { firstOf } from "../../tensor/words.ts";
import type { ModelRun } from "../model-options.ts";
import { checksumOfModel } from "../origin.ts";
import { ScanFolder } from "../scan/folder.ts";
import { openScan } from "../scan/open.ts";
import { hashOf, THIS_VERSION } from "../scan/settings.ts";
import type { ShardWork } from "../scan/shard-work.ts";
import { scanSources } from "../scan/sources.ts";
import type { QueuedScan } from "./board.ts";
import { markIn } from "./mark.ts";

/** What a worker has been given for its own machine. */
export interface OwnOptions extends Omit<ModelRun, "adapter" | "dtype"> {
  /** Where folders and texts may be, besides where they are on the machine that began the scan. */
  readonly folder?: readonly string[] | undefined;
  readonly model?: string | undefined;
}

/** Why a worker leaves a scan's shards to others. */
export class NotFit extends Error {
  /** Whether it stays so as long as the worker runs. */
  readonly forever: boolean;

  constructor(message: string, { forever }: { readonly forever: boolean }) {
    super(message);
    this.forever = forever;
  }
}

/** @throws NotFit */
export async function openedHere(queued: QueuedScan, own: OwnOptions): Promise<ShardWork> {
  const { settings } = queued;
  if (settings.glassformer !== THIS_VERSION) {
    throw new NotFit(
      `this is glassformer ${THIS_VERSION}, and ${queued.folder} is a scan of glassformer ${settings.glassformer}: install that version. The shards are left to other workers.`,
      { forever: true },
    );
  }
  const folder = await folderHere(queued, own);
  const sources = await sourcesHere(queued, folder, own);
  const name = own.model ?? queued.model;
  const weights = (await checksumOfModel(name))?.sha256 ?? null;
  if (weights !== settings.weights) {
    throw new NotFit(
      `${name} has other weights here than where ${queued.folder} was begun: bring the same here, or name them with --model. The shards are left to other workers.`,
      { forever: true },
    );
  }
  try {
    const here = { ...settings, adapter: queued.adapter };
    const { model, scan } = await openScan(queued.folder, here, name, own);
    return { folder, model, scan, source: (index) => sources[index].source };
  } catch (error) {
    if (!(error instanceof GlassformerError)) throw error;
    throw new NotFit(error.message, { forever: false });
  }
}

async function folderHere({ id, folder, settings }: QueuedScan, own: OwnOptions): Promise<ScanFolder> {
  const places = [folder, ...(own.folder ?? []).flatMap((path) => [join(path, basename(folder)), path])];
  for (const path of places) {
    if ((await markIn(path)) !== id) continue;
    const found = await ScanFolder.at(path);
    if (hashOf(found.settings).join() === hashOf(settings).join()) return found;
    throw new NotFit(`${path} holds another scan than the queue says. The shards are left to other workers.`, {
      forever: false,
    });
  }
  const there = await Promise.all(
    places.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  const what = there[0]
    ? `${folder} is a folder of this machine, and not the one where the scan was begun`
    : `${folder} cannot be seen from here`;
  throw new NotFit(`${what}: share that folder with this machine, and name it with --folder if it is elsewhere here.`, {
    forever: false,
  });
}

async function sourcesHere({ data, settings, folder: where }: QueuedScan, folder: ScanFolder, own: OwnOptions) {
  const refuse = (message: string) => new NotFit(message, { forever: false });
  const paths: string[] = [];
  for (const path of data) paths.push(await pathHere(path, where, folder.path, own));
  const sources = await scanSources(paths, folder.path).catch((error) => {
    if (!(error instanceof GlassformerError)) throw error;
    throw refuse(`${error.message} If the text is elsewhere here, name its folder with --folder.`);
  });
  const other = sources.filter(
    ({ size, sha256 }, i) => size !== settings.data[i].size || sha256 !== settings.data[i].sha256,
  );
  if (other.length === 0) return sources;
  throw refuse(
    `${firstOf(other.map(({ name }) => name))} is another text here than where ${where} was begun: bring the same here. The shards are left to other workers.`,
  );
}

/** A text that was saved in the scan's folder is in it here, too. */
async function pathHere(path: string, where: string, folder: string, own: OwnOptions): Promise<string> {
  if (path.startsWith(join(where, "/"))) return join(folder, path.slice(where.length));
  if (/^[a-z]+:\/\//i.test(path)) return path;
  const places = [path, ...(own.folder ?? []).map((one) => join(one, basename(path)))];
  for (const place of places) {
    const there = await access(place).then(
      () => true,
      () => false,
    );
    if (there) return place;
  }
  return path;
}

/** What this machine lacks, and the shard does not: another machine may have it. */
export function isOfThisMachine(error: unknown): error is Error {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof Misplaced) return true;
    const { code } = one as NodeJS.ErrnoException;
    if (code !== undefined && OF_MACHINES.has(code)) return true;
  }
  return false;
}

/** The folder is no longer there. */
export class Misplaced extends ArgumentError {
  override readonly name = "ArgumentError";
}

const OF_MACHINES = new Set([
  ...[
    "ENOSPC",
    "EDQUOT",
    "EFBIG",
    "EACCES",
    "EPERM",
    "EROFS",
    "ENOENT",
    "ENOTDIR",
    "EIO",
    "ESTALE",
    "EMFILE",
    "ENFILE",
  ],
  ...["ENOTCONN", "EHOSTDOWN", "ETIMEDOUT", "ENOMEM"],
]);
