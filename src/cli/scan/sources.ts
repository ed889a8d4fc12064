/** The texts of a scan: files, addresses and standard input as sources that can be read in parts, any number of times. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type ByteSource, urlSource } from "../../load/index.ts";
import { fileSource } from "../../load/node.ts";
import { datasetFiles, isDatasetName, openDatasetFile } from "../../load/node-hub-dataset.ts";
import { makeFolder } from "../../load/node-make-folder.ts";
import { unpacked } from "../../load/node-unpacked.ts";
import { ArgumentError } from "../../tensor/errors.ts";
import { slicesOf } from "../../training/data/slices.ts";
import { kindOfTexts, type Slice } from "../../training/data/texts.ts";
import { ScanFolder } from "./folder.ts";

/** A source, and what says on another machine that it is the same. */
export interface ScanSource {
  readonly source: ByteSource;
  readonly name: string;
  readonly size: number;
  /** Of its size and of blocks that are spread over it. */
  readonly sha256: string;
}

/** A part of a source, which one shard has. */
export interface Part {
  readonly sourceIndex: number;
  readonly slice: Slice;
  /** How large it is, for the time that is left. */
  readonly bytes: number;
}

/** The name of standard input once it is saved. */
export const STANDARD_INPUT = "standard-input.txt";
const BLOCK = 2 ** 16;
const BLOCKS = 16;

/** @param out the folder of the scan, in which standard input is saved: it is read more than once */
export async function scanSources(paths: readonly string[], out: string): Promise<ScanSource[]> {
  if (paths.length === 0) {
    throw new ArgumentError("There is nothing to scan: name texts with --data.", { asked: "--data" });
  }
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice !== undefined) {
    throw new ArgumentError(`--data names ${twice} twice, and all of it would count twice: name each source once.`, {
      asked: twice,
    });
  }
  const sources: ScanSource[] = [];
  for (const path of paths) {
    if (isDatasetName(path)) {
      const { source, checksum } = await openDatasetFile(path);
      sources.push({ source, name: path, size: source.size, sha256: checksum });
      continue;
    }
    const file = await opened(path, out);
    kindOfTexts(file.name);
    const source = await unpacked(file);
    sources.push({ source, name: basename(path), size: file.size, sha256: await fingerprint(file) });
  }
  return sources;
}

async function opened(path: string, out: string): Promise<ByteSource> {
  if (/^https?:\/\//i.test(path)) return urlSource(path);
  return fileSource(path === "-" ? await savedInput(out) : path);
}

/** Standard input as a file. A resumed scan has it already, and standard input is not read. */
async function savedInput(out: string): Promise<string> {
  const path = join(out, STANDARD_INPUT);
  if (await stat(path).catch(() => undefined)) return path;
  if (await ScanFolder.isAt(out)) {
    throw new ArgumentError(
      `${out} holds another scan, whose text did not come from standard input: name another folder.`,
      {
        asked: out,
      },
    );
  }
  await makeFolder(out);
  const unfinished = join(out, `.${STANDARD_INPUT}.unfinished`);
  try {
    await pipeline(process.stdin, createWriteStream(unfinished));
    await rename(unfinished, path);
  } catch (cause) {
    await rm(unfinished, { force: true });
    throw new ArgumentError(`Standard input could not be saved in ${out}: ${(cause as Error).message}.`, {
      asked: out,
      cause,
    });
  }
  return path;
}

/** Of a file as it is on disk: its size and sixteen blocks, the first and the last among them. All of it would be read twice otherwise. */
async function fingerprint({ size, read }: ByteSource): Promise<string> {
  const hash = createHash("sha256").update(`${size}`);
  const last = Math.max(0, size - BLOCK);
  for (let block = 0; block < BLOCKS; block++) {
    const from = Math.floor((last * block) / (BLOCKS - 1));
    hash.update(await read(from, Math.min(size, from + BLOCK)));
  }
  return hash.digest("hex");
}

/** The dataset, at its commit, of a file of one; of another source its name. */
export const datasetOf = (name: string): string => /^(hf:\/\/[^/]+\/[^/]+)\//i.exec(name)?.[1] ?? name;

/** The sources with every dataset of the hub as its files. @throws ArgumentError for a split without a dataset */
export async function withDatasets(paths: readonly string[], split: string | undefined): Promise<string[]> {
  if (split !== undefined && !paths.some(isDatasetName)) {
    throw new ArgumentError("--split is for datasets of the hub (hf://org/name): leave it out.", { asked: split });
  }
  const all: string[] = [];
  for (const path of paths) all.push(...(isDatasetName(path) ? await datasetFiles(path, { split }) : [path]));
  return all;
}

/**
 * What each shard has: the same for the same files, sizes, columns and limit.
 * @param limit texts of all sources together
 * @throws ArgumentError for a limit of texts that are not rows of Parquet
 */
export async function partsOf(
  sources: readonly ScanSource[],
  bytes: number,
  column: string,
  limit?: number,
): Promise<Part[]> {
  const parts: Part[] = [];
  let left = limit;
  for (const [sourceIndex, { source }] of sources.entries()) {
    if (left === 0) break;
    if (left !== undefined && kindOfTexts(source.name) !== "parquet") {
      throw new ArgumentError(`--limit counts rows of Parquet, and ${source.name} has none: leave it out.`, {
        asked: limit,
        found: source.name,
      });
    }
    const slices = await slicesOf(source, bytes, { column, most: left });
    if (left !== undefined) left -= slices.reduce((sum, { most = 0 }) => sum + most, 0);
    const units = slices.at(-1)!.to;
    for (const slice of slices) {
      parts.push({ sourceIndex, slice, bytes: ((slice.to - slice.from) / units) * source.size });
    }
  }
  return parts;
}
