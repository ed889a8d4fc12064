/** Whether a disk has room for what a scan saves of every token. */
import { stat, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { ArgumentError } from "../../tensor/errors.ts";
import type { Part } from "./sources.ts";

/** About how many bytes of text make a token. */
const BYTES_PER_TOKEN = 4;

/** @param perToken bytes @throws ArgumentError if these parts will need more than is free where a folder is to be */
export async function needDisk(folder: string, parts: readonly Part[], perToken: number): Promise<void> {
  const tokens = parts.reduce((sum, { bytes }) => sum + bytes, 0) / BYTES_PER_TOKEN;
  const needed = tokens * perToken;
  const { bavail, bsize } = await statfs(await thereAt(resolve(folder)));
  const free = bavail * bsize;
  if (needed <= free) return;
  throw new ArgumentError(
    `The activations need about ${gigabytes(needed)} (${Math.round(tokens).toLocaleString("en")} tokens of ${perToken} bytes), but the disk of ${folder} has ${gigabytes(free)} free: name fewer hook points (--at), save them as float16 (--store), or scan less text.`,
    { asked: needed, found: free },
  );
}

/** A folder, or the nearest above it that exists. */
async function thereAt(path: string): Promise<string> {
  if (await stat(path).catch(() => undefined)) return path;
  return dirname(path) === path ? path : thereAt(dirname(path));
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
