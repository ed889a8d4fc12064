/** Weights that a checkpoint may leave out because they would change nothing. */
import { type NDArray, ndarray, sizeOf, zeros } from "../../tensor/array.ts";
import type { HookedTransformerConfig } from "../config.ts";
import type { FamilyContext } from "./family.ts";
import { expectedWeights, listed, sameShape } from "./weights.ts";

/**
 * Adds to `weights` every missing bias as zeros and every missing norm weight as ones, and says so. Matrices are never made
 * up: where a `W_*` is missing or of another shape nothing is filled in, for `checkWeights` to name it.
 */
export function fillNeutral(
  weights: Map<string, NDArray<"float32">>,
  config: HookedTransformerConfig,
  context: FamilyContext,
): Map<string, NDArray<"float32">> {
  const filled: string[] = [];
  const expected = expectedWeights(config);
  for (const [name, shape] of expected) {
    if (name.includes("W_") && !sameShape(weights.get(name)?.shape ?? [], shape)) return weights;
  }
  for (const [name, shape] of expected) {
    if (weights.has(name) || name.includes("W_")) continue;
    const isScale = name.endsWith(".w");
    weights.set(
      name,
      isScale ? ndarray("float32", shape, new Float32Array(sizeOf(shape)).fill(1)) : zeros("float32", shape),
    );
    filled.push(name);
  }
  if (filled.length > 0) {
    context.note(`The checkpoint lacks ${listed(filled)}; biases are taken as 0 and norm weights as 1.`);
  }
  return weights;
}
