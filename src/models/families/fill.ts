/** Weights that a checkpoint may leave out because they would change nothing. */
import { type NDArray, ndarray, sizeOf } from "../../tensor/array.ts";
import { firstOf } from "../../tensor/words.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { recordingOf } from "../recording.ts";
import { sameShape } from "../weights/check.ts";
import type { WeightSpec } from "../weights/spec.ts";
import type { FamilyContext } from "./family.ts";

/**
 * Adds to `weights` every missing bias as zeros and every missing norm weight as ones, and says so. Matrices are never made
 * up: if one is missing or has another shape, nothing is filled in, and `checkWeights` names it.
 */
export function fillNeutral(
  weights: Map<string, NDArray<"float32">>,
  config: HookedTransformerConfig,
  context: FamilyContext,
): Map<string, NDArray<"float32">> {
  const filled: string[] = [];
  const expected = [...recordingOf(config).weights.values()];
  const isThere = ({ name, shape }: WeightSpec) => sameShape(weights.get(name)?.shape ?? [], shape);
  if (!expected.filter(({ init }) => init === "drawn").every(isThere)) return weights;
  for (const { name, shape, init } of expected) {
    if (weights.has(name)) continue;
    weights.set(name, ndarray("float32", shape, new Float32Array(sizeOf(shape)).fill(init === "ones" ? 1 : 0)));
    filled.push(name);
  }
  if (filled.length > 0) {
    context.note(`The checkpoint lacks ${firstOf(filled)}; biases are taken as 0 and norm weights as 1.`);
  }
  return weights;
}
