/**
 * The folder of a scan: `scan.json` says what it is, `shards/` has a file of summaries for each shard that is done, `rows/` its rows. A file gets
 * its name when all of it is there, so whatever has its name is complete; two processes that do the same shard write the same bytes.
 */
import { access, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseJsonObject } from "../../load/bytes.ts";
import { makeFolder } from "../../load/node-make-folder.ts";
import { SCANS } from "../../scan/index.ts";
import type { ModelScan } from "../../scan/scan.ts";
import { emptyShard, type ShardState } from "../../scan/shard.ts";
import { addShard, shardBytes } from "../../scan/shard-file.ts";
import { ArgumentError, FileFormatError } from "../../tensor/errors.ts";
import { writeWhole } from "../output-files.ts";
import { hashOf, needSame, type ScanSettings } from "./settings.ts";

const SETTINGS = "scan.json";
const SHARDS = "shards";
const ROWS = { folder: "rows", extension: "parquet" };

const numbered = (shard: number) => `${shard}`.padStart(6, "0");

export class ScanFolder {
  readonly path: string;
  readonly settings: ScanSettings;
  private readonly hash: Int32Array;

  private constructor(path: string, settings: ScanSettings) {
    this.path = path;
    this.settings = settings;
    this.hash = hashOf(settings);
  }

  /**
   * A folder for a scan: a new or empty one, or one that holds the same scan.
   * @throws ArgumentError for one that holds another scan, or something else
   */
  static async of(path: string, settings: ScanSettings): Promise<ScanFolder> {
    const there = await settingsIn(path);
    if (there) needSame(path, there, settings);
    else await refuseForeign(path);
    return new ScanFolder(path, settings);
  }

  /** The same for the same scan, wherever it is. */
  get id(): string {
    return Buffer.from(this.hash.buffer).toString("hex");
  }

  /** Whether a folder holds a scan already. @throws ArgumentError if it holds something else */
  static async isAt(path: string): Promise<boolean> {
    if (await settingsIn(path)) return true;
    await refuseForeign(path);
    return false;
  }

  /** A folder that holds a scan. @throws ArgumentError if it does not */
  static async at(path: string): Promise<ScanFolder> {
    const there = await settingsIn(path);
    if (there) return new ScanFolder(path, there);
    throw new ArgumentError(`${path} holds no scan: it has no ${SETTINGS}.`, { asked: path });
  }

  /** Makes what is not there yet: once there is something to save. */
  async begin(): Promise<void> {
    await makeFolder(join(this.path, SHARDS));
    if (!(await settingsIn(this.path))) {
      await writeWhole(join(this.path, SETTINGS), `${JSON.stringify(this.settings, null, 2)}\n`);
    }
  }

  /** The shards that are done. */
  async done(): Promise<ReadonlySet<number>> {
    const names = await readdir(join(this.path, SHARDS)).catch(() => []);
    return new Set(names.flatMap((name) => (/^\d+\.safetensors$/.test(name) ? [Number.parseInt(name, 10)] : [])));
  }

  /** Whether a shard is done. */
  has(shard: number): Promise<boolean> {
    return access(this.shardFile(shard)).then(
      () => true,
      () => false,
    );
  }

  /** Removes what killed processes have left, once all shards are done. */
  async sweep(): Promise<void> {
    for (const folder of ["", SHARDS, this.rowFiles.folder].map((name) => join(this.path, name))) {
      const names = await readdir(folder).catch(() => []);
      const left = names.filter((name) => /^\.glassformer-[0-9a-f]+\.tmp$|^\d+\.part$/.test(name));
      for (const name of left) await rm(join(folder, name), { recursive: true, force: true });
    }
  }

  shardFile(shard: number): string {
    return join(this.path, SHARDS, `${numbered(shard)}.safetensors`);
  }

  /** Where the scan has its rows. */
  private get rowFiles(): typeof ROWS {
    return SCANS.find(({ name }) => name === this.settings.scan)?.files ?? ROWS;
  }

  rowsFile(shard: number): string {
    const { folder, extension } = this.rowFiles;
    return join(this.path, folder, `${numbered(shard)}.${extension}`);
  }

  private partFile(shard: number): string {
    return join(this.path, SHARDS, `${numbered(shard)}.part`);
  }

  /** @param rows as a file, if the scan has rows */
  async save(shard: number, state: ShardState, rows: Uint8Array | undefined): Promise<void> {
    await this.begin();
    if (rows) {
      await makeFolder(join(this.path, this.rowFiles.folder));
      await writeWhole(this.rowsFile(shard), rows);
    }
    await writeWhole(this.shardFile(shard), shardBytes(state, this.hash, { rows: false }));
    await rm(this.partFile(shard), { force: true });
  }

  /** Saves a shard of which some is done. */
  async savePart(shard: number, state: ShardState): Promise<void> {
    await this.begin();
    await writeWhole(this.partFile(shard), shardBytes(state, this.hash, { rows: true }));
  }

  /** What was done of a shard before it was stopped. */
  async part(shard: number, scan: ModelScan): Promise<ShardState | undefined> {
    const path = this.partFile(shard);
    const bytes = await readFile(path).catch(() => undefined);
    return bytes && addShard(path, bytes, this.hash, emptyShard(scan));
  }

  /** Everything that these shards have seen. @throws FileFormatError for one that is damaged */
  async merged(shards: Iterable<number>, scan: ModelScan): Promise<ShardState> {
    let all = emptyShard(scan);
    for (const shard of shards) {
      const path = this.shardFile(shard);
      all = await addShard(path, await readFile(path), this.hash, all);
    }
    return all;
  }

  /** Saves what all shards have seen together. */
  saveSummary(state: ShardState): Promise<void> {
    return writeWhole(join(this.path, "summary.safetensors"), shardBytes(state, this.hash, { rows: false }));
  }

  /** Takes in a shard of another folder of the same scan. */
  async take(shard: number, from: ScanFolder, scan: ModelScan): Promise<void> {
    const bytes = await readFile(from.shardFile(shard));
    await addShard(from.shardFile(shard), bytes, this.hash, emptyShard(scan));
    await this.begin();
    const rows = await readFile(from.rowsFile(shard)).catch(() => undefined);
    if (rows) {
      await makeFolder(join(this.path, this.rowFiles.folder));
      await writeWhole(this.rowsFile(shard), rows);
    }
    await writeWhole(this.shardFile(shard), bytes);
  }
}

async function settingsIn(path: string): Promise<ScanSettings | undefined> {
  const file = join(path, SETTINGS);
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const found = parseJsonObject(text, file) as unknown as ScanSettings;
  if (typeof found.scan === "string" && Array.isArray(found.data) && Number.isSafeInteger(found.shards)) return found;
  throw new FileFormatError(`${file} does not say what the folder holds: name another folder.`, { asked: file });
}

/** @throws ArgumentError for something other than a folder, or a folder with files of something else */
async function refuseForeign(path: string): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (!there) return;
  if (!there.isDirectory()) throw new ArgumentError(`${path} is a file, not a folder: name another.`, { asked: path });
  const names = (await readdir(path)).filter((name) => !name.includes("standard-input.txt"));
  if (names.length === 0) return;
  throw new ArgumentError(
    `${path} holds no scan, but other files (${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}): name a new folder.`,
    { asked: path, found: names.length },
  );
}
