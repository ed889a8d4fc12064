/** What a training run ends with: a dictionary as others use it. */
import { Dictionary } from "../../dictionaries/dictionary.ts";
import { withFoldedNorms, withOneThreshold } from "../../dictionaries/fold.ts";
import { Tensor } from "../../graph/tensor.ts";
import type { NDArray } from "../../tensor/array.ts";
import { configOnceTrained } from "./config.ts";
import { comparesBatches, TRAINING_KINDS } from "./kinds.ts";
import { LOG, trainedSizes } from "./trained-weights.ts";
import type { OneDictionary, Trained } from "./trainee.ts";

/**
 * The dictionary: thresholds from their logarithms, the decoder's norms folded where features were compared times them, one threshold in place
 * of comparing batches, and the scale of the input folded. Source: SAELens' `process_state_dict_for_saving_inference`.
 */
export function finished(
  { kind, cfg }: Pick<OneDictionary, "kind" | "cfg">,
  { weights, threshold, inputScales: [inputScale] }: Trained,
): Dictionary {
  const { rescales } = TRAINING_KINDS[kind];
  const leaves = new Map(
    [...trainedSizes(cfg)].map(([name, sizes]) => {
      const plain = name.startsWith(LOG) ? name.slice(LOG.length) : name;
      const array = weights.get(name) as NDArray<"float32">;
      const data = plain === name ? array.data : array.data.map(Math.exp);
      return [plain, Tensor.leaf({ ...array, data }, Object.keys(sizes), "weight", plain)];
    }),
  );
  const made = () => {
    if (comparesBatches(kind)) return withOneThreshold(cfg, leaves, threshold, rescales);
    return rescales ? withFoldedNorms(cfg, leaves).weights : leaves;
  };
  const once = { ...configOnceTrained(kind, cfg), rescaleActsByDecoderNorm: false };
  const dictionary = new Dictionary(once, made());
  return inputScale === 1 ? dictionary : dictionary.foldInputScale(inputScale);
}
