/** WordPiece: the longest token that a word begins with, then the longest that continues it. Source: BERT. */
import type { Component } from "../component.ts";
import { Trie } from "../trie.ts";
import { type Model, unknownRefused } from "./model.ts";
import { vocabularyOf } from "./vocabulary.ts";

export function wordPiece(component: Component): Model {
  const unknown = component.text("unk_token");
  const prefix = component.text("continuing_subword_prefix");
  const longest = component.count("max_input_chars_per_word");
  const vocabulary = vocabularyOf(component);
  const beginning = new Trie();
  const continuing = new Trie();
  vocabulary.tokens.forEach((token, place) => {
    beginning.add(token, place);
    if (token.startsWith(prefix)) continuing.add(token.slice(prefix.length), place);
  });

  const pieces = (word: string): number[] | undefined => {
    if (word.length > longest && Array.from(word).length > longest) return undefined;
    const ids: number[] = [];
    for (let at = 0; at < word.length; ) {
      const found = (at === 0 ? beginning : continuing).longest(word, at);
      if (!found) return undefined;
      ids.push(vocabulary.ids[found.value]);
      at = found.end;
    }
    return ids;
  };
  const idsOf = (word: string): number[] => {
    const ids = pieces(word) ?? [vocabulary.idOf(unknown)];
    if (ids[0] === undefined) throw unknownRefused(word, unknown);
    return ids as number[];
  };
  return { vocabulary, idsOf };
}
