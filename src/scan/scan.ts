/** A scan: one question about a model, asked of every token of a corpus. */
import type { Finding } from "../finding/finding.ts";
import type { Table } from "../finding/table.ts";
import type { Model } from "../lens/model.ts";
import { topOption } from "../measures/options.ts";
import type { OptionRecords } from "../options/records.ts";
import type { Settled } from "../options/settle.ts";
import type { ScanBatch } from "./batches.ts";
import type { Point } from "./points.ts";
import type { RowColumn, Rows } from "./rows.ts";
import type { Summary } from "./summaries/summary.ts";

/** Summaries by name. */
export type Summaries = Readonly<Record<string, AnySummary>>;
/** A summary whose own type is not known. */
export type AnySummary = Summary<AnySummary>;

/** A scan with one model and its options. `S` is what it remembers of everything it has seen. */
export interface ModelScan<S = Summaries> {
  /** The most tokens in a batch: more would need too much memory. */
  readonly mostTokens: number;
  /** What it writes for each token; none if it writes summaries alone. */
  readonly columns: readonly RowColumn[];
  /** Its summaries with nothing in them. */
  empty(): S;
  /** Runs the model on a batch, and adds what it sees. The result depends on the batch alone. */
  measure(batch: ScanBatch, into: S, rows: Rows): Promise<void>;
  /** What the summaries say. */
  finding(summaries: S, about: ScanAbout): Finding;
  /** Tables that are too long for a finding: each becomes a Parquet file of its name. */
  tables?(summaries: S): readonly Table[];
  /** How its columns are saved, if they are not Parquet. */
  readonly stored?: StoredColumns;
  /** The most text in a shard, in MB, where its rows would need too much memory. */
  readonly mostShardMB?: number;
  /** What else other programs read. */
  files?(summaries: S): readonly ScanFile[];
}

/** Rows with many numbers each. */
export interface StoredColumns {
  readonly dtype: "F32" | "F16";
  /** The columns that hold hook points. */
  readonly points: readonly Point[];
}

/** A file in a scan's folder. */
export interface ScanFile {
  readonly name: string;
  /** What it has, in a few words. */
  readonly title: string;
  readonly content: Uint8Array;
}

/** What was scanned. */
export interface ScanAbout {
  readonly texts: number;
  /** Texts that were left out: they are too short to predict a token from another. */
  readonly skipped: number;
  /** Tokens of all rows, and rows. */
  readonly tokens: number;
  readonly rows: number;
  /** For the finding's settings. */
  readonly settings: Finding["settings"];
}

/** What is to be scanned. */
export interface Corpus {
  /** Its sources, by their names. */
  readonly sources: readonly string[];
  /** The most tokens in a row. */
  readonly maxLength: number;
}

/** A scan as it is listed. */
export interface Scan {
  readonly name: string;
  readonly question: string;
  readonly description: string;
  readonly options: OptionRecords;
  /** Where its rows are, if they are not Parquet files in `rows/`. */
  readonly files?: { readonly folder: string; readonly extension: string };
  /** @throws ArgumentError for a model that cannot be asked this */
  on(model: Model, options: Readonly<Record<string, unknown>>, corpus: Corpus): ModelScan;
}

/** The most tokens in a batch whose widest values have this many numbers for each: no value has more than 128 MB. */
export function mostTokensFor(...widths: readonly number[]): number {
  return Math.max(16, Math.floor(2 ** 25 / Math.max(...widths)));
}

/** How much a finding lists. */
export const TOP = { ...topOption("tokens or neurons"), default: 20 } as const;

/** A scan with the types of its options and summaries inferred. */
export function scan<const O extends OptionRecords, S>(
  record: Omit<Scan, "options" | "on"> & {
    readonly options: O;
    on(model: Model, options: Settled<O>, corpus: Corpus): ModelScan<S>;
  },
): Scan {
  return record as unknown as Scan;
}
