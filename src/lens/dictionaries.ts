/** Sparse dictionaries at a model's hook points. A dictionary brings the code that places it: models do not load it. */
import type { Dictionary } from "../dictionaries/dictionary.ts";
import { DICTIONARY } from "../dictionaries/kind.ts";
import type { DictionaryHost, PlacedDictionary, WithDictionariesOptions } from "../dictionaries/placed.ts";
import { FLAG, type Kind } from "../tensor/kinds.ts";
import { checkArgument, checkOptions, type OptionKinds } from "../tensor/options.ts";
import { resolveName } from "./hook-names.ts";

const KINDS: OptionKinds<WithDictionariesOptions> = { useErrorTerm: FLAG, ofAnotherModel: FLAG };
const ONE_OR_SEVERAL: Kind = { ...DICTIONARY, describe: "a Dictionary, or a list of dictionaries" };

/** The dictionaries as parts, each at its hook point. @throws as `model.withDictionaries` */
export function placedDictionaries(
  { cfg, hookNames }: Omit<DictionaryHost, "resolved">,
  dictionaries: Dictionary | readonly Dictionary[],
  options: WithDictionariesOptions,
): PlacedDictionary[] {
  checkOptions("withDictionaries", options, KINDS);
  const list: readonly Dictionary[] = Array.isArray(dictionaries) ? Array.from(dictionaries) : [dictionaries];
  for (const dictionary of list) checkArgument("What withDictionaries takes", dictionary, ONE_OR_SEVERAL);
  const host: DictionaryHost = { cfg, hookNames, resolved: (name) => resolveName(name, hookNames) };
  const taken = new Map<string, string>();
  return list.map((dictionary) => dictionary.placedIn(host, options, taken));
}
