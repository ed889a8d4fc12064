/** Which tokens mark the beginning of a text, its end, and padding. */
import { FileFormatError } from "../tensor/errors.ts";
import { kindOf } from "../tensor/show.ts";
import { type Fields, isFields } from "./component.ts";
import { type AddedToken, describe } from "./tokenizer-json.ts";

/** The special tokens that a `tokenizer_config.json` names. */
export interface TokenizerConfigJson {
  readonly bos: string | undefined;
  readonly eos: string | undefined;
  readonly pad: string | undefined;
}

/** The names that publishers give to special tokens, tried only where there is no `tokenizer_config.json` to say it. */
const CUSTOMARY: Record<keyof TokenizerConfigJson, readonly string[]> = {
  bos: ["<|BOS|>", "<|begin_of_text|>", "<bos>", "<s>", "[BOS]"],
  eos: ["<|EOS|>", "<|end_of_text|>", "<|endoftext|>", "<eos>", "</s>", "[EOS]"],
  pad: ["<|PAD|>", "<pad>", "[PAD]"],
};

/** From `tokenizer_config.json` if there is one, else the special token with a customary name, else undefined. */
export function specialTokens(config: unknown, addedTokens: readonly AddedToken[]): TokenizerConfigJson {
  if (config !== undefined) return readTokenizerConfigJson(config);
  const special = new Set(addedTokens.filter((t) => t.special).map((t) => t.content));
  const find = (role: keyof TokenizerConfigJson) => CUSTOMARY[role].find((name) => special.has(name));
  return { bos: find("bos"), eos: find("eos"), pad: find("pad") };
}

/** @throws FileFormatError if it is not the content of a `tokenizer_config.json`. */
function readTokenizerConfigJson(json: unknown): TokenizerConfigJson {
  if (!isFields(json)) {
    throw new FileFormatError(`A tokenizer_config.json is an object, but this is ${describe(json)}.`, {
      found: describe(json),
    });
  }
  return { bos: tokenName(json, "bos_token"), eos: tokenName(json, "eos_token"), pad: tokenName(json, "pad_token") };
}

/** A special token is written as a string or as an object with its `content`; null and absent mean that there is none. */
function tokenName(config: Fields, field: string): string | undefined {
  const value = config[field] ?? undefined;
  const name = isFields(value) ? value.content : value;
  if (name !== undefined && typeof name !== "string") {
    throw new FileFormatError(
      `"${field}" of a tokenizer_config.json is a string or an object with "content", but this is ${kindOf(value)}.`,
      { asked: field, found: value },
    );
  }
  return name;
}
