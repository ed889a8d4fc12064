/** Checks the outer structure of a `tokenizer.json`: its sections, and the added tokens. */
import { FileFormatError } from "../tensor/errors.ts";
import { kindOf, shown } from "../tensor/show.ts";
import { Component, isFields } from "./component.ts";

/** One entry of `added_tokens`. The file's `id` is ignored: see `AddedVocabulary` for the id that the token gets. */
export interface AddedToken {
  readonly content: string;
  /** Match only where no word character touches it. */
  readonly singleWord: boolean;
  /** Swallow the white space on its left. */
  readonly lstrip: boolean;
  /** Swallow the white space on its right. */
  readonly rstrip: boolean;
  /** Match its normalized form in the normalized text, instead of itself in the original text. */
  readonly normalized: boolean;
  /** Left out by `decode` with `skipSpecialTokens`. */
  readonly special: boolean;
}

/** The parts of a `tokenizer.json`; an absent part is null. */
export interface TokenizerJson {
  readonly addedTokens: readonly AddedToken[];
  readonly normalizer: unknown;
  readonly preTokenizer: unknown;
  readonly postProcessor: unknown;
  readonly decoder: unknown;
  readonly model: unknown;
}

/** @throws FileFormatError if it is not the content of a `tokenizer.json`. */
export function readTokenizerJson(json: unknown): TokenizerJson {
  if (!isFields(json) || !isFields(json.model)) {
    throw new FileFormatError(
      `A tokenizer.json must be an object with a "model", not ${describe(json)}. Pass the parsed content of the file that Hugging Face calls tokenizer.json.`,
      { found: describe(json) },
    );
  }
  const version = json.version ?? "1.0";
  if (version !== "1.0") {
    throw new FileFormatError(`The tokenizer.json has version ${shown(version)}, but only "1.0" is supported.`, {
      asked: version,
      found: "1.0",
    });
  }
  const added = json.added_tokens ?? [];
  if (!Array.isArray(added)) {
    throw new FileFormatError(`"added_tokens" of a tokenizer.json must be a list of tokens, not ${kindOf(added)}.`, {
      asked: "added_tokens",
      found: added,
    });
  }
  return {
    addedTokens: added.map((entry, i) => readAddedToken(entry, `added_tokens[${i}]`)),
    normalizer: json.normalizer ?? null,
    preTokenizer: json.pre_tokenizer ?? null,
    postProcessor: json.post_processor ?? null,
    decoder: json.decoder ?? null,
    model: json.model,
  };
}

/** A token in the form of `added_tokens` and `added_tokens_decoder`; missing flags are false. */
export function readAddedToken(entry: unknown, path: string): AddedToken {
  const component = new Component(entry, path);
  const special = component.flag("special", false);
  const token = {
    content: component.text("content"),
    singleWord: component.flag("single_word", false),
    lstrip: component.flag("lstrip", false),
    rstrip: component.flag("rstrip", false),
    normalized: component.flag("normalized", !special),
    special,
  };
  component.ignore("id", "__type");
  component.done();
  return token;
}

export function describe(value: unknown): string {
  return isFields(value)
    ? `an object with the keys ${shown(Object.keys(value).slice(0, 8)).slice(1, -1) || "(none)"}`
    : kindOf(value);
}
