/**
 * Turns prompts into the tokens that a model reads, and back: BOS, padding, truncation and token strings by the rules of
 * TransformerLens 2.18 (`HookedTransformer.to_tokens` and related methods, under their own names in camelCase).
 */
import { type NDArray, ndarray } from "../tensor/array.ts";
import { ArgumentError, InputError, ShapeError } from "../tensor/errors.ts";
import { COUNT, FLAG, instanceOf, oneOf } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shortened, shown } from "../tensor/show.ts";
import { attentionMask, type PaddingSide } from "./attention-mask.ts";
import { notedPadding, notePadding } from "./padding.ts";
import { shownTokens } from "./shown-tokens.ts";
import { checkId, idRows, type TokenIds, type Tokens } from "./token-ids.ts";
import { type DecodeOptions, Tokenizer } from "./tokenizer.ts";

export interface TokenRulesOptions {
  readonly tokenizer: Tokenizer;
  /** The longest prompt in tokens, including BOS. */
  readonly nCtx: number;
  /** How many ids the model has. An id below that the tokenizer lacks (a row that only pads the matrices) stands for no text. */
  readonly dVocab?: number | undefined;
  readonly defaultPrependBos?: boolean | undefined;
  readonly defaultPaddingSide?: PaddingSide | undefined;
}

/** Options that change a default for one call. */
export interface ToTokensOptions {
  /** Whether each row begins with BOS, whatever adds it. Default: the rules' `defaultPrependBos`. */
  readonly prependBos?: boolean | undefined;
  /** The side on which shorter rows are padded. Default: the rules' `defaultPaddingSide`. */
  readonly paddingSide?: PaddingSide | undefined;
  /** Cut rows after `nCtx` tokens, including BOS. Default true. */
  readonly truncate?: boolean | undefined;
}

const SIDE = oneOf(["left", "right"]);
const TO_TOKENS: OptionKinds<ToTokensOptions> = { prependBos: FLAG, paddingSide: SIDE, truncate: FLAG };
const RULES: OptionKinds<TokenRulesOptions> = {
  tokenizer: instanceOf(Tokenizer as never, "a Tokenizer"),
  nCtx: COUNT,
  dVocab: COUNT,
  defaultPrependBos: FLAG,
  defaultPaddingSide: SIDE,
};
const ATTENTION_MASK: OptionKinds<Omit<ToTokensOptions, "truncate">> = { prependBos: FLAG, paddingSide: SIDE };

const encoder = new TextEncoder();

/** TransformerLens' fallback if a tokenizer names no end-of-text token. */
const FALLBACK_EOS = "<|endoftext|>";

/** Converts prompts to tokens by TransformerLens' rules: BOS, truncation, padding. */
export class TokenRules {
  readonly tokenizer: Tokenizer;
  readonly nCtx: number;
  /** How many ids the model has; 0 if that is not known. */
  readonly dVocab: number;
  readonly defaultPrependBos: boolean;
  readonly defaultPaddingSide: PaddingSide;
  /** The tokenizer's own, or `<|endoftext|>`. */
  readonly eosToken: string;
  /** The tokenizer's own, or the EOS token. */
  readonly padToken: string;
  /** The tokenizer's own, or the EOS token. */
  readonly bosToken: string;
  /** Undefined if the vocabulary has no such token; likewise the next two. */
  readonly eosTokenId: number | undefined;
  readonly padTokenId: number | undefined;
  readonly bosTokenId: number | undefined;
  /** Whether the tokenizer itself puts tokens around a text, that is, whether the empty text has tokens. None is added then. */
  readonly tokenizerPrependsBos: boolean;

