/** Every format in which a dictionary is read, in the order in which files are looked at. */
import type { DictionaryFormat } from "./format.ts";
import { saelens } from "./saelens.ts";

export const DICTIONARY_FORMATS: readonly DictionaryFormat[] = [saelens];
