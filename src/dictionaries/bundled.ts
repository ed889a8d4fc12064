/** The dictionaries that come with the package, each in a folder of its model's. */
import { bundledName } from "../load/names.ts";

/** The ids of a model's dictionaries. */
interface Bundled {
  readonly autoencoder: string;
  readonly transcoder: string;
}

const BUNDLED: Readonly<Record<string, Bundled>> = {
  "solu-1l-novels": { autoencoder: "sae", transcoder: "transcoder" },
};

/** The models that come with dictionaries. */
export const modelsWithDictionaries = Object.keys(BUNDLED);

/** What a bundled model comes with; undefined for another name. */
export function bundledDictionaries(name: string): Bundled | undefined {
  return BUNDLED[bundledName(name) ?? ""];
}
