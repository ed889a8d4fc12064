/**
 * A repository of files: what a local folder, a model on the Hugging Face hub and a page's memory have in common.
 * Paths are relative and use `/` on every platform.
 */
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import { FUNCTION, type Kind, OBJECT } from "../tensor/kinds.ts";
import type { Progress } from "../tensor/progress.ts";
import { shown } from "../tensor/show.ts";
import type { ByteSource } from "./bytes.ts";

/** How far a download is, in bytes: of one file where a file is opened, of all of a model's files where a model is loaded, and of the runtime that a page fetches next to them. */
export interface DownloadProgress extends Progress {
  readonly unit: "bytes";
  /** The file that is being downloaded, and the repository that it is in. */
  readonly file: string;
  readonly of: string;
}

/** How much of a file that is to be downloaded is here. */
export interface Pending {
  readonly done: number;
  readonly total: number;
}

/** The options of every call that may take long. */
export interface LoadOptions {
  /** Stops the work; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called while a file is being downloaded; never for files that are already on this machine. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/** The options of every call that may download files. */
export interface FilesOptions extends LoadOptions {
  /** Called with a sentence about each decision made on the user's behalf: which file of several is read, what could not be stored. */
  readonly note?: ((sentence: string) => void) | undefined;
}

/** A repository of files: a local folder, a model on the hub, a record in memory. */
export interface ModelFiles {
  /** What the user called it: a path, `org/name`, or the bundled model's name. */
  readonly name: string;
  /** All paths, sorted. */
  list(options?: FilesOptions): Promise<string[]>;
  /** @throws UnknownNameError if there is no such file. */
  open(path: string, options?: FilesOptions): Promise<ByteSource>;
  /** The file as UTF-8 text. @throws UnknownNameError if there is no such file, FileFormatError if it is not UTF-8. */
  readText(path: string, options?: FilesOptions): Promise<string>;
  /** Which of these paths would have to be downloaded, and how long they are, as far as that is known. Missing where nothing is downloaded. */
  pending?(paths: readonly string[], options?: FilesOptions): Promise<ReadonlyMap<string, Pending>>;
  /** The other revisions of the same repository; undefined where there are none, as of a folder. */
  readonly revisions?: Revisions | undefined;
}

/** Anything with a repository's methods. */
export const MODEL_FILES: Kind = {
  accepts: (v) => OBJECT.accepts(v) && ["list", "open", "readText"].every((f) => FUNCTION.accepts((v as never)[f])),
  describe: "a repository of files, as memoryFiles returns it",
};

/** The revisions of a repository on the hub. */
export interface Revisions {
  /** The names of its branches and tags. */
  list(options?: FilesOptions): Promise<string[]>;
  /** Its files at one of them. */
  at(revision: string): Promise<ModelFiles>;
}

/**
 * The path's parts, if it stays inside the repository.
 * @throws UnknownNameError for an absolute path or one with `..`: a listing from elsewhere must not reach other files.
 */
export function partsInside(path: string, repository: string): string[] {
  const parts = path.split("/");
  if (parts.some((p) => p === "" || p === "." || p === ".." || /[\\\0]/.test(p) || /^[A-Za-z]:/.test(p))) {
    throw new UnknownNameError("file", path, [], `Paths must be relative to ${repository} and stay inside it.`);
  }
  return parts;
}

/** Files at a revision, or as they are without one. @throws ArgumentError for a revision of what is not on the hub, and has none */
export async function filesAt(files: ModelFiles, revision: string | undefined): Promise<ModelFiles> {
  if (revision === undefined) return files;
  if (files.revisions) return files.revisions.at(revision);
  throw new ArgumentError(
    `The option \`revision\` is ${shown(revision)}, but ${shown(files.name)} is not on the hub and has no revisions: leave it out, or name the model by its id on the hub, "org/name".`,
    { asked: revision, found: files.name },
  );
}
