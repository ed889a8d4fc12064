/** A word is a token, or unknown. */
import type { Component } from "../component.ts";
import { type Model, unknownRefused } from "./model.ts";
import { vocabularyOf } from "./vocabulary.ts";

export function wordLevel(component: Component): Model {
  const unknown = component.text("unk_token");
  const vocabulary = vocabularyOf(component);
  const idsOf = (word: string): number[] => {
    const id = vocabulary.idOf(word) ?? vocabulary.idOf(unknown);
    if (id === undefined) throw unknownRefused(word, unknown);
    return [id];
  };
  return { vocabulary, idsOf };
}
