/** A model's heads as a table: a row for each layer. */
import type { AttentionSpec } from "../../finding/picture.ts";

/** With more heads than this, layers are rows with a number each, and heads have no names of their own. */
const MANY_HEADS = 32;

/** Whether a model's heads are shown as a table: a row for each layer, a column for each head of a layer. */
export function isLayered({ heads, perRow }: AttentionSpec): boolean {
  return perRow !== undefined && heads.length > MANY_HEADS && heads.every(({ name }) => /^L\d+H\d+$/.test(name));
}

/** The layer's and the head's number in "L5H11". */
export function layerAndHead(name: string): [layer: string, head: string] {
  const [, layer, head] = /^L(\d+)H(\d+)$/.exec(name)!;
  return [layer, head];
}
