/**
 * What the files next to a `tokenizer.json` say: which tokens mark the beginning of a text, its end and padding, which tokens
 * are added, and whether a text begins with a space. They take precedence as in transformers 5.18's `AutoTokenizer`:
 * `special_tokens_map.json` over `tokenizer_config.json`, and `added_tokens_decoder` of the latter over both other files.
 */
import { FileFormatError } from "../tensor/errors.ts";
import { kindOf } from "../tensor/show.ts";
import { usualToken } from "./classes/index.ts";
import type { Role } from "./classes/tokenizer-class.ts";
import { type Fields, isFields } from "./component.ts";
import { type AddedToken, describe, readAddedToken } from "./tokenizer-json.ts";

/** The parsed files next to a `tokenizer.json`. */
export interface FilesBeside {
  readonly tokenizerConfig?: unknown;
  readonly specialTokensMap?: unknown;
  readonly addedTokens?: unknown;
  /** The chat templates that have files of their own, by name. */
  readonly chatTemplates?: ReadonlyMap<string, string> | undefined;
}

export interface SpecialTokens {
  /** Those that have a name; the vocabulary may lack them. */
  readonly named: Partial<Record<Role, AddedToken>>;
  /** Others that a class names in its own way (`image_token`); left out if the vocabulary lacks them. */
  readonly namedOtherwise: readonly AddedToken[];
  /** Tokens added after those of the `tokenizer.json`; an existing one gets new flags. */
  readonly added: readonly AddedToken[];
  /** Whether a byte-level text begins with a space; undefined if the `tokenizer.json` decides. */
  readonly prefixSpace: boolean | undefined;
  /** The class that the configuration names, without "Fast". */
  readonly className: string | undefined;
}

const ROLES: readonly Role[] = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"];

/** Common names of special tokens, tried only if no file names any. */
const CUSTOMARY: Partial<Record<Role, readonly string[]>> = {
  bos: ["<|BOS|>", "<|begin_of_text|>", "<bos>", "<s>", "[BOS]"],
  eos: ["<|EOS|>", "<|end_of_text|>", "<|endoftext|>", "<eos>", "</s>", "[EOS]"],
  pad: ["<|PAD|>", "<pad>", "[PAD]"],
};

/** Classes that use the `tokenizer.json` unchanged. */
const AS_IT_IS = ["PreTrainedTokenizer", "Tokenizers", "TokenizersBackend"];

/** The class that a `tokenizer_config.json` names, without "Fast". */
export function namedClass(tokenizerConfig: unknown): string | undefined {
  const name = isFields(tokenizerConfig) ? tokenizerConfig.tokenizer_class : undefined;
  return typeof name === "string" ? name.replace(/Fast$/, "") : undefined;
}

/**
 * @param own the added tokens of the `tokenizer.json`
 * @param isToken whether the vocabulary has a token
 * @param usual the special tokens that no file needs to name, if another than the class that the configuration names has them
 * @throws FileFormatError for a file that is not of its kind
 */
