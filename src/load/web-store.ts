/**
 * Where a page stores blobs between visits, by folder and name: the origin private file system, or Cache Storage in a browser that
 * cannot write to that (Safari before 26). Neither exists on a page that is neither on https nor on localhost, and a private window may refuse both.
 */

/** Named blobs in folders. Each is written whole or not at all. */
export interface BlobStore {
  folders(): Promise<string[]>;
  read(folder: string, name: string): Promise<Blob | undefined>;
  /** @throws DOMException, with the name QuotaExceededError if there is no room */
  write(folder: string, name: string, pieces: readonly Uint8Array<ArrayBuffer>[]): Promise<void>;
  /** Removes a folder with everything in it, if there is one. */
  remove(folder: string): Promise<void>;
}

/** The store of this name, which is made if necessary; undefined for `false`, and where the browser has none. */
export async function openStore(name: string | false): Promise<BlobStore | undefined> {
  if (name === false) return undefined;
  return (await openFolder(name)) ?? (await openCache(name));
}

/** Where there is no room for a longer piece, or for a blob, Chromium 156 may fail with another error than QuotaExceededError. */
const PIECE = 1 << 16;

/** @returns undefined where there is no file system, or no way to write to it both in a page and in a worker */
async function openFolder(name: string): Promise<BlobStore | undefined> {
  if (!("createWritable" in (globalThis.FileSystemFileHandle?.prototype ?? {}))) return undefined;
  const root = await globalThis.navigator?.storage?.getDirectory?.().catch(() => undefined);
  const all = await root?.getDirectoryHandle(name, { create: true }).catch(() => undefined);
  if (!all) return undefined;
  return {
    async folders() {
      const names: string[] = [];
      for await (const handle of entriesOf(all)) if (handle.kind === "directory") names.push(handle.name);
      return names;
    },
    async read(folder, file) {
      const at = await ifThere(all.getDirectoryHandle(folder));
      const handle = at && (await ifThere(at.getFileHandle(file)));
      return handle && ifThere(handle.getFile());
    },
    async write(folder, file, pieces) {
      const at = await all.getDirectoryHandle(folder, { create: true });
      const stream = await (await at.getFileHandle(file, { create: true })).createWritable();
      try {
        for (const piece of pieces) {
          for (let at = 0; at < piece.length; at += PIECE) await stream.write(piece.subarray(at, at + PIECE));
        }
        await stream.close();
      } catch (error) {
        await stream.abort().catch(() => {});
        throw error;
      }
    },
    remove: async (folder) => ifThere(all.removeEntry(folder, { recursive: true })),
  };
}

/** TypeScript's library of pages has no iteration over a folder. */
export function entriesOf(folder: FileSystemDirectoryHandle): AsyncIterable<FileSystemHandle> {
  return (folder as unknown as { values(): AsyncIterable<FileSystemHandle> }).values();
}

/** What is there, or undefined if it is not. */
async function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  return asked.catch((error) => {
    if (error?.name === "NotFoundError") return undefined;
    throw error;
  });
}

/** Cache Storage has answers by URL: here the paths of blobs, which no server is asked for. */
async function openCache(name: string): Promise<BlobStore | undefined> {
  const cache = await globalThis.caches?.open(name).catch(() => undefined);
  if (!cache) return undefined;
  const urlOf = (folder: string, file: string) => `/${name}/${folder}/${file}`;
  const folderOf = ({ url }: Request) => new URL(url).pathname.split("/").at(-2)!;
  return {
    folders: async () => [...new Set((await cache.keys()).map(folderOf))],
    read: async (folder, file) => (await cache.match(urlOf(folder, file)))?.blob(),
    write: (folder, file, pieces) => cache.put(urlOf(folder, file), new Response(new Blob([...pieces]))),
    async remove(folder) {
      for (const request of await cache.keys()) if (folderOf(request) === folder) await cache.delete(request);
    },
  };
}
