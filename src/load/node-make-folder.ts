/** Folders made where they are missing. */
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Makes a folder, and those above it that are missing. Node's own way (`recursive`) goes on for ever where a system says
 * that there is no such folder of one that is there and takes no others, as Linux's /proc.
 * @returns the first that was made, if any was
 */
export async function makeFolder(folder: string): Promise<string | undefined> {
  const path = resolve(folder);
  const make = () =>
    mkdir(path).then(
      () => path,
      async (error: NodeJS.ErrnoException) => {
        if (error.code === "EEXIST" && (await isFolder(path))) return undefined;
        throw error;
      },
    );
  try {
    return await make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    // Where the folder above is there, another process made it just now, or it takes none: the second try tells.
    const first = (await isFolder(dirname(path))) ? undefined : await makeFolder(dirname(path));
    const own = await make();
    return first ?? own;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
