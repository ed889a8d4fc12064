/** What a scan writes for each token: columns of numbers of one shard, which become a Parquet file. */
import type { SummaryState } from "./summaries/summary.ts";

/** A column of rows. */
export interface RowColumn {
  readonly name: string;
  /** What its numbers are. Of a token's id the file has the token's text. */
  readonly holds: "float" | "integer" | "token";
  /** How many numbers a row has in it. Default: 1. */
  readonly width?: number;
  readonly description: string;
}

/** Where a row is: the columns that every scan's rows have. */
export const PLACE_COLUMNS = [
  { name: "source", holds: "integer", description: "Which source, from 0." },
  { name: "shard", holds: "integer", description: "Which shard, from 0." },
  { name: "text", holds: "integer", description: "Which text of its shard, from 0." },
  { name: "offset", holds: "integer", description: "How many tokens of its text come before its row." },
  { name: "pos", holds: "integer", description: "The token's position in its row; 0 is BOS, where the model has one." },
] as const satisfies readonly RowColumn[];

/** Numbers by column. */
type Numbers = Float32Array | Int32Array;

export class Rows {
  readonly columns: readonly RowColumn[];
  private readonly parts: Record<string, Numbers[]> = {};
  private keys: Float64Array[] = [];

  constructor(columns: readonly RowColumn[]) {
    this.columns = columns;
    for (const { name } of columns) this.parts[name] = [];
  }

  /** @param keys where each row is: they are written in this order @param numbers of each column, `width` for each key */
  add(keys: Float64Array, numbers: Readonly<Record<string, ArrayLike<number>>>): void {
    if (this.columns.length === 0) return;
    this.keys.push(keys);
    for (const { name, holds } of this.columns) {
      this.parts[name].push(holds === "float" ? Float32Array.from(numbers[name]) : Int32Array.from(numbers[name]));
    }
  }

  /** Each column's numbers, in the order of the rows' keys. */
  inOrder(): ReadonlyMap<string, Numbers> {
    const keys = joined(this.keys, Float64Array);
    const order = Int32Array.from(keys.keys()).sort((a, b) => keys[a] - keys[b]);
    return new Map(
      this.columns.map(({ name, holds, width = 1 }) => {
        const all = this.all(name, holds);
        const sorted = holds === "float" ? new Float32Array(all.length) : new Int32Array(all.length);
        order.forEach((from, to) => {
          if (width === 1) sorted[to] = all[from];
          else sorted.set(all.subarray(from * width, (from + 1) * width), to * width);
        });
        return [name, sorted];
      }),
    );
  }

  /** As a summary's state, to take in again: floats as their bits. */
  state(): SummaryState {
    const columns = this.columns.map(({ name, holds }) => {
      const all = this.all(name, holds);
      return [name, new Int32Array(all.buffer, all.byteOffset, all.length)] as const;
    });
    return { keys: joined(this.keys, Float64Array), ...Object.fromEntries(columns) };
  }

  restore(state: SummaryState): void {
    if (this.columns.length === 0) return;
    this.keys.push(state.keys as Float64Array);
    for (const { name, holds } of this.columns) {
      const bits = state[name] as Int32Array;
      this.parts[name].push(holds === "float" ? new Float32Array(bits.buffer, bits.byteOffset, bits.length) : bits);
    }
  }

  private all(name: string, holds: RowColumn["holds"]): Numbers {
    return holds === "float"
      ? joined(this.parts[name] as Float32Array[], Float32Array)
      : joined(this.parts[name] as Int32Array[], Int32Array);
  }
}

function joined<A extends Float32Array | Int32Array | Float64Array>(
  parts: readonly A[],
  type: new (n: number) => A,
): A {
  const all = new type(parts.reduce((n, { length }) => n + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part as never, at);
    at += part.length;
  }
  return all;
}
