/**
 * A Hugging Face tokenizer: text to token ids and back, equal to the Python library's (`tokenizers` 0.23.2) for the same
 * `tokenizer.json`. docs/tokenizers.md lists its components; unsupported ones are refused when the file is loaded.
 */
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { FLAG, type Kind } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { kindOf, shown } from "../tensor/show.ts";
import { AddedVocabulary } from "./added-vocabulary.ts";
import { bytesOfToken } from "./byte-level.ts";
import { chatTemplatesOf } from "./chat-templates.ts";
import { bertNormalizerJson } from "./classes/bert-normalizer.ts";
import { rebuiltNote } from "./classes/rebuilt.ts";
import { settingsOf } from "./classes/settings.ts";
import type { Role } from "./classes/tokenizer-class.ts";
import { isFields } from "./component.ts";
import { type Decoder, decoderOf } from "./decoders/index.ts";
import { modelOf } from "./models/index.ts";
import type { Model } from "./models/model.ts";
import { normalizerOf } from "./normalizers/index.ts";
import type { Normalizer } from "./normalizers/normalizer.ts";
import { offsetsOf } from "./offsets.ts";
import { type Frame, frameOf, NO_FRAME } from "./post-processor.ts";
import { preTokenizerOf } from "./pre-tokenizers/index.ts";
import type { PreTokenizer } from "./pre-tokenizers/pre-tokenizer.ts";
import { type FilesBeside, type SpecialTokens, specialTokens } from "./special-tokens.ts";
import type { Stretch } from "./stretch.ts";
import { type AddedToken, readTokenizerJson, type TokenizerJson } from "./tokenizer-json.ts";
import type { Assembled } from "./vocabularies/assembled.ts";
import { wellFormed } from "./well-formed.ts";

const encoder = new TextEncoder();

/** How many words are cached with their ids, and the longest that are. */
const MOST_WORDS = 50_000;
const LONGEST_WORD = 100;

export interface EncodeOptions {
  /** Put the tokenizer's own BOS and EOS around the text, if it has such a rule. Default true. */
  readonly addSpecialTokens?: boolean | undefined;
  /** Keep at most this many tokens, including special ones; the end of the text is cut off. */
  readonly maxLength?: number | undefined;
}

export interface DecodeOptions {
  /** Leave out the tokens marked special. Default false. */
  readonly skipSpecialTokens?: boolean | undefined;
}

const LENGTH: Kind = {
  accepts: (v) => v === Infinity || (Number.isSafeInteger(v) && (v as number) >= 0),
  describe: "a whole number, 0 or more",
};
const ENCODE_OPTIONS: OptionKinds<EncodeOptions> = { addSpecialTokens: FLAG, maxLength: LENGTH };
const OFFSETS_OPTIONS: OptionKinds<Pick<EncodeOptions, "addSpecialTokens">> = { addSpecialTokens: FLAG };
const DECODE_OPTIONS: OptionKinds<DecodeOptions> = { skipSpecialTokens: FLAG };

/** Converts text to tokens and back, like Hugging Face's Python library for the same `tokenizer.json`. */
export class Tokenizer {
  readonly bosToken: string | undefined;
  readonly eosToken: string | undefined;
  readonly padToken: string | undefined;
  /** The ids of these tokens; undefined if there is none, or if the vocabulary lacks it. */
  readonly bosTokenId: number | undefined;
  readonly eosTokenId: number | undefined;
  readonly padTokenId: number | undefined;
  /** How many different tokens there are, including added ones. */
  readonly vocabSize: number;
  /** The largest id of a token. */
  readonly largestId: number;
  /** Sentences that say where it differs from transformers' AutoTokenizer for the same files. */
  readonly notes: readonly string[];
  /** The files it was made from: `tokenizer.json` and, if there was one, `tokenizer_config.json`, parsed. */
  readonly files: ReadonlyMap<string, unknown>;
  /** The ids that `encode` puts around every text. */
  readonly frame: Frame;
  /** Its chat templates by name; "default" is the only one of most. */
  readonly chatTemplates: ReadonlyMap<string, string>;
  /** The special tokens that a chat template may name: "bos_token" and others. */
  readonly specialTokens: ReadonlyMap<string, string>;

