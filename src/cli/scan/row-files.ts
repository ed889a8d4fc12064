/** The rows of a shard as a file: Parquet, or safetensors where a row has many numbers. */
import { writeSafetensors } from "../../load/safetensors-write.ts";
import type { Rows } from "../../scan/rows.ts";
import type { ModelScan } from "../../scan/scan.ts";
import { type NDArray, ndarray } from "../../tensor/array.ts";
import { parquetOf, type TokenTexts } from "./parquet.ts";

export async function rowsFile({ stored }: ModelScan, rows: Rows, tokens: TokenTexts): Promise<Uint8Array> {
  if (!stored) return parquetOf(rows, tokens);
  const shapes = new Map(stored.points.map(({ name, shape }) => [name, shape]));
  const arrays = new Map<string, NDArray>();
  for (const [name, data] of rows.inOrder()) {
    const shape = shapes.get(name) ?? [];
    const count = data.length / shape.reduce((a, b) => a * b, 1);
    arrays.set(
      name,
      data instanceof Float32Array ? ndarray("float32", [count, ...shape], data) : ndarray("int32", [count], data),
    );
  }
  return writeSafetensors(arrays, {}, { dtype: stored.dtype });
}
