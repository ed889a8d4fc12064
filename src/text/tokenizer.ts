/**
 * A Hugging Face tokenizer: text to token ids and back, equal to the Python library's (`tokenizers` 0.23) for the same
 * `tokenizer.json`. Normalizers, pre-tokenizers, BPE and the other models are those of `@huggingface/tokenizers`; the
 * added tokens, what goes around a text, and byte-level decoding are ours, because there the two libraries differ.
 */
import { FileFormatError, InputError } from "../tensor/errors.ts";
import { AddedVocabulary } from "./added-vocabulary.ts";
import { textOfTokens } from "./byte-level.ts";
import { Tokenizer as HuggingFaceTokenizer, type Model, type Parts } from "./hugging-face.ts";
import { offsetsOf } from "./offsets.ts";
import { type Frame, frameOf } from "./post-processor.ts";
import { useUnicodeClasses } from "./pre-tokenizer-classes.ts";
import { specialTokens } from "./special-tokens.ts";
import { type AddedToken, readTokenizerJson, type TokenizerConfigJson, type TokenizerJson } from "./tokenizer-json.ts";

/** Tokens that were made together from one stretch of the text: an added token, or what the model made of the rest. */
export interface Stretch {
  readonly ids: readonly number[];
  /** An added token stands for its whole stretch. */
  readonly added: boolean;
  /** The section of the text that was normalized as one: where it starts in the text, before and after normalizing. */
  readonly section: { readonly start: number; readonly given: string; readonly normalized: string };
  /** The stretch within `section.normalized`, in UTF-16 units. */
  readonly from: number;
  readonly to: number;
}

export interface EncodeOptions {
  /** Put the tokenizer's own BOS and EOS around the text, where it has such a rule. Default true. */
  readonly addSpecialTokens?: boolean;
  /** Keep at most this many tokens, special ones included; what is too much is cut off the end of the text. */
  readonly maxLength?: number;
}

export interface DecodeOptions {
  /** Leave out the tokens marked special. Default false. */
  readonly skipSpecialTokens?: boolean;
}

/** Text to tokens and back, as Hugging Face's Python library does it for the same `tokenizer.json`. */
export class Tokenizer {
  readonly bosToken: string | undefined;
  readonly eosToken: string | undefined;
  readonly padToken: string | undefined;
  /** Ids of these tokens; undefined where there is none, or the vocabulary does not hold it. */
  readonly bosTokenId: number | undefined;
  readonly eosTokenId: number | undefined;
  readonly padTokenId: number | undefined;
  /** How many different tokens there are, added ones included. */
  readonly vocabSize: number;
  /** What it was made from, by file: `tokenizer.json` and, if there was one, `tokenizer_config.json`, parsed. */
  readonly files: ReadonlyMap<string, unknown>;

  readonly #parts: Parts;
  readonly #model: Model;
  readonly #decode: (tokens: string[]) => string;
  readonly #added: AddedVocabulary;
  readonly #frame: Frame;
  readonly #byteLevel: boolean;

