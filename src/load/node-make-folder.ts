/** Creates missing folders. */
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Creates a folder and its missing parents. Node's own way (`recursive`) loops forever if a system says
 * that an existing folder in which none can be created does not exist, as Linux does in /proc.
 * @returns the first that was created, if any
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
    // If the parent exists, either another process has just created it or it accepts no folders: the second try shows which.
    const first = (await isFolder(dirname(path))) ? undefined : await makeFolder(dirname(path));
    const own = await make();
    return first ?? own;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
