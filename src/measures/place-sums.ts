/** Attributions to the numbers of an activation, summed along its last axis: one row for each place. */
import type { Tensor } from "../graph/tensor.ts";

/** A place: by the activation's axes, its batch as `prompt`. */
export interface PlaceRow {
  readonly prompt?: number;
  readonly pos?: number;
  readonly head?: number;
  /** The sum over the last axis, in units of the metric. */
  readonly attribution: number;
}

/** The sums along the last axis of [batch pos … width], of each number or of what `of` makes of it. */
export function placeSums({ axes, shape, data }: Tensor, of: (x: number) => number = (x) => x): PlaceRow[] {
  const width = shape.at(-1)!;
  return Array.from({ length: data.length / width }, (_, i) => {
    let attribution = 0;
    for (let k = 0; k < width; k++) attribution += of(data[i * width + k]);
    const at: [string, number][] = [];
    let rest = i;
    for (let a = shape.length - 2; a >= 0; a--) {
      at.unshift([axes[a] === "batch" ? "prompt" : axes[a], rest % shape[a]]);
      rest = Math.floor(rest / shape[a]);
    }
    return { ...Object.fromEntries(at), attribution };
  });
}