export function specialTokens(
  { tokenizerConfig, specialTokensMap, addedTokens }: FilesBeside,
  own: readonly AddedToken[],
  isToken: (token: string) => boolean,
  usual?: Partial<Record<Role, string>>,
): SpecialTokens {
  const config = fieldsOf(tokenizerConfig, "tokenizer_config.json");
  const decoder = config?.added_tokens_decoder ?? undefined;
  const map = decoder === undefined ? fieldsOf(specialTokensMap, "special_tokens_map.json") : undefined;
  const more = decoder === undefined ? fieldsOf(addedTokens, "added_tokens.json") : undefined;
  const className = namedClass(config);

  const added: AddedToken[] = [];
  if (decoder !== undefined) added.push(...decoderTokens(decoder));
  if (more) added.push(...addedByName(more));
  const named: { [R in Role]?: AddedToken } = {};
  for (const role of ROLES) {
    const field = `${role}_token`;
    const token =
      (map && tokenOf(map, field, "special_tokens_map.json")) ??
      (config && tokenOf(config, field, "tokenizer_config.json"));
    if (token) {
      named[role] = token;
      continue;
    }
    // null: none, even if the class has one.
    if (map?.[field] === null || config?.[field] === null) continue;
    const ofClass = usual ? usual[role] : usualToken(className, role);
    const content = usual || config || map ? ofClass : customary(role, own);
    if (content === undefined) continue;
    if (isToken(content) || own.some((t) => t.content === content)) named[role] = { ...PLAIN, content };
  }
  const namedOtherwise: AddedToken[] = [];
  for (const [field, value] of Object.entries({ ...config, ...map })) {
    if (!field.endsWith("_token") || ROLES.some((role) => field === `${role}_token`)) continue;
    if (typeof value === "string") namedOtherwise.push({ ...PLAIN, content: value });
  }
  for (const file of [map, config]) {
    const list = file?.extra_special_tokens ?? file?.additional_special_tokens;
    if (!Array.isArray(list)) continue;
    list.forEach((entry, i) => {
      const token = tokenFrom(entry, `additional_special_tokens[${i}]`, "tokenizer_config.json");
      if (token && ![...own, ...added].some((t) => t.content === token.content)) added.push(token);
    });
  }
  const prefix = config?.add_prefix_space ?? undefined;
  if (prefix !== undefined && typeof prefix !== "boolean") {
    throw wrong("add_prefix_space", "true or false", prefix, "tokenizer_config.json");
  }
  const rebuilt = className === undefined || !AS_IT_IS.includes(className);
  return {
    named,
    namedOtherwise,
    added,
    prefixSpace: rebuilt && typeof prefix === "boolean" ? prefix : undefined,
    className,
  };
}

function customary(role: Role, own: readonly AddedToken[]): string | undefined {
  const special = new Set(own.filter((t) => t.special).map((t) => t.content));
  return CUSTOMARY[role]?.find((name) => special.has(name));
}

function fieldsOf(json: unknown, file: string): Fields | undefined {
  if (json === undefined) return undefined;
  if (isFields(json)) return json;
  throw new FileFormatError(`A ${file} must be an object, not ${describe(json)}.`, { found: describe(json) });
}

/** `added_tokens_decoder`: tokens by id, added in the order of their ids. */
function decoderTokens(decoder: unknown): AddedToken[] {
  if (!isFields(decoder)) throw wrong("added_tokens_decoder", "an object", decoder, "tokenizer_config.json");
  return Object.entries(decoder)
    .map(([id, entry]) => {
      if (!/^\d{1,10}$/.test(id)) throw wrong("added_tokens_decoder", "tokens by id", id, "tokenizer_config.json");
      return { id: Number(id), token: readAddedToken(entry, `added_tokens_decoder[${id}]`) };
    })
    .sort((a, b) => a.id - b.id)
    .map(({ token }) => token);
}

/** `added_tokens.json`: ids by token. */
function addedByName(ids: Fields): AddedToken[] {
  return Object.entries(ids)
    .map(([content, id]) => {
      if (!Number.isSafeInteger(id)) throw wrong(content, "an id", id, "added_tokens.json");
      return { content, id: id as number };
    })
    .sort((a, b) => a.id - b.id)
    .map(({ content }) => ({ ...PLAIN, content, special: false }));
}

const PLAIN = { singleWord: false, lstrip: false, rstrip: false, normalized: false, special: true };

function tokenOf(file: Fields, field: string, name: string): AddedToken | undefined {
  return tokenFrom(file[field] ?? undefined, field, name);
}

/** A special token is written as a string or as an object with its `content`; null and absent mean that there is none. */
function tokenFrom(value: unknown, field: string, file: string): AddedToken | undefined {
  if (isFields(value) && typeof value.content === "string") return readAddedToken({ ...value, special: true }, field);
  const content = isFields(value) ? value.content : value;
  if (content === undefined || content === null) return undefined;
  if (typeof content !== "string") throw wrong(field, 'a string or an object with "content"', value, file);
  return { ...PLAIN, content };
}

function wrong(field: string, wanted: string, found: unknown, file: string): FileFormatError {
  return new FileFormatError(`"${field}" of a ${file} must be ${wanted}, not ${kindOf(found)}.`, {
    asked: field,
    found,
  });
}