  readonly #normalizer: Normalizer;
  readonly #preTokenizer: PreTokenizer | undefined;
  readonly #model: Model;
  readonly #decode: Decoder;
  readonly #added: AddedVocabulary;
  readonly #byteLevel: boolean;
  /** Whether the pre-tokenizer depends on where the text begins: Metaspace's scheme "first". */
  readonly #asksForFirst: boolean;
  /** The ids of earlier words. */
  readonly #words = new Map<string, readonly number[]>();

  private constructor(
    json: TokenizerJson,
    beside: FilesBeside,
    files: ReadonlyMap<string, unknown>,
    assembled?: Assembled,
  ) {
    this.#model = modelOf(json.model);
    const { vocabulary } = this.#model;
    const isToken = (token: string) => vocabulary.idOf(token) !== undefined;
    const special = specialTokens(beside, json.addedTokens, isToken, assembled?.usual);
    const settings = settingsOf(beside.tokenizerConfig);
    const { normalizer } = bertNormalizerJson(special.className, settings, json);
    this.#normalizer = normalizerOf(normalizer);
    this.#preTokenizer = preTokenizerOf(json.preTokenizer, special.prefixSpace);
    const addedTokens = withNamedTokens([...json.addedTokens, ...special.added], special, isToken);
    this.#added = new AddedVocabulary(addedTokens, vocabulary, this.#normalizer.apply);
    const id = (name: string | undefined) => (name === undefined ? undefined : this.tokenToId(name));
    const token = (role: Role) => special.named[role]?.content;
    const made = assembled?.complete(
      addedTokens.map((one) => ({ id: id(one.content)!, token: one })),
      token,
      id,
    );
    this.#asksForFirst = JSON.stringify(json.preTokenizer ?? null).includes('"first"');
    this.frame = frameOf(made ? made.post_processor : json.postProcessor);
    this.#byteLevel = isFields(json.decoder) && json.decoder.type === "ByteLevel";
    this.#decode = decoderOf(json.decoder);
    this.files = made ? new Map([["tokenizer.json", made], ...files]) : files;

    let size = vocabulary.size;
    let last = 0;
    for (const one of vocabulary.ids) last = Math.max(last, one);
    for (const [content, addedId] of this.#added.entries()) {
      if (vocabulary.idOf(content) === undefined) size++;
      last = Math.max(last, addedId);
    }
    this.vocabSize = size;
    this.largestId = last;
    this.chatTemplates = chatTemplatesOf(beside.tokenizerConfig, beside.chatTemplates);
    this.specialTokens = new Map(
      Object.entries(special.named).map(([role, { content }]) => [`${role}_token`, content]),
    );
    this.bosToken = token("bos");
    this.eosToken = token("eos");
    this.padToken = token("pad");
    this.bosTokenId = id(this.bosToken);
    this.eosTokenId = id(this.eosToken);
    this.padTokenId = id(this.padToken);
    const rebuilt = assembled
      ? undefined
      : rebuiltNote(special.className, { ...json, normalizer, frame: this.frame }, settings, (role) => id(token(role)));
    const lacking = (["bos", "eos", "pad"] as const).filter(
      (role) => token(role) !== undefined && id(token(role)) === undefined,
    );
    this.notes = [
      ...(assembled?.notes ?? []),
      ...(rebuilt === undefined ? [] : [rebuilt]),
      ...lacking.map(
        (role) =>
          `The ${role}_token ${shown(token(role))} is not in the vocabulary. AutoTokenizer would add it, with an id that the model has no row for; here it is left out.`,
      ),
    ];
  }

  /**
   * The tokenizer that the parsed content of a `tokenizer.json` describes. `tokenizer_config.json` names the BOS, EOS
   * and padding tokens, and so do the other files next to it; without any, a special token called `<|BOS|>`, `<s>`,
   * `<|endoftext|>` or the like is used. `truncation` and `padding` in the file are not applied: `TokenRules` decides both.
   * @throws FileFormatError if one is not such a file, or has something unsupported.
   */
  static fromJson(
    tokenizerJson: unknown,
    tokenizerConfigJson?: unknown,
    more: Omit<FilesBeside, "tokenizerConfig"> = {},
  ): Tokenizer {
    const json = readTokenizerJson(tokenizerJson);
    const files = new Map([["tokenizer.json", tokenizerJson]]);
    if (tokenizerConfigJson !== undefined) files.set("tokenizer_config.json", tokenizerConfigJson);
    if (more.specialTokensMap !== undefined) files.set("special_tokens_map.json", more.specialTokensMap);
    if (more.addedTokens !== undefined) files.set("added_tokens.json", more.addedTokens);
    return new Tokenizer(json, { tokenizerConfig: tokenizerConfigJson, ...more }, files);
  }

