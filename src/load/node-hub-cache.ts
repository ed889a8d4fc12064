/**
 * The hub's cache on disk, in the layout of Python's `huggingface_hub`, so that both share it:
 *
 *     models--org--name/refs/main              the commit that "main" was, as text
 *     models--org--name/blobs/ETAG             a file's bytes, named by their checksum
 *     models--org--name/snapshots/COMMIT/PATH  a symbolic link to the blob, or a copy where links are not allowed
 */
import { randomBytes } from "node:crypto";
import { copyFile, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { isFile, listFiles } from "./node-folder.ts";
import { makeFolder } from "./node-make-folder.ts";

export class HubCache {
  /** The model's own folder. */
  readonly folder: string;

  constructor(cacheDir: string, id: string) {
    this.folder = join(cacheDir, `models--${id.replaceAll("/", "--")}`);
  }

  blob(etag: string): string {
    return join(this.folder, "blobs", etag);
  }

  snapshot(commit: string, ...parts: string[]): string {
    return join(this.folder, "snapshots", commit, ...parts);
  }

  /** The last known commit of a revision, if the cache has files of it. */
  async commitOf(revision: string): Promise<string | undefined> {
    const ref = await readFile(join(this.folder, "refs", ...revision.split("/")), "utf8").catch(() => revision);
    const commit = ref.trim();
    if (!/^[0-9a-f]{40}$/.test(commit)) return undefined;
    const folder = await stat(this.snapshot(commit)).catch(() => undefined);
    return folder?.isDirectory() ? commit : undefined;
  }

  listSnapshot(commit: string): Promise<string[]> {
    return listFiles(this.snapshot(commit));
  }

  /** Records the commit of a revision. */
  async writeRef(revision: string, commit: string): Promise<void> {
    if (revision === commit) return;
    const ref = join(this.folder, "refs", ...revision.split("/"));
    if ((await readFile(ref, "utf8").catch(() => "")) === commit) return;
    await makeFolder(dirname(ref));
    await beside(ref, (path) => writeFile(path, commit));
  }

  /** Puts a blob into a snapshot. */
  async link(commit: string, parts: string[], etag: string): Promise<void> {
    const pointer = this.snapshot(commit, ...parts);
    if (await isFile(pointer)) return;
    await makeFolder(dirname(pointer));
    const target = relative(dirname(pointer), this.blob(etag));
    await beside(pointer, async (path) => {
      // Windows lets only some users create links; otherwise, as in Python, the snapshot contains the bytes themselves.
      await symlink(target, path).catch(() => copyFile(this.blob(etag), path));
    });
  }
}

/** Writes to a temporary name, then renames: a reader sees the file whole or not at all. */
async function beside(path: string, write: (path: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    await write(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
