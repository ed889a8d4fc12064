/** Weights that are left over because a file has more layers than its configuration says. */
import { counted } from "../../tensor/words.ts";

/** A weight of a layer: what precedes and what follows the layer's number. */
const OF_LAYER = /^((?:[^.]*\.)*?)(\d{1,9})(\..*)$/;

/**
 * Takes from names that are left over those that would be used in an earlier layer.
 * @param isUsed whether the model uses the weight of that name
 * @returns a sentence about them, if there are any, and the names of the others
 */
export function layersBeyond(
  left: readonly string[],
  isUsed: (name: string) => boolean,
): { readonly sentence: string | undefined; readonly others: readonly string[] } {
  const others: string[] = [];
  let [said, found] = [Infinity, 0];
  for (const name of left) {
    const [, before, number, after] = OF_LAYER.exec(name) ?? [];
    const layer = Number(number);
    if (number === undefined || layer === 0 || !isUsed(`${before}0${after}`)) {
      others.push(name);
      continue;
    }
    said = Math.min(said, layer);
    found = Math.max(found, layer + 1);
  }
  const sentence = `The configuration says ${counted(said, "layer")}, but the weights have ${found}. Correct one of them.`;
  return { sentence: found > 0 ? sentence : undefined, others };
}
