/** The tokens of a batch that are followed by another in their row: where they are, in the order in which the model's numbers come. */
import { keyOf, type ScanBatch } from "./batches.ts";
import { placeNumbers } from "./context.ts";
import type { RowColumn } from "./rows.ts";
import type { TextRow } from "./text-rows.ts";

/** The columns of a token and of the one that it predicts. */
export const TOKEN_COLUMNS = [
  { name: "token", holds: "token", description: "The token." },
  { name: "next", holds: "token", description: "The token that comes next." },
] as const satisfies readonly RowColumn[];

export class Predictions {
  readonly length: number;
  /** Where each is, as a number. */
  readonly keys: Float64Array;
  /** What rows say of each: `PLACE_COLUMNS` and `TOKEN_COLUMNS`. */
  readonly columns: Readonly<Record<"source" | "shard" | "text" | "offset" | "pos" | "token" | "next", Int32Array>>;
  private readonly batch: ScanBatch;
  private readonly rows: readonly TextRow[];

  constructor(batch: ScanBatch) {
    const count = batch.rows.reduce((n, { ids }) => n + ids.length - 1, 0);
    const numbers = () => new Int32Array(count);
    const rows: TextRow[] = [];
    const columns = {
      ...{ source: numbers().fill(batch.source), shard: numbers().fill(batch.shard), text: numbers() },
      ...{ offset: numbers(), pos: numbers(), token: numbers(), next: numbers() },
    };
    this.keys = new Float64Array(count);
    for (const row of batch.rows) {
      for (let pos = 0; pos + 1 < row.ids.length; pos++) {
        const i = rows.push(row) - 1;
        this.keys[i] = keyOf(batch, row, pos);
        columns.text[i] = row.text;
        columns.offset[i] = row.offset;
        columns.pos[i] = pos;
        columns.token[i] = row.ids[pos];
        columns.next[i] = row.ids[pos + 1];
      }
    }
    this.length = count;
    this.columns = columns;
    this.batch = batch;
    this.rows = rows;
  }

  /** The place of one of them with what stands before it, for a summary to remember. */
  place(i: number): Int32Array {
    return placeNumbers(this.batch, this.rows[i], this.columns.pos[i]);
  }
}