  constructor(options: TokenRulesOptions) {
    checkOptions("TokenRules", options, RULES);
    const { tokenizer, nCtx, defaultPrependBos = true, defaultPaddingSide = "right" } = options;
    if (!tokenizer || !nCtx) {
      throw new ArgumentError("TokenRules needs a tokenizer and nCtx, the longest prompt in tokens.", {
        asked: options,
      });
    }
    this.tokenizer = tokenizer;
    this.nCtx = nCtx;
    this.dVocab = options.dVocab ?? 0;
    this.defaultPrependBos = defaultPrependBos;
    this.defaultPaddingSide = defaultPaddingSide;
    this.eosToken = tokenizer.eosToken ?? FALLBACK_EOS;
    this.padToken = tokenizer.padToken ?? this.eosToken;
    this.bosToken = tokenizer.bosToken ?? this.eosToken;
    this.eosTokenId = tokenizer.tokenToId(this.eosToken);
    this.padTokenId = tokenizer.tokenToId(this.padToken);
    this.bosTokenId = tokenizer.tokenToId(this.bosToken);
    this.tokenizerPrependsBos = tokenizer.encode("").length > 0;
  }

  /**
   * The tokens of one prompt or several, [batch, pos] (one prompt is a batch of one). If BOS is wanted and the tokenizer
   * does not add it, its *string* is put before the text; if it is not wanted and the tokenizer adds it, it is removed.
   * Rows are cut after `nCtx` tokens, then padded to the longest with the padding token. Which tokens are padding is
   * remembered for the returned object, as long as it is passed on unchanged: a run masks those and no others.
   * @throws InputError for an empty list, a text without tokens, or a BOS or padding token that is needed but that
   * the vocabulary lacks.
   */
  toTokens(input: string | readonly string[], options: ToTokensOptions = {}): NDArray<"int32"> {
    checkOptions("toTokens", options, TO_TOKENS);
    const texts = textsOf(input);
    return this.#padded(
      texts.map((text) => this.#row(text, options)),
      options.paddingSide ?? this.defaultPaddingSide,
    );
  }

  /**
   * The text of tokens: a string for [pos], a list with one string per row for [batch, pos]. Special tokens are kept and
   * nothing is cleaned up.
   * @throws InputError for an id outside the vocabulary.
   */
  toString(tokens: TokenIds): string;
  toString(tokens: readonly TokenIds[]): string[];
  toString(tokens: NDArray<"int32">): string | string[];
  toString(tokens: Tokens): string | string[] {
    const { rows, single } = idRows(tokens);
    return single ? this.decode(rows[0]) : rows.map((row) => this.decode(row));
  }

