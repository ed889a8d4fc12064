/** Files that a command writes: checked before anything runs, and whole or not there at all. */
import { randomBytes } from "node:crypto";
import { access, chmod, constants, readlink, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { kindOfFile } from "../load/node-file.ts";
import type { ReportFormat } from "../report/render.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { nearest } from "../tensor/nearest.ts";
import { isSystemError } from "./exit.ts";

export interface OutputFile {
  readonly path: string;
  readonly format: ReportFormat;
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
 * @param comes a training's folder, which need not be there yet, and in which its own files are not to be overwritten
 * @param reads the files that the command reads
 * @throws ArgumentError for an ending that is no format, a folder that is not there or cannot be written to, or a file
 * named twice, or read.
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
    const format = FORMAT_OF[extname(path).toLowerCase()];
    if (!format) throw unknownEnding(path, flag);
    if (/[/\\]$/.test(path)) {
      throw new ArgumentError(`${flag} ${path} names a folder: name a file in it.`, { asked: path });
    }
    const target = await placeOf(path);
    if (targets.includes(target)) {
      throw new ArgumentError(`${flag} names ${path} twice: give each file once.`, { asked: path });
    }
    if (read.includes(target)) {
      throw new ArgumentError(`${flag} ${path} is a file that the command reads: give another name.`, { asked: path });
    }
    const within = comes === undefined ? undefined : relative(resolve(comes), resolve(path));
    if (within !== undefined && /^(config\.json$|step-\d+([/\\]|$))/.test(within)) {
      throw new ArgumentError(`${flag} ${path} is where the training keeps its own files: give another name.`, {
        asked: path,
      });
    }
    if (within === undefined || within !== basename(path)) await checkPlace(path, flag);
    files.push({ path, format });
    targets.push(target);
  }
  return files;
}

function unknownEnding(path: string, flag: string): ArgumentError {
  const endings = Object.keys(FORMAT_OF);
  const ending = extname(path);
  const near = ending === "" ? undefined : nearest(ending, endings);
  const found = ending === "" ? "has no ending" : `ends in "${ending}"`;
  return new ArgumentError(
    `${flag} ${path} ${found}, and the ending says what to write: one of ${endings.join(", ")}.` +
      (near ? ` Did you mean "${near}"?` : ""),
    { asked: path, found: endings, nearest: near },
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
  if (!above?.isDirectory()) refuse(`${through} in "${inFolder}", which is no folder: make it first.`);
  const there = await stat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENAMETOOLONG") refuse("has a name that is too long: give a shorter one.");
    return undefined;
  });
  const special = there && kindOfFile(there);
  if (special) refuse(`${through} ${special}: name a file${special === "a folder" ? " in it" : ""}.`);
  await access(folder, constants.W_OK).catch(() =>
    refuse(`${through} in "${inFolder}", where nothing may be written: choose another folder.`),
  );
}

/** Which file a path is, whatever links its folders are; for one whose folder is not there yet, where it would be. */
async function placeOf(path: string): Promise<string> {
  const target = await targetOf(path);
  const folder = await realpath(dirname(target)).catch(() => dirname(target));
  return join(folder, basename(target));
}

/** Where a path leads, through links, also where nothing is there yet. */
async function targetOf(path: string, links = 40): Promise<string> {
  const to = await readlink(path).catch(() => undefined);
  if (to === undefined) return resolve(path);
  if (links === 0) throw new ArgumentError(`${path} is a link that leads back to itself.`, { asked: path });
  return targetOf(resolve(await realpath(dirname(path)), to), links - 1);
}

/**
 * Writes beside and renames, so that a reader sees the old file or the new one. What a link leads to is replaced, not the
 * link; a file that is replaced hands on its permissions.
 * @throws ArgumentError if it fails
 */
export async function writeWhole(path: string, content: string | Uint8Array, signal?: AbortSignal): Promise<void> {
  const target = await targetOf(path);
  // Its length is not the file's: that may be as long as the system allows.
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
    if (!isSystemError(cause)) throw cause;
    throw new ArgumentError(
      `${path} could not be written: ${WHY[cause.code ?? ""] ?? cause.message}. Nothing of it was left behind.`,
      { asked: path, cause },
    );
  }
}

const WHY: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "there is no more room for this user on the disk",
  EACCES: "its folder may not be written to",
  EROFS: "its disk may not be written to",
  ENOENT: "its folder is gone",
  EISDIR: "it is a folder",
};