  /**
   * The tokenizer of a vocabulary in another form than a `tokenizer.json`, with what its class puts around it. `files` has the
   * equivalent `tokenizer.json`.
   * @throws FileFormatError if one of the files is not of its kind
   */
  static assembled(vocabulary: Assembled, beside: FilesBeside = {}): Tokenizer {
    const files = new Map<string, unknown>();
    if (beside.tokenizerConfig !== undefined) files.set("tokenizer_config.json", beside.tokenizerConfig);
    if (beside.specialTokensMap !== undefined) files.set("special_tokens_map.json", beside.specialTokensMap);
    return new Tokenizer(readTokenizerJson(vocabulary.json), beside, files, vocabulary);
  }

  /** The token ids of a text. */
  encode(text: string, options: EncodeOptions = {}): number[] {
    checkOptions("encode", options, ENCODE_OPTIONS);
    const { addSpecialTokens = true, maxLength = Infinity } = options;
    const { before, after } = addSpecialTokens ? this.frame : NO_FRAME;
    const most = Math.max(0, maxLength - before.length - after.length);
    const out = [...before];
    for (const { ids } of this.stretches(text)) {
      if (out.length - before.length >= most) break;
      for (const id of ids) out.push(id);
    }
    if (out.length > before.length + most) out.length = before.length + most;
    out.push(...after);
    return out;
  }

