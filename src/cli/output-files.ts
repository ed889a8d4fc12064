/** Files that a command writes: checked before anything runs, and written completely or not at all. */
import { randomBytes } from "node:crypto";
import {
  access,
  chmod,
  constants,
  mkdir,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { kindOfFile } from "../load/node-file.ts";
import type { ReportFormat } from "../report/render.ts";
import type { ReportFile } from "../report/report-files.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { nearest } from "../tensor/nearest.ts";
import { isSystemError } from "./exit.ts";

export interface OutputFile {
  readonly path: string;
  readonly format: ReportFormat;
  /** It is a folder for every picture and table on its own; its report is HTML. */
  readonly folder?: true;
}

const FORMAT_OF: Readonly<Record<string, ReportFormat>> = {
  ".html": "html",
  ".json": "json",
  ".csv": "csv",
  ".svg": "svg",
  ".png": "png",
  ".txt": "text",
};

/**
 * What to write where.
 * @param flag the option that names the files
 * @param comes the folder of a training run: it need not exist yet, and its own files must not be overwritten
 * @param reads the files that the command reads
 *
 * A name that ends in "/", or that of a folder, stands for a folder of all pictures and tables.
 * @throws ArgumentError for an extension that is not a format, a folder that does not exist or cannot be written to, or a file
 * that is named twice or also read.
 */
export async function outputFiles(
  paths: readonly string[],
  flag = "--out",
  comes?: string,
  reads: readonly string[] = [],
): Promise<readonly OutputFile[]> {
  const files: OutputFile[] = [];
  const targets: string[] = [];
  const read = await Promise.all(reads.filter((path) => path !== "-").map((path) => placeOf(path).catch(() => path)));
  for (const path of paths) {
    const folder = await namesFolder(path);
    const format = folder ? "html" : FORMAT_OF[extname(path).toLowerCase()];
    if (!format) throw unknownEnding(path, flag);
    const target = await placeOf(path);
    if (targets.includes(target)) {
      throw new ArgumentError(`${flag} names ${path} twice: name each file once.`, { asked: path });
    }
    if (read.includes(target)) {
      throw new ArgumentError(`${flag} ${path} is a file that the command reads: choose another name.`, {
        asked: path,
      });
    }
    const within = comes === undefined ? undefined : relative(resolve(comes), resolve(path));
    if (within !== undefined && /^(config\.json$|step-\d+([/\\]|$))/.test(within)) {
      throw new ArgumentError(`${flag} ${path} is where the training run keeps its own files: choose another name.`, {
        asked: path,
      });
    }
    if (within === undefined || within !== basename(path)) await (folder ? checkFolder : checkPlace)(path, flag);
    files.push({ path, format, ...(folder ? { folder } : {}) });
    targets.push(target);
  }
  return files;
}

function unknownEnding(path: string, flag: string): ArgumentError {
  const endings = Object.keys(FORMAT_OF);
  const ending = extname(path);
  const near = ending === "" ? undefined : nearest(ending, endings);
  const problem = ending === "" ? "has no extension" : `ends in "${ending}"`;
  return new ArgumentError(
    `${flag} ${path} ${problem}, but the extension says what to write: one of ${endings.join(", ")}; a folder's name ends in "/".` +
      (near ? ` Did you mean "${near}"?` : ""),
    { asked: path, found: endings, nearest: near },
  );
}

async function namesFolder(path: string): Promise<boolean> {
  return (
    /[/\\]$/.test(path) ||
    (await stat(path).then(
      (there) => there.isDirectory(),
      () => false,
    ))
  );
}

/** A folder need not exist, but the one that it is in must. */
async function checkFolder(path: string, flag: string): Promise<void> {
  const refuse = (why: string): never => {
    throw new ArgumentError(`${flag} ${path} ${why}`, { asked: path });
  };
  const target = await targetOf(path);
  const there = await stat(target).catch(() => undefined);
  if (there && !there.isDirectory()) refuse("is not a folder, although its name ends as a folder's does.");
  const above = await stat(dirname(target)).catch(() => undefined);
  if (!above?.isDirectory()) refuse(`is in "${dirname(path)}", which is not a folder: create it first.`);
  await access(there ? target : dirname(target), constants.W_OK).catch(() =>
    refuse(`${there ? "" : `is in "${dirname(path)}", which `}is not writable: choose another folder.`),
  );
}

async function checkPlace(path: string, flag: string): Promise<void> {
  const refuse = (why: string): never => {
    throw new ArgumentError(`${flag} ${path} ${why}`, { asked: path });
  };
  const target = await targetOf(path);
  const through = target === resolve(path) ? "is" : `is a link to ${target},`;
  const folder = dirname(target);
  const inFolder = target === resolve(path) ? dirname(path) : folder;
  const above = await stat(folder).catch(() => undefined);
  if (!above?.isDirectory()) refuse(`${through} in "${inFolder}", which is not a folder: create it first.`);
  const there = await stat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENAMETOOLONG") refuse("has a name that is too long: choose a shorter one.");
    return undefined;
  });
  const special = there && kindOfFile(there);
  if (special) refuse(`${through} ${special}: name a file${special === "a folder" ? " in it" : ""}.`);
  await access(folder, constants.W_OK).catch(() =>
    refuse(`${through} in "${inFolder}", which is not writable: choose another folder.`),
  );
}

