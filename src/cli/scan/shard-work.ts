/** A shard from its text to its files, or the rest of one that was stopped. */
import type { Model } from "../../lens/model.ts";
import type { ByteSource } from "../../load/bytes.ts";
import type { ModelScan } from "../../scan/scan.ts";
import { runShard, SEEN, type ShardState } from "../../scan/shard.ts";
import type { Counts } from "../../scan/summaries/counts.ts";
import type { ScanFolder } from "./folder.ts";
import { TokenTexts } from "./parquet.ts";
import { rowsFile } from "./row-files.ts";
import type { Part } from "./sources.ts";

/** What shards are done with. */
export interface ShardWork {
  readonly folder: ScanFolder;
  readonly model: Model;
  readonly scan: ModelScan;
  /** The texts, each by its source's number. */
  readonly source: (index: number) => ByteSource;
}

/** Does shards, one after the other. */
export class ShardWorker {
  private readonly work: ShardWork;
  private readonly tokens: TokenTexts;

  constructor(work: ShardWork) {
    this.work = work;
    this.tokens = new TokenTexts(work.model);
  }

  /**
   * @param signal stops it after the batch that runs; what is done by then is saved
   * @param onProgress how many of the shard's tokens were done here
   * @param beforeSaving may refuse, by an error
   * @returns whether the shard is complete, and how many of its tokens were done here
   */
  async do(
    shard: number,
    part: Part,
    {
      signal,
      onProgress,
      beforeSaving,
    }: {
      readonly signal: AbortSignal;
      readonly onProgress?: (tokens: number) => void;
      readonly beforeSaving?: () => Promise<void>;
    },
  ): Promise<{ readonly done: boolean; readonly tokens: number }> {
    const { folder, model, scan, source } = this.work;
    const { column, maxLength, batchTokens } = folder.settings;
    const from = await folder.part(shard, scan);
    const before = tokensIn(from);
    const task = { shard, ...part, source: source(part.sourceIndex), column, maxLength, batchTokens };
    const { state, done } = await runShard(model, scan, task, {
      ...{ from, signal },
      onProgress: ({ tokens }) => onProgress?.(tokens - before),
    });
    await beforeSaving?.();
    if (done) {
      const rows = scan.columns.length > 0 ? await rowsFile(scan, state.rows, this.tokens) : undefined;
      await folder.save(shard, state, rows);
    } else await folder.savePart(shard, state);
    return { done, tokens: tokensIn(state) - before };
  }
}

function tokensIn(state: ShardState | undefined): number {
  return state ? (state.summaries.seen as unknown as Counts).values[SEEN.tokens] : 0;
}
