/** The families whose checkpoints have TransformerLens' names: those of the models that come with the library, and of saved ones. */
import type { NDArray } from "../../tensor/array.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { recordingOf } from "../recording.ts";
import { checkArrays, checkWeights } from "../weights/check.ts";
import type { ModelFamily } from "./family.ts";
import { hookedTransformer } from "./hooked-transformer.ts";
import { neel } from "./neel.ts";
import { neelSoluOld } from "./neel-solu-old.ts";
import { checkLayers, type ReadModel } from "./readers.ts";
import { withoutWrapper } from "./wrapper.ts";

export const OWN_FAMILIES: readonly ModelFamily[] = [neel, hookedTransformer, neelSoluOld];

/**
 * A file's arrays in TransformerLens' names and layout, made to fit a configuration:
 * without a wrapper's prefix and without masks, with zeros for missing biases.
 * @throws WeightsError for a weight that is missing, unexpected or of the wrong shape; ArgumentError for anything but a map of arrays
 */
export function ownWeights(
  config: HookedTransformerConfig,
  given: ReadonlyMap<string, NDArray>,
): Pick<ReadModel, "weights" | "notes"> {
  checkArrays(given);
  const notes: string[] = [];
  const note = (sentence: string) => notes.push(sentence);
  const embedding = recordingOf(config).structure.lookups[0].weight.label!;
  const own = withoutWrapper(given, { embedding }, note);
  checkLayers(config, [...own.keys()]);
  const weights = neel.weights(own, config, { repoName: config.modelName, note });
  checkWeights(config, weights);
  return { weights, notes };
}
