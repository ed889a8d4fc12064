/** Where a dictionary stands in a model that measures read. */
import type { Dictionary } from "../../dictionaries/dictionary.ts";
import { type DictionaryPlace, dictionaryPlace } from "../../dictionaries/placed.ts";
import { resolveName } from "../../lens/hook-names.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";

/** @throws UnknownNameError for a hook point that the model lacks, ArgumentError, ShapeError for one that does not fit the dictionary */
export function placeIn(
  dictionary: Dictionary,
  { cfg, hookNames }: Pick<HookedTransformer, "cfg" | "hookNames">,
): DictionaryPlace {
  return dictionaryPlace(dictionary, { cfg, hookNames, resolved: (name) => resolveName(name, hookNames) });
}
