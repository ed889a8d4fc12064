/** A model: how a word becomes tokens. */
import { InputError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface Model {
  readonly vocabulary: Vocabulary;
  /** The ids of a word, which must not be empty. @throws InputError for a character without a token, if there is no token for unknown ones */
  readonly idsOf: (word: string) => readonly number[];
}

/** Hugging Face's library also refuses such a text. */
export function unknownRefused(word: string, unknown: string | null): InputError {
  return new InputError(
    `The vocabulary has no token for ${shown(word)}${unknown === null ? "" : `, nor its own token for unknown text, ${shown(unknown)}`}. Remove it from the text, or use another tokenizer.`,
    { asked: word },
  );
}

/** The UTF-8 of a text as the tokens `<0x00>` to `<0xFF>`; undefined if the vocabulary lacks one. */
export function byteTokens(text: string, place: (token: string) => number | undefined): number[] | undefined {
  const places: number[] = [];
  for (const byte of encoder.encode(text)) {
    const found = place(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
    if (found === undefined) return undefined;
    places.push(found);
  }
  return places;
}

const encoder = new TextEncoder();
