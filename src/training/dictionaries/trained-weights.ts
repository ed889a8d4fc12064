/** The weights of a dictionary while it is trained. */
import type { DictionaryConfig } from "../../dictionaries/config.ts";
import { weightSizes } from "../../dictionaries/weights.ts";
import type { Sizes } from "../../models/weights/spec.ts";

/** How their names differ from those of the dictionary: thresholds are trained as their logarithms. */
export const LOG = "log_";

/** Their names and sizes, in a fixed order. */
export function trainedSizes(cfg: DictionaryConfig): ReadonlyMap<string, Sizes> {
  return new Map([...weightSizes(cfg)].map(([name, size]) => [name === "threshold" ? `${LOG}${name}` : name, size]));
}
