/** Which tokens of a batch count: not padding, nor BOS, where activations are often like no others. */
import type { Model } from "../lens/model.ts";
import type { ScanBatch } from "./batches.ts";
import type { TextRow } from "./text-rows.ts";

/** The position of a row's first token that counts. */
export function countedFrom({ text }: Pick<Model, "text">, { ids }: TextRow): number {
  return ids[0] === text?.bosTokenId ? 1 : 0;
}

/** Where they are, [row, pos] each, row by row. */
export function countedPlaces(model: Pick<Model, "text">, { rows }: ScanBatch): [number, number][] {
  return rows.flatMap((row, r) => {
    const from = countedFrom(model, row);
    return Array.from({ length: row.ids.length - from }, (_, i): [number, number] => [r, from + i]);
  });
}
