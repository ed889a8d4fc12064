/** Runs side by side, each a cell in which features are changed at one place, or at some positions. */
import { Tensor } from "../../graph/tensor.ts";
import type { Model } from "../../lens/model.ts";
import { ndarray } from "../../tensor/array.ts";
import type { OnProgress } from "../../tensor/progress.ts";
import { computeInParts, passBytes } from "../in-parts.ts";

/** A feature at a position, or at several. */
interface FeaturePlace {
  readonly pos: number | readonly number[];
  readonly d_sae: number;
}

/** bool [cell batch pos d_sae]: in each cell one feature at its positions, of features [batch pos d_sae]. */
export function featureCells(places: readonly FeaturePlace[], features: Tensor): Tensor {
  const here = marked(
    places.map(({ pos }) => [pos].flat()),
    features,
    "pos",
  );
  return here.and(
    marked(
      places.map(({ d_sae }) => [d_sae]),
      features,
      "d_sae",
    ),
  );
}

/** bool [cell batch pos …]: in each cell some positions, of a value [batch pos …]. */
export function positionCells(cells: readonly (readonly number[])[], value: Tensor): Tensor {
  return marked(cells, value, "pos");
}

/** Which indices along an axis each cell has; the other axes of the value have size 1. */
function marked(cells: readonly (readonly number[])[], value: Tensor, axis: string): Tensor {
  const along = value.axes.indexOf(axis);
  const width = value.shape[along];
  const data = new Uint8Array(cells.length * width);
  for (const [cell, indices] of cells.entries()) for (const i of indices) data[cell * width + i] = 1;
  const shape = value.shape.map((_, i) => (i === along ? width : 1));
  return Tensor.leaf(ndarray("bool", [cells.length, ...shape], data), ["cell", ...value.axes]);
}

interface EachOptions {
  /** What is counted. */
  readonly unit: string;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: OnProgress | undefined;
}

/**
 * A number for each place, as many side by side as fit in memory.
 * @param numbers of some of the places, [cell]
 */
export async function forEachPlace<Place>(
  model: Model,
  places: readonly Place[],
  numbers: (places: readonly Place[]) => Tensor,
  { unit, signal, onProgress }: EachOptions,
): Promise<Map<Place, number>> {
  if (places.length === 0) return new Map();
  const onDone = (done: number) => onProgress?.({ done, total: places.length, unit });
  const [each] = await computeInParts(model, places.length, (from, to) => [numbers(places.slice(from, to))], {
    signal,
    most: passBytes(model),
    varies: true,
    onDone,
  });
  return new Map(places.map((place, i) => [place, each.data[i]]));
}