/** The file that a path means, with the links among its folders resolved; if its folder does not exist yet, where the file would be. */
async function placeOf(path: string): Promise<string> {
  const target = await targetOf(path);
  const folder = await realpath(dirname(target)).catch(() => dirname(target));
  return join(folder, basename(target));
}

/** Where a path leads through links, even if nothing is there yet. */
async function targetOf(path: string, links = 40): Promise<string> {
  const to = await readlink(path).catch(() => undefined);
  if (to === undefined) return resolve(path);
  if (links === 0) throw new ArgumentError(`${path} is a link that leads back to itself.`, { asked: path });
  return targetOf(resolve(await realpath(dirname(path)), to), links - 1);
}

/**
 * Writes a temporary file next to it and renames that, so that a reader sees the old file or the new one. The target of a link is replaced, not the
 * link; the new file takes the permissions of the old one.
 * @throws ArgumentError if it fails
 */
export async function writeWhole(path: string, content: string | Uint8Array, signal?: AbortSignal): Promise<void> {
  const target = await targetOf(path);
  // Not derived from the file's name, which may already be as long as the system allows.
  const beside = join(dirname(target), `.glassformer-${randomBytes(4).toString("hex")}.tmp`);
  try {
    await writeFile(beside, content, { flag: "wx", ...(signal ? { signal } : {}) });
    const before = await stat(target).catch(() => undefined);
    if (before?.isFile()) await chmod(beside, before.mode & 0o777).catch(() => {});
    signal?.throwIfAborted();
    await rename(beside, target);
  } catch (cause) {
    await rm(beside, { force: true }).catch(() => {});
    signal?.throwIfAborted();
    throw notWritten(path, cause);
  }
}

/**
 * Writes all files of a folder, or none: into a new folder next to where they belong, and only once all are there they get their names. What else is in
 * the folder stays.
 * @throws ArgumentError if it fails
 */
export async function writeFolder(path: string, files: readonly ReportFile[], signal?: AbortSignal): Promise<void> {
  const target = await targetOf(path);
  const exists = (await stat(target).catch(() => undefined))?.isDirectory();
  const beside = join(exists ? target : dirname(target), `.glassformer-${randomBytes(4).toString("hex")}.tmp`);
  try {
    await mkdir(beside);
    for (const { name, content } of files) {
      await writeFile(join(beside, name), content, { flag: "wx", ...(signal ? { signal } : {}) });
    }
    for (const { name } of exists ? files : []) {
      const there = await stat(join(target, name)).catch(() => undefined);
      if (there && !there.isFile()) {
        throw new ArgumentError(
          `${join(path, name)} is not a file, so nothing was written to ${path}: choose another folder.`,
          {
            asked: path,
          },
        );
      }
    }
    signal?.throwIfAborted();
    if (!exists) return await rename(beside, target);
    for (const { name } of files) await rename(join(beside, name), join(target, name));
    await rmdir(beside);
  } catch (cause) {
    await rm(beside, { recursive: true, force: true }).catch(() => {});
    signal?.throwIfAborted();
    throw notWritten(path, cause);
  }
}

/** The error for a file or folder that the system refused to write; any other error as it is. */
function notWritten(path: string, cause: unknown): unknown {
  if (!isSystemError(cause)) return cause;
  return new ArgumentError(
    `${path} could not be written: ${WHY[cause.code ?? ""] ?? cause.message}. No partial file was left behind.`,
    { asked: path, cause },
  );
}

const WHY: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the user's disk quota is used up",
  EACCES: "its folder is not writable",
  EROFS: "its disk is read-only",
  ENOENT: "its folder is gone",
  EISDIR: "it is a folder",
};
