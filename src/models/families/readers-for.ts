import type { ConfigJson } from "./family.ts";
import { isRepository, LISTED_MODELS } from "./neel-config.ts";
import { OWN_FAMILIES } from "./own.ts";
import { checkFieldCount, type Readers, readersOver } from "./readers.ts";

/** What reads a model's files, by its `config.json`: the other families are loaded for a model that is not of these. */
export async function readersFor(configJson: ConfigJson, repoName: string): Promise<Readers> {
  checkFieldCount(configJson, repoName);
  const own = OWN_FAMILIES.find((family) => family.matches(configJson, repoName));
  if (!own) return import("./index.ts");
  if (isRepository(repoName)) await LISTED_MODELS.load();
  return readersOver(() => own);
}
