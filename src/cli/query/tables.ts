/** The tables of a scan's folder: its Parquet files, and what their columns mean, as `tables.json` says. */
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Table } from "../../finding/table.ts";
import type { ModelScan } from "../../scan/scan.ts";
import { columnsOf } from "../../scan/shard.ts";
import { ArgumentError } from "../../tensor/errors.ts";
import { writeWhole } from "../output-files.ts";

const MEANINGS = "tables.json";

/** What a column means. */
export interface Meaning {
  readonly name: string;
  readonly description: string;
  readonly unit?: string;
}

/** What tables are, and mean, by their names. */
type Meanings = Readonly<Record<string, { readonly description: string; readonly columns: readonly Meaning[] }>>;

/** A table of a folder. */
export interface FolderTable {
  readonly name: string;
  /** What it has a row of; empty if nothing says so. */
  readonly description: string;
  /** Its Parquet files, in order. */
  readonly files: readonly string[];
  readonly meanings: readonly Meaning[];
}

/** Saves what the tables of a scan mean. */
export async function saveMeanings(folder: string, scan: ModelScan, tables: readonly Table[]): Promise<void> {
  const rows = columnsOf(scan).flatMap(({ name, holds, description }): Meaning[] => {
    const own = { name, description };
    return holds === "token" ? [own, { name: `${name}_id`, description: `${description} Its id.` }] : [own];
  });
  const meanings: Meanings = {
    ...(rows.length > 0 && !scan.stored ? { rows: { description: "Every token.", columns: rows } } : {}),
    ...Object.fromEntries(
      tables.map(({ name, title, columns }) => [
        name,
        {
          description: `${title}.`,
          columns: columns.map(({ name, description, unit }) => ({ name, description, ...(unit ? { unit } : {}) })),
        },
      ]),
    ),
  };
  if (Object.keys(meanings).length === 0) return;
  await writeWhole(join(folder, MEANINGS), `${JSON.stringify(meanings, null, 2)}\n`);
}

/** @throws ArgumentError for a folder that is not there, or has no Parquet */
export async function tablesIn(folder: string): Promise<FolderTable[]> {
  const names = await readdir(folder).catch(() => {
    throw new ArgumentError(`${folder} is not a folder: name the folder of a scan.`, { asked: folder });
  });
  const isParquet = (name: string) => name.endsWith(".parquet");
  const meanings = await meaningsIn(folder);
  const table = (name: string, files: readonly string[]): FolderTable => ({
    ...{ name, files, description: meanings[name]?.description ?? "", meanings: meanings[name]?.columns ?? [] },
  });
  const rows = (await readdir(join(folder, "rows")).catch(() => [])).filter(isParquet).sort();
  const tables = [
    ...(rows.length > 0
      ? [
          table(
            "rows",
            rows.map((name) => join(folder, "rows", name)),
          ),
        ]
      : []),
    ...names
      .filter(isParquet)
      .sort()
      .map((name) => table(basename(name, ".parquet"), [join(folder, name)])),
  ];
  if (tables.length > 0) return tables;
  throw new ArgumentError(
    `${folder} has no Parquet files to query: ${names.includes("scan.json") ? "this scan has its tables as CSV in report/." : "name the folder of a scan."}`,
    { asked: folder, found: names.slice(0, 10) },
  );
}

async function meaningsIn(folder: string): Promise<Meanings> {
  const text = await readFile(join(folder, MEANINGS), "utf8").catch(() => undefined);
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Meanings;
  } catch (cause) {
    throw new ArgumentError(`${join(folder, MEANINGS)} is damaged: glassformer merge ${folder} makes it again.`, {
      asked: folder,
      cause,
    });
  }
}
