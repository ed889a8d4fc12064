/** What is done to a batch of activations, and measured of it, outside the graph. A batch has one block of columns a layer. */
import { type NDArray, ndarray } from "../../tensor/array.ts";
import type { ActivationBatch } from "./activations.ts";

/** A batch with the input of each layer times its scale, and, of an autoencoder, what it is to make. */
export function scaled(batch: ActivationBatch, scales: readonly number[]): ActivationBatch {
  if (scales.every((scale) => scale === 1)) return batch;
  const [, columns] = batch.x.shape;
  const width = columns / scales.length;
  const x = ndarray(
    "float32",
    batch.x.shape,
    batch.x.data.map((v, i) => v * scales[Math.floor((i % columns) / width)]),
  );
  return { x, target: batch.target === batch.x ? x : batch.target };
}

/** Adds the norm of each token in each of the layers to their sums, [layer]. */
export function addNorms(x: NDArray<"float32">, sums: Float64Array): void {
  const width = x.shape[1] / sums.length;
  for (let at = 0, layer = 0; at < x.data.length; at += width, layer = (layer + 1) % sums.length) {
    sums[layer] += Math.hypot(...x.data.subarray(at, at + width));
  }
}

/** For each layer the mean over tokens of the squared distance from the mean. */
export function variances({ shape: [tokens, columns], data }: NDArray<"float32">, layers: number): number[] {
  const sums = new Float64Array(columns);
  const squares = new Float64Array(layers);
  const width = columns / layers;
  for (let at = 0; at < data.length; at += columns) {
    for (let i = 0; i < columns; i++) {
      const x = data[at + i];
      sums[i] += x;
      squares[Math.floor(i / width)] += x * x;
    }
  }
  sums.forEach((sum, i) => {
    squares[Math.floor(i / width)] -= sum ** 2 / tokens;
  });
  return [...squares].map((square) => square / tokens);
}