  /**
   * The string of each token, decoded by itself, special ones too: a list for a text or [pos], a list of lists for several
   * texts or [batch, pos]. A token that is part of a character (some bytes of an emoji) reads as U+FFFD.
   * A text is tokenized as in `toTokens`, but not padded. Unlike TransformerLens, [1, pos] keeps its batch axis.
   * @throws InputError as `toTokens`, and for an id outside the vocabulary.
   */
  toStrTokens(input: string | TokenIds, options?: ToTokensOptions): string[];
  toStrTokens(input: readonly string[] | readonly TokenIds[], options?: ToTokensOptions): string[][];
  toStrTokens(input: NDArray<"int32">, options?: ToTokensOptions): string[] | string[][];
  toStrTokens(input: string | readonly string[] | Tokens, options: ToTokensOptions = {}): string[] | string[][] {
    checkOptions("toStrTokens", options, TO_TOKENS);
    const one = (row: ArrayLike<number>) => Array.from(row, (id) => this.toSingleStrToken(id));
    if (typeof input === "string") return one(this.#row(input, options));
    if (isTexts(input)) return textsOf(input).map((text) => one(this.#row(text, options)));
    const { rows, single } = idRows(input);
    return single ? one(rows[0]) : rows.map(one);
  }

  /**
   * The texts of consecutive tokens as a reader sees them: a character whose bytes are split over tokens is whole in each, with a mark
   * of which part the token is (日¹⁄₃), and bytes that form no character are `\\xE6`, where `toStrTokens` has U+FFFD. An id that
   * stands for no text is in brackets.
   * @throws InputError for an id outside the vocabulary
   */
  shownTokens(ids: TokenIds): string[] {
    const { rows } = idRows([ids]);
    return shownTokens(Array.from(rows[0], (id) => this.#bytesOf(id)));
  }

  #bytesOf(id: number): Uint8Array {
    const lacking = id < this.dVocab && this.tokenizer.idToToken(id) === undefined;
    return lacking ? encoder.encode(`[${id}]`) : this.tokenizer.bytesOf(id);
  }

  /**
   * The id of a text that is exactly one token, without what the tokenizer puts around texts.
   * @throws InputError if it is not exactly one token; the message lists the tokens.
   */
  toSingleToken(text: string): number {
    if (typeof text !== "string") {
      throw new InputError(`toSingleToken takes a text that is one token, not ${shown(text)}.`, { asked: text });
    }
    const row = this.tokenizer.encode(text, { addSpecialTokens: false });
    if (row.length !== 1) {
      const texts = this.shownTokens(row);
      const list = row.map((id, i) => `${shown(texts[i])} (${id})`).join(", ");
      throw new InputError(
        row.length === 0
          ? "An empty text is not a token: give a text that is exactly one."
          : `${shown(text)} is not a single token but ${row.length}: ${shortened(list)}. Mind the leading space: " word" and "word" differ.`,
        { asked: text, found: row },
      );
    }
    return row[0];
  }

  /** The string of one token id. @throws InputError for an id outside the vocabulary. */
  toSingleStrToken(id: number): string {
    checkId(id);
    return this.decode([id]);
  }

  /**
   * The text of ids, as the tokenizer decodes them; those of the model's vocabulary that the tokenizer lacks are left out, as in
   * transformers.
   * @throws InputError for an id outside the model's vocabulary and the tokenizer's
   */
  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    const known = Array.from(ids).filter((id) => id >= this.dVocab || this.tokenizer.idToToken(id) !== undefined);
    return this.tokenizer.decode(known, options);
  }

  /**
   * The position of a token in a prompt, counting BOS if there is one. The token is an id or a text that is one token;
   * the prompt is a text, [pos] or [1, pos].
   * @throws InputError if the token does not occur in the prompt or is not one; ShapeError for more than one row.
   */
  getTokenPosition(
    singleToken: string | number,
    input: string | TokenIds | NDArray<"int32">,
    mode: "first" | "last" = "first",
    options: ToTokensOptions = {},
  ): number {
    if (mode !== "first" && mode !== "last") {
      throw new ArgumentError(`The mode of getTokenPosition must be "first" or "last", not ${shown(mode)}.`, {
        asked: mode,
      });
    }
    checkOptions("getTokenPosition", options, TO_TOKENS);
    const rows = typeof input === "string" ? [this.#row(input, options)] : idRows(input).rows;
    if (rows.length !== 1) {
      throw new ShapeError(
        `getTokenPosition takes one prompt, [pos] or [1, pos], not ${rows.length} rows: pass the row that you mean.`,
        { asked: "[1, pos]", found: rows.length },
      );
    }
    const id = typeof singleToken === "string" ? this.toSingleToken(singleToken) : singleToken;
    checkId(id);
    const row = Array.from(rows[0]);
    const position = mode === "first" ? row.indexOf(id) : row.lastIndexOf(id);
    if (position < 0) {
      const prompt = row
        .slice(0, 100)
        .map((t) => shown(this.toSingleStrToken(t)))
        .join(", ");
      throw new InputError(
        `The token does not occur in the prompt: ${shown(this.toSingleStrToken(id))} (${id}) is not one of ${shortened(prompt)}.`,
        { asked: singleToken, found: rows[0] },
      );
    }
    return position;
  }

  /** For each token of a text, as in `toTokens`, its range `[start, end)` in the text; BOS has an empty one. See `Tokenizer.offsets`. */
  offsets(text: string, options: ToTokensOptions = {}): [number, number][] {
    checkOptions("offsets", options, TO_TOKENS);
    checkText(text);
    const { prefix, dropFirst, limit } = this.#plan(options);
    const ranges = this.tokenizer.offsets(prefix + text).slice(dropFirst ? 1 : 0, limit);
    const shift = (at: number) => Math.max(0, at - prefix.length);
    return ranges.map(([start, end]) => [shift(start), shift(end)]);
  }

  /**
   * True where a token is text and false where it is padding, [batch, pos]: the padding that `toTokens` added to the tokens that it
   * made. For other tokens it is the run of padding tokens on the padded side, which is a guess if texts may
   * contain that token themselves: see the function `attentionMask`. Runs of a model never guess.
   */
  attentionMask(tokens: NDArray<"int32">, options: Omit<ToTokensOptions, "truncate"> = {}): NDArray<"bool"> {
    checkOptions("attentionMask", options, ATTENTION_MASK);
    idRows(tokens);
    const { paddingSide = this.defaultPaddingSide, prependBos = this.defaultPrependBos } = options;
    const { padTokenId, bosTokenId } = this;
    return notedPadding(tokens) ?? attentionMask(tokens, { paddingSide, prependBos, padTokenId, bosTokenId });
  }

  /** How BOS and the limit apply: the text to put in front, whether to drop the first token, and how many tokens to keep. */
  #plan({ prependBos = this.defaultPrependBos, truncate = true }: ToTokensOptions) {
    if (prependBos && !this.tokenizerPrependsBos && this.bosTokenId === undefined) {
      throw new InputError(
        `BOS cannot be added, because "${this.bosToken}" is not in the tokenizer's vocabulary: pass prependBos: false, or name bos_token in tokenizer_config.json.`,
        { asked: this.bosToken },
      );
    }
    return {
      prefix: prependBos && !this.tokenizerPrependsBos ? this.bosToken : "",
      // T5's only puts EOS after a text.
      dropFirst: !prependBos && this.tokenizer.frame.before.length > 0,
      limit: truncate ? this.nCtx : Infinity,
    };
  }

  #row(text: string, options: ToTokensOptions): number[] {
    checkText(text);
    const { prefix, dropFirst, limit } = this.#plan(options);
    const ids = this.tokenizer.encode(prefix + text, { maxLength: limit });
    const row = dropFirst ? ids.slice(1) : ids;
    if (row.length === 0) {
      throw new InputError(
        `The text ${shown(text)} has no tokens: give some text, or pass prependBos: true for BOS alone.`,
        { asked: text },
      );
    }
    return row;
  }

  #padded(rows: readonly number[][], side: PaddingSide): NDArray<"int32"> {
    const pos = Math.max(...rows.map((row) => row.length));
    const ragged = rows.some((row) => row.length < pos);
    if (ragged && this.padTokenId === undefined) {
      throw new InputError(
        `The prompts have different lengths, but the padding token "${this.padToken}" is not in the tokenizer's vocabulary: tokenize them one at a time, or name pad_token in tokenizer_config.json.`,
        { asked: this.padToken },
      );
    }
    const data = new Int32Array(rows.length * pos).fill(this.padTokenId ?? 0);
    const text = new Uint8Array(data.length);
    rows.forEach((row, i) => {
      const start = i * pos + (side === "left" ? pos - row.length : 0);
      data.set(row, start);
      text.fill(1, start, start + row.length);
    });
    const tokens = ndarray("int32", [rows.length, pos], data);
    notePadding(tokens, ndarray("bool", [rows.length, pos], text));
    return tokens;
  }
}

function isTexts(input: unknown): input is readonly string[] {
  return Array.isArray(input) && typeof input[0] === "string";
}

/** The texts to tokenize. @throws InputError for something that is not text, or an empty list */
function textsOf(input: unknown): readonly string[] {
  if (!Array.isArray(input)) return [checkText(input)];
  if (input.length === 0) throw new InputError("There is no text to tokenize: the list of prompts is empty.");
  for (const text of input) checkText(text);
  return input;
}

function checkText(text: unknown): string {
  if (typeof text === "string") return text;
  throw new InputError(`Expected a text, or a list of texts, not ${shown(text)}.`, {
    asked: text,
  });
}