  private constructor(json: TokenizerJson, special: TokenizerConfigJson, files: ReadonlyMap<string, unknown>) {
    this.files = files;
    this.#parts = assemble(json);
    useUnicodeClasses(this.#parts.pre_tokenizer);
    this.#model = this.#parts.model;
    const vocabulary = this.#model.tokens_to_ids;
    const addedTokens = withNamedTokens(json.addedTokens, special, vocabulary);
    this.#added = new AddedVocabulary(addedTokens, vocabulary, (text) => this.#normalize(text));
    this.#frame = frameOf(json.postProcessor);
    this.#byteLevel = json.decoder?.type === "ByteLevel";
    this.#decode = this.#byteLevel ? textOfTokens : decodeWith(this.#parts.decoder);

    let size = vocabulary.size;
    for (const [content] of this.#added.entries()) if (!vocabulary.has(content)) size++;
    this.vocabSize = size;
    const id = (name: string | undefined) => (name === undefined ? undefined : this.tokenToId(name));
    this.bosToken = special.bos;
    this.eosToken = special.eos;
    this.padToken = special.pad;
    this.bosTokenId = id(special.bos);
    this.eosTokenId = id(special.eos);
    this.padTokenId = id(special.pad);
  }

  /**
   * The tokenizer that the parsed content of a `tokenizer.json` describes. `tokenizer_config.json` names the BOS, EOS
   * and padding tokens; without it, a special token called `<|BOS|>`, `<s>`, `<|endoftext|>` or the like is taken.
   * `truncation` and `padding` in the file are not applied: `TokenRules` decides both.
   * @throws FileFormatError if either is not such a file.
   */
  static fromJson(tokenizerJson: unknown, tokenizerConfigJson?: unknown): Tokenizer {
    const json = readTokenizerJson(tokenizerJson);
    const files = new Map([["tokenizer.json", tokenizerJson]]);
    if (tokenizerConfigJson !== undefined) files.set("tokenizer_config.json", tokenizerConfigJson);
    return new Tokenizer(json, specialTokens(tokenizerConfigJson, json.addedTokens), files);
  }

  /** The token ids of a text. */
  encode(text: string, { addSpecialTokens = true, maxLength = Infinity }: EncodeOptions = {}): number[] {
    const { before, after } = addSpecialTokens ? this.#frame : { before: [], after: [] };
    const ids = this.stretches(text).flatMap((stretch) => stretch.ids);
    return [...before, ...ids.slice(0, Math.max(0, maxLength - before.length - after.length)), ...after];
  }

  /**
   * The text of token ids. Nothing is cleaned up: `decode(encode(text))` is the text, where the normalizer left it as it
   * was. Bytes that make no character (half of an emoji) become U+FFFD.
   * @throws InputError for an id outside the vocabulary.
   */
  decode(ids: ArrayLike<number>, { skipSpecialTokens = false }: DecodeOptions = {}): string {
    const tokens: string[] = [];
    for (let i = 0; i < ids.length; i++) {
      const token = this.idToToken(ids[i]);
      if (token === undefined) throw this.#outside(ids[i]);
      if (!(skipSpecialTokens && this.#added.isSpecial(ids[i]))) tokens.push(token);
    }
    return this.#decode(tokens);
  }

  /** The token as the vocabulary writes it ("Ġthe", not " the"); undefined for an id outside the vocabulary. */
  idToToken(id: number): string | undefined {
    return this.#added.tokenOf(id) ?? this.#model.vocab[id];
  }

  /** The id of a token written as the vocabulary writes it ("Ġthe"). */
  tokenToId(token: string): number | undefined {
    return this.#added.idOf(token) ?? this.#model.tokens_to_ids.get(token);
  }

  /**
   * For each token of `encode(text, options)`, the stretch `[start, end)` of the text that it stands for, in UTF-16 units
   * (`text.slice(start, end)`). Ranges rise and, together, cover the text; a token's leading space is in its range. Tokens
   * that share a character (the bytes of an emoji) each have the whole character's range, as in Hugging Face's library;
   * where the normalizer joins a letter and its accent, the range is both (Hugging Face's leaves the accent out).
   * A token that stands for nothing in the text (BOS put before it) has an empty range.
   * @throws InputError if the tokenizer is not a byte-level one.
   */
  offsets(text: string, { addSpecialTokens = true }: Pick<EncodeOptions, "addSpecialTokens"> = {}): [number, number][] {
    if (!this.#byteLevel) {
      throw new InputError(
        "Character offsets are known for byte-level tokenizers (GPT-2, GPT-NeoX, the NeelNanda models) alone, and this is another kind.",
      );
    }
    const { before, after } = addSpecialTokens ? this.#frame : { before: [], after: [] };
    const inside = offsetsOf(
      this.stretches(text),
      (id) => this.idToToken(id)!,
      (piece) => this.#normalize(piece),
    );
    return [
      ...before.map((): [number, number] => [0, 0]),
      ...inside,
      ...after.map((): [number, number] => [text.length, text.length]),
    ];
  }

  /** The tokens of a text with the stretches that they were made from, in order. */
  stretches(text: string): Stretch[] {
    const out: Stretch[] = [];
    const cuts = this.#added.splitGiven(text);
    cuts.forEach((cut, sectionIndex) => {
      const given = text.slice(cut.start, cut.end);
      if (cut.id !== null) {
        const section = { start: cut.start, given, normalized: given };
        out.push({ ids: [cut.id], added: true, section, from: 0, to: given.length });
        return;
      }
      const section = { start: cut.start, given, normalized: this.#normalize(given) };
      for (const { start, end, id } of this.#added.splitNormalized(section.normalized)) {
        const ids = id === null ? this.#modelIds(section.normalized.slice(start, end), sectionIndex) : [id];
        out.push({ ids, added: id !== null, section, from: start, to: end });
      }
    });
    return out;
  }

  #normalize(text: string): string {
    return this.#parts.normalizer === null ? text : this.#parts.normalizer(text);
  }

  #modelIds(text: string, sectionIndex: number): number[] {
    const words = this.#parts.pre_tokenizer?.(text, { section_index: sectionIndex }) ?? [text];
    const { tokens_to_ids, unk_token_id } = this.#model;
    return this.#model(words)
      .map((token) => tokens_to_ids.get(token) ?? unk_token_id)
      .filter((id) => id !== undefined);
  }

  #outside(id: number): InputError {
    return new InputError(
      `Token id ${id} is outside the tokenizer's vocabulary of ${this.vocabSize} tokens (0 to ${this.vocabSize - 1}). Was the id made with another tokenizer?`,
      { asked: id, found: this.vocabSize },
    );
  }
}

/** Hugging Face's parts, without its added tokens. */
function assemble(json: TokenizerJson): Parts {
  const parts = {
    added_tokens: [],
    normalizer: json.normalizer,
    pre_tokenizer: json.preTokenizer,
    post_processor: null,
    decoder: json.decoder,
    model: json.model,
  };
  try {
    return new HuggingFaceTokenizer(parts, {});
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FileFormatError(`The tokenizer.json cannot be read: ${why}.`, { cause });
  }
}

/** BOS, EOS and padding are special wherever the vocabulary holds them, also if `added_tokens` forgets them. */
function withNamedTokens(
  added: readonly AddedToken[],
  special: TokenizerConfigJson,
  vocabulary: ReadonlyMap<string, number>,
): AddedToken[] {
  const out = [...added];
  for (const content of [special.bos, special.eos, special.pad]) {
    if (content === undefined || !vocabulary.has(content) || out.some((t) => t.content === content)) continue;
    out.push({ content, singleWord: false, lstrip: false, rstrip: false, normalized: false, special: true });
  }
  return out;
}

function decodeWith(decoder: Parts["decoder"]): (tokens: string[]) => string {
  return decoder === null ? (tokens) => tokens.join(" ") : (tokens) => decoder(tokens);
}
