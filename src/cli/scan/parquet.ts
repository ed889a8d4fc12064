/** The rows of a shard as a Parquet file. */
import type { ColumnSource } from "hyparquet-writer";
import type { Table } from "../../finding/table.ts";
import type { Model } from "../../lens/model.ts";
import { tokenText } from "../../measures/prompt.ts";
import type { Rows } from "../../scan/rows.ts";

/** Texts of tokens, each looked up once. */
export class TokenTexts {
  private readonly model: Model;
  private readonly known = new Map<number, string>();

  constructor(model: Model) {
    this.model = model;
  }

  of(id: number): string {
    let text = this.known.get(id);
    if (text === undefined) this.known.set(id, (text = tokenText(this.model, id)));
    return text;
  }
}

/** A table as a Parquet file: whole numbers as integers, other numbers as doubles. */
export async function parquetOfTable({ columns }: Table): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const columnData = columns.map(({ name, values }): ColumnSource => {
    const data = [...values];
    if (data.some((value) => typeof value === "string")) return { name, data: data as string[], type: "STRING" };
    return { name, data: data as number[], type: data.every(Number.isInteger) ? "INT32" : "DOUBLE" };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

/** A token's column has its text, and another one its id. */
export async function parquetOf(rows: Rows, tokens: TokenTexts): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const numbers = rows.inOrder();
  const columnData = rows.columns.flatMap(({ name, holds }): ColumnSource[] => {
    const data = numbers.get(name)!;
    if (holds === "float") return [{ name, data: data as Float32Array, type: "FLOAT" }];
    if (holds === "integer") return [{ name, data: data as Int32Array, type: "INT32" }];
    return [
      { name, data: Array.from(data, (id) => tokens.of(id)), type: "STRING" },
      { name: `${name}_id`, data: data as Int32Array, type: "INT32" },
    ];
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}
