/**
 * The mark of a scan's folder: a file that says which queue its shards are on. A worker that reads it knows that it sees the folder of the machine
 * where the scan was begun, and not one of its own that has the same name.
 */
import { randomBytes } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const MARK = "queue.json";

/** What a folder's mark says; undefined without one. */
export async function markIn(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, MARK), "utf8").catch(() => "");
  return /"queue":"([0-9a-f]{16})"/.exec(text)?.[1];
}

/** Marks a folder, unless it is marked. @returns what the mark says */
export async function marked(folder: string): Promise<string> {
  const path = join(folder, MARK);
  const beside = join(folder, `.${MARK}-${randomBytes(4).toString("hex")}`);
  await writeFile(beside, `{"queue":"${randomBytes(8).toString("hex")}"}\n`);
  // Of two processes that mark a folder at the same time, one does.
  await link(beside, path).catch(() => undefined);
  await rm(beside, { force: true });
  const id = await markIn(folder);
  if (id !== undefined) return id;
  await rm(path, { force: true });
  return marked(folder);
}

export function unmark(folder: string): Promise<void> {
  return rm(join(folder, MARK), { force: true });
}
