/** The means as files that other programs read: safetensors whose names are hook points. */
import { writeSafetensors } from "../../load/safetensors-write.ts";
import { type NDArray, ndarray, sizeOf } from "../../tensor/array.ts";
import type { ScanFile } from "../scan.ts";
import { covarianceOf, numbersOf } from "./numbers.ts";
import { type MeanPoint, type MeansSummaries, pointSums } from "./summaries.ts";

export function meansFiles(points: readonly MeanPoint[], summaries: MeansSummaries): ScanFile[] {
  const tokens = summaries.tokens.values[0];
  const counts = Array.from(summaries.positions.values).filter((count) => count > 0);
  const means = new Map<string, NDArray>();
  const atPositions = new Map<string, NDArray>();
  const covariances = new Map<string, NDArray>();
  for (const [i, { name, shape, width, covariance }] of points.entries()) {
    const sums = pointSums(summaries, i);
    const { mean } = numbersOf(width, tokens, sums);
    means.set(name, float(shape, mean));
    const all = Float64Array.from({ length: counts.length * width }, (_, at) => {
      return sums.byPosition.value(at) / counts[Math.floor(at / width)];
    });
    atPositions.set(name, float([counts.length, ...shape], all));
    if (covariance) covariances.set(name, float([width, width], covarianceOf(width, tokens, mean, sums)));
  }
  const metadata = { tokens: `${tokens}` };
  const perPosition = { tokens_at_positions: counts.join(" ") };
  return [
    { name: "means.safetensors", title: "means", content: writeSafetensors(means, metadata) },
    ...(counts.length > 0
      ? [
          {
            name: "position-means.safetensors",
            title: "means at the first positions",
            content: writeSafetensors(atPositions, perPosition),
          },
        ]
      : []),
    ...(covariances.size > 0
      ? [{ name: "covariances.safetensors", title: "covariances", content: writeSafetensors(covariances, metadata) }]
      : []),
  ];
}

const float = (shape: readonly number[], numbers: Float64Array) =>
  ndarray("float32", shape, Float32Array.from(numbers.subarray(0, sizeOf(shape))));
