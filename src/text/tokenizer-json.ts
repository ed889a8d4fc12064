/**
 * The two files of a Hugging Face tokenizer, checked as far as we read them: `tokenizer.json` (what the tokenizer does)
 * and `tokenizer_config.json` (which tokens are BOS, EOS and padding).
 */
import { FileFormatError } from "../tensor/errors.ts";

/** One entry of `added_tokens`. The file's `id` is not kept: see `AddedVocabulary` for which id the token gets. */
export interface AddedToken {
  readonly content: string;
  /** Match only where no word character touches it. */
  readonly singleWord: boolean;
  /** Swallow the white space on its left. */
  readonly lstrip: boolean;
  /** Swallow the white space on its right. */
  readonly rstrip: boolean;
  /** Match its normalized form in the normalized text, instead of itself in the text as given. */
  readonly normalized: boolean;
  /** Left out by `decode` with `skipSpecialTokens`. */
  readonly special: boolean;
}

/** A JSON object whose fields we have not looked at yet. */
export type Fields = Record<string, unknown>;

/** The parts of a `tokenizer.json`; an absent part is null. */
export interface TokenizerJson {
  readonly addedTokens: readonly AddedToken[];
  readonly normalizer: Fields | null;
  readonly preTokenizer: Fields | null;
  readonly postProcessor: Fields | null;
  readonly decoder: Fields | null;
  readonly model: Fields;
}

/** The special tokens that a `tokenizer_config.json` names. */
export interface TokenizerConfigJson {
  readonly bos: string | undefined;
  readonly eos: string | undefined;
  readonly pad: string | undefined;
}

/** @throws FileFormatError if it is not the content of a `tokenizer.json`. */
export function readTokenizerJson(json: unknown): TokenizerJson {
  if (!isFields(json) || !isFields(json.model)) {
    throw new FileFormatError(
      `A tokenizer.json is an object with a "model", but this is ${describe(json)}. Give the parsed content of the file that Hugging Face calls tokenizer.json.`,
      { found: describe(json) },
    );
  }
  const added = json.added_tokens ?? [];
  if (!Array.isArray(added)) {
    throw new FileFormatError(
      `"added_tokens" of a tokenizer.json is a list of tokens, but this is ${describe(added)}.`,
      { asked: "added_tokens", found: added },
    );
  }
  return {
    addedTokens: added.map(readAddedToken),
    normalizer: part(json, "normalizer"),
    preTokenizer: part(json, "pre_tokenizer"),
    postProcessor: part(json, "post_processor"),
    decoder: part(json, "decoder"),
    model: json.model,
  };
}

/** @throws FileFormatError if it is not the content of a `tokenizer_config.json`. */
export function readTokenizerConfigJson(json: unknown): TokenizerConfigJson {
  if (!isFields(json)) {
    throw new FileFormatError(`A tokenizer_config.json is an object, but this is ${describe(json)}.`, {
      found: describe(json),
    });
  }
  return { bos: tokenName(json, "bos_token"), eos: tokenName(json, "eos_token"), pad: tokenName(json, "pad_token") };
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function part(json: Fields, name: string): Fields | null {
  const value = json[name] ?? null;
  if (value !== null && !isFields(value)) {
    throw new FileFormatError(`"${name}" of a tokenizer.json is an object or null, but this is ${describe(value)}.`, {
      asked: name,
      found: value,
    });
  }
  return value;
}

function readAddedToken(entry: unknown, index: number): AddedToken {
  if (!isFields(entry) || typeof entry.content !== "string") {
    throw new FileFormatError(`added_tokens[${index}] of a tokenizer.json has no "content".`, {
      asked: `added_tokens[${index}].content`,
      found: entry,
    });
  }
  const special = entry.special === true;
  return {
    content: entry.content,
    singleWord: entry.single_word === true,
    lstrip: entry.lstrip === true,
    rstrip: entry.rstrip === true,
    normalized: typeof entry.normalized === "boolean" ? entry.normalized : !special,
    special,
  };
}

/** A special token is written as a string or as an object with its `content`; null and absent mean that there is none. */
function tokenName(config: Fields, field: string): string | undefined {
  const value = config[field] ?? undefined;
  const name = isFields(value) ? value.content : value;
  if (name !== undefined && typeof name !== "string") {
    throw new FileFormatError(
      `"${field}" of a tokenizer_config.json is a string or an object with "content", but this is ${describe(value)}.`,
      { asked: field, found: value },
    );
  }
  return name;
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (isFields(value)) return `an object with the keys ${Object.keys(value).slice(0, 8).join(", ") || "(none)"}`;
  return `a ${typeof value}`;
}