  /**
   * The text of token ids. Nothing is cleaned up: `decode(encode(text))` is the text, if the normalizer left it as it
   * was. Bytes that do not form a character (half of an emoji) become U+FFFD.
   * @throws InputError for an id outside the vocabulary.
   */
  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    checkOptions("decode", options, DECODE_OPTIONS);
    if (typeof ids !== "object" || ids === null || !Number.isSafeInteger(ids.length)) {
      throw new ArgumentError(`decode takes a list of token ids, not ${kindOf(ids)}.`, { asked: ids });
    }
    const { skipSpecialTokens = false } = options;
    const tokens: string[] = [];
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i];
      if (!Number.isInteger(id)) {
        throw new ArgumentError(`Token ids must be whole numbers, but the list has ${shown(id)} at ${i}.`, {
          asked: id,
        });
      }
      const token = this.idToToken(id);
      if (token === undefined) throw this.#outside(id);
      if (!(skipSpecialTokens && this.#added.isSpecial(token))) tokens.push(token);
    }
    return this.#decode(tokens).join("");
  }

  /** The token as the vocabulary writes it ("Ġthe", not " the"); undefined for an id outside the vocabulary. */
  idToToken(id: number): string | undefined {
    return this.#added.tokenOf(id) ?? this.#model.vocabulary.tokenOf(id);
  }

  /**
   * The bytes of UTF-8 that a token stands for, with the spaces in front that the vocabulary writes as "▁": part of a character, if
   * the vocabulary is one of bytes, or has bytes for characters that it lacks (`<0xE6>`).
   * @throws InputError for an id outside the vocabulary
   */
  bytesOf(id: number): Uint8Array {
    const token = this.idToToken(id);
    if (token === undefined) throw this.#outside(id);
    if (this.#byteLevel) return bytesOfToken(token);
    const text = this.#decode([token]).join("");
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token);
    if (byte && text !== token) return Uint8Array.of(Number.parseInt(byte[1], 16));
    // Decoders remove the space before the first token.
    const removed = text.startsWith("▁") ? 0 : /^▁*/.exec(token)![0].length - /^ */.exec(text)![0].length;
    return encoder.encode(" ".repeat(Math.max(0, removed)) + text);
  }

  /** The id of a token written as the vocabulary writes it ("Ġthe"). */
  tokenToId(token: string): number | undefined {
    return this.#added.idOf(token) ?? this.#model.vocabulary.idOf(token);
  }

  /**
   * For each token of `encode(text, options)`, the range `[start, end)` of the text that it stands for, in UTF-16 units
   * (`text.slice(start, end)`). Ranges rise and, together, cover the text; a token's leading space is in its range. Tokens
   * that share a character (the bytes of an emoji) each have the whole character's range, as in Hugging Face's library;
   * where the normalizer joins a letter and its accent, the range covers both (Hugging Face's leaves the accent out).
   * A token that stands for nothing in the text (an added BOS) has an empty range.
   * @throws InputError if the tokenizer is not a byte-level one.
   */
  offsets(text: string, options: Pick<EncodeOptions, "addSpecialTokens"> = {}): [number, number][] {
    checkOptions("offsets", options, OFFSETS_OPTIONS);
    const { addSpecialTokens = true } = options;
    if (!this.#byteLevel) {
      throw new InputError(
        "Character offsets are only available for byte-level tokenizers (GPT-2, GPT-NeoX, the NeelNanda models), but this is another kind.",
      );
    }
    const { before, after } = addSpecialTokens ? this.frame : NO_FRAME;
    const inside = offsetsOf(this.stretches(text), (id) => this.idToToken(id)!, this.#normalizer.apply);
    return [
      ...before.map((): [number, number] => [0, 0]),
      ...inside,
      ...after.map((): [number, number] => [text.length, text.length]),
    ];
  }

  /** The tokens of a text with the stretches that they were made from, in order. */
  stretches(text: string): Stretch[] {
    if (typeof text !== "string") {
      throw new ArgumentError(`A tokenizer takes a text, not ${kindOf(text)}.`, { asked: text });
    }
    const whole = wellFormed(text);
    const out: Stretch[] = [];
    for (const cut of this.#added.splitGiven(whole)) {
      const given = whole.slice(cut.start, cut.end);
      if (cut.id !== null) {
        const section = { start: cut.start, given, normalized: given };
        out.push({ ids: [cut.id], added: true, section, from: 0, to: given.length });
        continue;
      }
      const section = { start: cut.start, given, normalized: this.#normalizer.apply(given) };
      // The first character of the whole text, for components that depend on it.
      const first = cut.start === 0 ? (given.codePointAt(0)! > 0xffff ? 2 : 1) : 0;
      const leading = first === 0 || !this.#asksForFirst ? 0 : this.#normalizer.leading(given, first);
      for (const { start, end, id } of this.#added.splitNormalized(section.normalized)) {
        const here = Math.max(0, Math.min(leading, end) - start);
        const ids = id === null ? this.#modelIds(section.normalized.slice(start, end), here) : [id];
        out.push({ ids, added: id !== null, section, from: start, to: end });
      }
    }
    return out;
  }

  #modelIds(text: string, leading: number): number[] {
    const ids: number[] = [];
    const take = (word: string) => {
      for (const id of this.#wordIds(word)) ids.push(id);
    };
    if (this.#preTokenizer === undefined) take(text);
    else this.#preTokenizer(text, leading, take);
    return ids;
  }

  #wordIds(word: string): readonly number[] {
    if (word.length > LONGEST_WORD) return this.#model.idsOf(word);
    const known = this.#words.get(word);
    if (known) return known;
    const ids = this.#model.idsOf(word);
    if (this.#words.size >= MOST_WORDS) this.#words.clear();
    this.#words.set(word, ids);
    return ids;
  }

  #outside(id: number): InputError {
    return new InputError(
      `Token id ${id} is outside the tokenizer's vocabulary of ${this.vocabSize} tokens (0 to ${this.vocabSize - 1}). Was the id made with another tokenizer?`,
      { asked: id, found: this.vocabSize },
    );
  }
}

/** Tokens that a file names are special if the vocabulary has them, even if `added_tokens` does not list them. */
function withNamedTokens(
  added: readonly AddedToken[],
  special: SpecialTokens,
  isInVocabulary: (token: string) => boolean,
): AddedToken[] {
  const out = [...added];
  for (const token of [...Object.values(special.named), ...special.namedOtherwise]) {
    if (isInVocabulary(token.content) && !out.some((t) => t.content === token.content)) out.push(token);
  }
  return out;
}
