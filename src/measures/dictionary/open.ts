/** Which dictionary a measure is of: one that is given, one that is named, or one that comes with the model. */
import { bundledDictionaries, modelsWithDictionaries } from "../../dictionaries/bundled.ts";
import { Dictionary } from "../../dictionaries/dictionary.ts";
import type { Model } from "../../lens/model.ts";
import { ArgumentError } from "../../tensor/errors.ts";
import { listed } from "../../tensor/words.ts";
import type { AnalysisOptions } from "../options.ts";

export const DICTIONARY_OPTIONS = {
  dictionary: {
    type: "dictionary",
    placeholder: "NAME",
    description: "the dictionary: a folder, or a repository of the Hugging Face hub",
    defaultText: "one that comes with the model",
  },
  dictionaryId: {
    type: "text",
    placeholder: "ID",
    description: "which of a repository's dictionaries",
    defaultText: "the only one",
  },
} as const satisfies AnalysisOptions;

interface Asked {
  readonly dictionary?: string | Dictionary | undefined;
  readonly dictionaryId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The dictionary that options mean.
 * @param of the function's name, for errors
 * @throws ArgumentError if none is named and none comes with the model, or for an id of one that is there already; as `Dictionary.fromPretrained`
 */
export async function dictionaryOf(
  of: string,
  { cfg }: Model,
  { dictionary, dictionaryId, signal }: Asked,
): Promise<Dictionary> {
  if (typeof dictionary === "object") {
    if (dictionaryId === undefined) return dictionary;
    throw new ArgumentError(
      `${of} has the dictionary ${dictionary.name} itself, so that dictionaryId means nothing: leave it out.`,
      { asked: dictionaryId },
    );
  }
  const name = dictionary ?? cfg.modelName;
  const bundled = bundledDictionaries(name);
  if (dictionary === undefined && !bundled) {
    throw new ArgumentError(
      `No dictionary of ${name} is named, and only ${listed(modelsWithDictionaries)} comes with some: name one (dictionary; --dictionary), by its folder or its name on the Hugging Face hub.`,
      { asked: dictionary, found: name },
    );
  }
  return Dictionary.fromPretrained(name, { id: dictionaryId ?? bundled?.autoencoder, signal });
}
