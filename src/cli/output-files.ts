/** Files that a command writes: checked before anything runs, and whole or not there at all. */
import { randomBytes } from "node:crypto";
import { access, constants, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
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
 * @throws ArgumentError for an ending that is no format, a folder that is not there or cannot be written to, or a file
 * named twice.
 */
export async function outputFiles(
  paths: readonly string[],
  flag = "--out",
  comes?: string,
): Promise<readonly OutputFile[]> {
  const files: OutputFile[] = [];
  for (const path of paths) {
    const format = FORMAT_OF[extname(path).toLowerCase()];
    if (!format) throw unknownEnding(path, flag);
    if (files.some((other) => resolve(other.path) === resolve(path))) {
      throw new ArgumentError(`${flag} names ${path} twice: give each file once.`, { asked: path });
    }
    const within = comes === undefined ? undefined : relative(resolve(comes), resolve(path));
    if (within !== undefined && /^(config\.json$|step-\d+([/\\]|$))/.test(within)) {
      throw new ArgumentError(`${flag} ${path} is where the training keeps its own files: give another name.`, {
        asked: path,
      });
    }
    if (within === undefined || within !== basename(path)) await checkPlace(path, flag);
    files.push({ path, format });
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
  const folder = dirname(path);
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new ArgumentError(`${flag} ${path} is in "${folder}", which is no folder: make it first.`, { asked: path });
  }
  if ((await stat(path).catch(() => undefined))?.isDirectory()) {
    throw new ArgumentError(`${flag} ${path} is a folder: name a file in it.`, { asked: path });
  }
  await access(folder, constants.W_OK).catch(() => {
    throw new ArgumentError(`${flag} ${path} is in "${folder}", where nothing may be written: choose another folder.`, {
      asked: path,
    });
  });
}

/** Writes beside and renames, so that a reader sees the old file or the new one. @throws ArgumentError if it fails. */
export async function writeWhole(path: string, content: string | Uint8Array, signal?: AbortSignal): Promise<void> {
  const beside = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}.tmp`);
  try {
    await writeFile(beside, content, { flag: "wx", ...(signal ? { signal } : {}) });
    signal?.throwIfAborted();
    await rename(beside, path);
  } catch (cause) {
    await rm(beside, { force: true }).catch(() => {});
    signal?.throwIfAborted();
    if (!isSystemError(cause)) throw cause;
    const why = cause.code === "ENOSPC" ? "the disk is full" : cause.message;
    throw new ArgumentError(`${path} could not be written: ${why}. Nothing of it was left behind.`, {
      asked: path,
      cause,
    });
  }
}
