/** Rows in batches: as many of about the same length as a number of tokens allows, so that little of a batch is padding. */
import type { Model } from "../lens/model.ts";
import { batchOfRows, type RowsBatch } from "../measures/diffuse-mlp/prompts.ts";
import type { TextRow } from "./text-rows.ts";

/** Rows that run together. */
export interface ScanBatch extends RowsBatch {
  readonly rows: readonly TextRow[];
  /** Its number in its shard, from 0. */
  readonly number: number;
  /** Where it is: the shard's number, and that of its source. */
  readonly shard: number;
  readonly source: number;
}

/** This many batches are sorted by length together. */
const TOGETHER = 32;

/** Groups of rows that run together, the same for the same rows. @param mostTokens of a group, padding included */
export async function* groupsOfRows(rows: AsyncIterable<TextRow>, mostTokens: number): AsyncGenerator<TextRow[]> {
  let pool: TextRow[] = [];
  let tokens = 0;
  for await (const row of rows) {
    pool.push(row);
    tokens += row.ids.length;
    if (tokens < TOGETHER * mostTokens) continue;
    yield* packed(pool, mostTokens);
    [pool, tokens] = [[], 0];
  }
  yield* packed(pool, mostTokens);
}

function packed(pool: TextRow[], mostTokens: number): TextRow[][] {
  // The longest first; of the same length as they came.
  const sorted = pool.sort((a, b) => b.ids.length - a.ids.length || a.at - b.at);
  const groups: TextRow[][] = [];
  for (const row of sorted) {
    const group = groups.at(-1);
    if (group && (group.length + 1) * group[0].ids.length <= mostTokens) group.push(row);
    else groups.push([row]);
  }
  return groups;
}

/** A group as the model reads it. */
export function scanBatch(
  model: Model,
  rows: readonly TextRow[],
  where: Pick<ScanBatch, "number" | "shard" | "source">,
): ScanBatch {
  return {
    ...where,
    rows,
    ...batchOfRows(
      model,
      rows.map(({ ids }) => ids),
    ),
  };
}

/** Shards have fewer tokens than this. */
const MOST_IN_SHARD = 2 ** 32;

/** A number that says where a token is: of all tokens of a scan no two have the same. It is exact for 2^21 shards. */
export function keyOf({ shard }: Pick<ScanBatch, "shard">, row: TextRow, pos: number): number {
  return shard * MOST_IN_SHARD + row.at + pos;
}
