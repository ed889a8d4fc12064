/** What layers of sets share, wherever their numbers are. */
import type { NDArray } from "../tensor/array.ts";
import { ConfigError } from "../tensor/errors.ts";
import { listed } from "../tensor/words.ts";

/** Some rows of a matrix [row column], copied. */
export function rowsOfMatrix(
  { shape: [, width], data }: NDArray<"float32">,
  rows: readonly number[],
): NDArray<"float32"> {
  const chosen = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    chosen.set(data.subarray(row * width, (row + 1) * width), i * width);
  });
  return { dtype: "float32", shape: [rows.length, width], data: chosen };
}

/** @throws ConfigError unless there is one of each layer from 0 on; the layers come in order */
export function needEveryLayer(name: string, layers: readonly number[]): void {
  const wrong = layers.findIndex((layer, i) => layer !== i);
  if (layers.length > 0 && wrong < 0) return;
  const why =
    layers.length === 0
      ? "no layers"
      : layers[wrong] < wrong
        ? `layer ${layers[wrong]} twice`
        : `no layer ${wrong}, but ${listed(layers.slice(wrong).map(String))}`;
  throw new ConfigError(`${name} has ${why}: a set of transcoders has one of each layer from 0 on.`, { found: layers });
}
