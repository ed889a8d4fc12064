/** Tokens and their ids. */
import { FileFormatError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import type { Component } from "../component.ts";
import { isWellFormed } from "../well-formed.ts";

export class Vocabulary {
  /** The tokens, each at its index; models use indices, because ids may be any numbers. */
  readonly tokens: readonly string[];
  /** The ids by index. */
  readonly ids: readonly number[];
  readonly #places: Map<string, number>;
  readonly #byId: Map<number, string>;

  constructor(tokens: readonly string[], ids: readonly number[]) {
    this.tokens = tokens;
    this.ids = ids;
    this.#places = new Map(tokens.map((token, place) => [token, place]));
    this.#byId = new Map(ids.map((id, place) => [id, tokens[place]]));
  }

  get size(): number {
    return this.tokens.length;
  }

  placeOf(token: string): number | undefined {
    return this.#places.get(token);
  }

  idOf(token: string): number | undefined {
    const place = this.#places.get(token);
    return place === undefined ? undefined : this.ids[place];
  }

  tokenOf(id: number): string | undefined {
    return this.#byId.get(id);
  }
}

/** The `vocab` of a model that maps tokens to ids. @throws FileFormatError for an invalid id, or one that two tokens share */
export function vocabularyOf(component: Component): Vocabulary {
  const vocab = component.object("vocab");
  const tokens = Object.keys(vocab);
  const seen = new Set<number>();
  const ids = tokens.map((token) => {
    if (!isWellFormed(token))
      throw component.refused("vocab", token, "a map of texts to ids (half a surrogate pair is not text)");
    const id = component.asId(`vocab[${shown(token)}]`, vocab[token]);
    if (seen.has(id)) {
      throw new FileFormatError(
        `Two tokens of the vocabulary have the id ${id}, ${shown(token)} and another, so it is ambiguous.`,
        { asked: token, found: id },
      );
    }
    seen.add(id);
    return id;
  });
  return new Vocabulary(tokens, ids);
}
