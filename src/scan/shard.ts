/** The work of one shard: a part of a source to summaries and rows, the same on every machine and whenever it is done. */

import type { Model } from "../lens/model.ts";
import { needText } from "../lens/tokens.ts";
import type { ByteSource } from "../load/bytes.ts";
import { sliceTexts } from "../training/data/slices.ts";
import type { Slice } from "../training/data/texts.ts";
import { groupsOfRows, scanBatch } from "./batches.ts";
import { PLACE_COLUMNS, type RowColumn, Rows } from "./rows.ts";
import type { AnySummary, ModelScan, Summaries } from "./scan.ts";
import { Counts } from "./summaries/counts.ts";
import { rowsOfTexts } from "./text-rows.ts";

/** A part of the text, and how it is read. */
export interface ShardTask {
  readonly shard: number;
  readonly source: ByteSource;
  /** The source's number. */
  readonly sourceIndex: number;
  readonly slice: Slice;
  readonly column: string;
  /** Tokens per row, and per batch, at most. */
  readonly maxLength: number;
  readonly batchTokens: number;
}

/** Everything that was seen so far. */
export interface ShardState {
  /** `SEEN` and the scan's own. */
  readonly summaries: Summaries;
  readonly rows: Rows;
  /** How many batches are in it. */
  readonly batches: number;
}

/** What `seen` counts, by index. */
export const SEEN = { texts: 0, skipped: 1, rows: 2, tokens: 3 } as const;

/** A shard of which nothing is done. */
export function emptyShard(scan: ModelScan): ShardState {
  const seen = new Counts(Object.keys(SEEN).length) as unknown as AnySummary;
  return { summaries: { ...scan.empty(), seen }, rows: new Rows(columnsOf(scan)), batches: 0 };
}

/** The columns of a scan's rows; none if it has no rows. */
export function columnsOf({ columns }: ModelScan): readonly RowColumn[] {
  return columns.length === 0 ? [] : [...PLACE_COLUMNS, ...columns];
}

/** What is reported after each batch. */
export interface ShardProgress {
  /** Tokens of the shard that are done. */
  readonly tokens: number;
}

/**
 * Does a shard, or the rest of one.
 * @param from what is done already
 * @param signal stops it after the batch that runs
 * @returns what is done, and whether that is all
 */
export async function runShard(
  model: Model,
  scan: ModelScan,
  task: ShardTask,
  {
    from = emptyShard(scan),
    signal,
    onProgress,
  }: {
    readonly from?: ShardState | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((progress: ShardProgress) => void) | undefined;
  } = {},
): Promise<{ readonly state: ShardState; readonly done: boolean }> {
  const { summaries, rows } = from;
  const seen = summaries.seen as unknown as Counts;
  const { shard, source, sourceIndex, slice, column, maxLength, batchTokens } = task;
  const read = { texts: 0, skipped: 0 };
  const textRows = rowsOfTexts(sliceTexts(source, slice, { column }), needText(model), maxLength, read);
  let number = 0;
  for await (const group of groupsOfRows(textRows, batchTokens)) {
    if (number++ < from.batches) continue;
    if (signal?.aborted) return { state: { summaries, rows, batches: number - 1 }, done: false };
    await scan.measure(scanBatch(model, group, { number: number - 1, shard, source: sourceIndex }), summaries, rows);
    seen.add(SEEN.rows, group.length);
    seen.add(
      SEEN.tokens,
      group.reduce((n, { ids }) => n + ids.length, 0),
    );
    onProgress?.({ tokens: seen.values[SEEN.tokens] });
  }
  seen.add(SEEN.texts, read.texts);
  seen.add(SEEN.skipped, read.skipped);
  return { state: { summaries, rows, batches: number }, done: true };
}
