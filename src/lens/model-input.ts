/** A model's input, and how it is prepared for the forward pass. */
import { Tensor } from "../graph/tensor.ts";
import { compose } from "../models/compose.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import { type NDArray, ndarray } from "../tensor/array.ts";
import { ArgumentError, InputError, ShapeError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { counted } from "../tensor/words.ts";
import { notedPadding } from "../text/padding.ts";
import type { TokenRules, ToTokensOptions } from "../text/token-rules.ts";
import { decoderTokens } from "./decoder-input.ts";
import { isTexts, type ModelInput, readTokens } from "./tokens.ts";

/** How an input is read. `prependBos` and `paddingSide` are for texts. */
export interface InputOptions extends Pick<ToTokensOptions, "prependBos" | "paddingSide"> {
  /**
   * bool (or 0 and 1) [batch pos]: false where a position is padding. By default padding is what was added to texts of
   * different lengths, also if `model.toTokens` made their tokens before; in other ids nothing is padding, whatever their
   * numbers.
   */
  readonly attentionMask?: Tensor | readonly (readonly (number | boolean)[])[] | undefined;
  /**
   * Models that embed token types (BERT): the type of each token, int32 [batch pos], 0 for tokens of a first text and 1 for
   * those of a second; default: 0 everywhere.
   */
  readonly tokenTypeIds?: Tensor | readonly (readonly number[])[] | undefined;
  /**
   * Encoder-decoders: what the decoder reads, token ids that begin with the decoder's first token, or texts, before which it is
   * put; default: that token alone.
   */
  readonly decoderInput?: ModelInput | undefined;
}

/** The input options among a call's options. */
export function inputOptions(options: InputOptions): InputOptions {
  const { prependBos, paddingSide, attentionMask, tokenTypeIds, decoderInput } = options;
  return { prependBos, paddingSide, attentionMask, tokenTypeIds, decoderInput };
}

/** Where texts are padded; ids stay as they are. */
export function paddedOn(side: "left" | "right", input: unknown): Pick<InputOptions, "paddingSide"> {
  return typeof input === "string" || isTexts(input) ? { paddingSide: side } : {};
}

/** What the forward pass takes. */
export interface PreparedInput {
  readonly tokens: Tensor;
  readonly attentionMask: Tensor | undefined;
  readonly tokenTypes?: Tensor | undefined;
  readonly decoderTokens?: Tensor | undefined;
}

/**
 * Tokens int32 [batch pos], checked against the vocabulary and the context. A text that does not fit is refused, and not cut as by
 * `toTokens`.
 * @throws InputError for no tokens, ids outside the vocabulary, or more than `nCtx`; ShapeError for another shape;
 * ArgumentError for an option that is only for texts, with tokens.
 */
export function prepareInput(
  input: ModelInput,
  options: InputOptions,
  cfg: HookedTransformerConfig,
  text: TokenRules | undefined,
  earlier = 0,
): PreparedInput {
  const texts = typeof input === "string" || isTexts(input);
  const { prependBos, paddingSide } = options;
  const tokens = readTokens(input, { cfg, text }, texts ? { prependBos, paddingSide, truncate: false } : {});
  checkLength(tokens, cfg, earlier, texts);
  const more = {
    tokenTypes: givenTypes(options.tokenTypeIds, tokens, cfg),
    decoderTokens: decoderTokens(options.decoderInput, tokens, { cfg, text }),
  };
  if (options.attentionMask !== undefined) {
    return { tokens, attentionMask: givenMask(options.attentionMask, tokens), ...more };
  }
  const noted = notedPadding(tokens.array!);
  if (!texts && !noted) onlyForTexts(options);
  return { tokens, attentionMask: noted?.data.includes(0) ? maskLeaf(noted) : undefined, ...more };
}

/**
 * The type of each token, int32 [batch pos].
 * @throws ArgumentError for a model that embeds none; ShapeError for another shape; InputError for a type that it lacks
 */
function givenTypes(types: unknown, tokens: Tensor, cfg: HookedTransformerConfig): Tensor | undefined {
  if (types === undefined) return undefined;
  const { tokenTypes: count } = compose(cfg);
  if (count === 0) {
    throw new ArgumentError(`tokenTypeIds are for models that embed token types, which ${cfg.modelName} does not.`, {
      asked: "tokenTypeIds",
    });
  }
  const { shape, data } = types instanceof Tensor ? computed("tokenTypeIds", types) : nested("tokenTypeIds", types);
  if (shape.join() !== tokens.shape.join()) {
    throw new ShapeError(
      `tokenTypeIds have shape [${shape.join(", ")}], but the tokens are [${tokens.shape.join(", ")}].`,
      { asked: shape, found: tokens.shape },
    );
  }
  const other = Array.from(data).find((type) => !(Number.isInteger(type) && 0 <= Number(type) && Number(type) < count));
  if (other !== undefined) {
    throw new InputError(`tokenTypeIds hold ${shown(other)}, but the model's token types are 0 to ${count - 1}.`, {
      asked: other,
      found: count,
    });
  }
  return Tensor.leaf(ndarray("int32", shape, Int32Array.from(data as ArrayLike<number>)), ["batch", "pos"]);
}

/** @throws ArgumentError for `prependBos` or `paddingSide`: nothing is put before ids, and ids do not say which are padding */
function onlyForTexts({ prependBos, paddingSide }: InputOptions): void {
  if (prependBos === true) {
    throw new ArgumentError(
      "prependBos is for texts: token ids are run as they are. Put the BOS token's id in front, or use texts.",
      { asked: "prependBos" },
    );
  }
  if (paddingSide !== undefined) {
    throw new ArgumentError(
      "paddingSide is for texts: token ids do not say which of them are padding. Pass attentionMask, use texts, or make the tokens with toTokens, which keeps track of padding.",
      { asked: "paddingSide" },
    );
  }
}

/** The same leaf for the same mask, so that two graphs of one input share what they have in common. */
function maskLeaf(mask: NDArray<"bool">): Tensor {
  const known = maskLeaves.get(mask) ?? Tensor.leaf(mask, ["batch", "pos"]);
  maskLeaves.set(mask, known);
  return known;
}
const maskLeaves = new WeakMap<NDArray, Tensor>();

function checkLength(tokens: Tensor, cfg: HookedTransformerConfig, earlier: number, texts: boolean): void {
  const pos = tokens.shape[1];
  const held = earlier > 0 ? ` after ${earlier} earlier ones` : "";
  if (tokens.data.length === 0) throw new InputError("There are no tokens to run on: pass at least one.", { found: 0 });
  if (earlier + pos > cfg.nCtx) {
    throw new InputError(
      `The input has ${pos} tokens${held}, but the model's context holds ${cfg.nCtx}, BOS included: shorten it${texts && earlier === 0 ? ", or pass model.toTokens(text), which cuts off its end" : ""}.`,
      {
        asked: earlier + pos,
        found: cfg.nCtx,
      },
    );
  }
}

/**
 * A mask that the caller passed, bool [batch pos].
 * @param like the value that it masks, whose first two axes are batch and pos
 * @throws ShapeError for another shape; ArgumentError for entries other than true, false, 1 and 0
 */
export function givenMask(mask: unknown, like: Tensor): Tensor {
  const expected = like.shape.slice(0, 2);
  const { shape, data } =
    mask instanceof Tensor ? computed("The attention mask", mask) : nested("The attention mask", mask);
  if (shape.join() !== expected.join() || data.length !== expected[0] * expected[1]) {
    throw new ShapeError(
      `The attention mask has shape [${shape.join(", ")}], but the tokens are [${expected.join(", ")}].`,
      {
        asked: shape,
        found: expected,
      },
    );
  }
  const bool = Uint8Array.from(data, (x, i) => {
    if (x === 0 || x === 1 || typeof x === "boolean") return +x;
    throw new ArgumentError(
      `The attention mask holds ${shown(x)} (row ${Math.floor(i / expected[1])}, position ${i % expected[1]}): use 1 or true for text, 0 or false for padding.`,
      { asked: x },
    );
  });
  return Tensor.leaf(ndarray("bool", expected, bool), ["batch", "pos"]);
}

function computed(
  what: string,
  given: Tensor,
): { readonly shape: readonly number[]; readonly data: ArrayLike<unknown> } {
  if (given.array) return given.array;
  throw new ArgumentError(`${what} must be computed: \`await x.compute()\` returns x with its numbers.`);
}

function nested(
  what: string,
  given: unknown,
): { readonly shape: readonly number[]; readonly data: readonly unknown[] } {
  const rows: readonly unknown[] = Array.isArray(given) ? Array.from(given) : [undefined];
  const lists = rows.map((row) => (Array.isArray(row) || row instanceof Uint8Array ? Array.from(row) : undefined));
  const other = lists.indexOf(undefined);
  if (other >= 0) {
    throw new ArgumentError(
      `${what} must be a Tensor [batch pos] or a list with a row for each prompt, [[1, 1, 0]], not ${shown(given)}.`,
      { asked: given },
    );
  }
  const ragged = lists.find((row) => row!.length !== lists[0]!.length);
  if (ragged) {
    throw new ShapeError(
      `Rows of ${what.replace(/^The/, "the")} have ${lists[0]!.length} and ${ragged.length} positions, but each must have as many as the tokens.`,
      { asked: lists[0]!.length, found: ragged.length },
    );
  }
  return { shape: [lists.length, lists[0]?.length ?? 0], data: lists.flatMap((row) => row!) };
}

/** A layer number that may count from the end. @throws ArgumentError naming the layers there are. */
export function layerIndex(what: string, layer: number, cfg: Pick<HookedTransformerConfig, "nLayers">): number {
  const index = layer < 0 ? layer + cfg.nLayers : layer;
  if (!Number.isInteger(index) || index < 0 || index > cfg.nLayers) {
    throw new ArgumentError(
      `${what} ${shown(layer)} is out of range: the model has ${counted(cfg.nLayers, "layer")}, so it goes from 0 to ${cfg.nLayers}.`,
      { asked: layer, found: cfg.nLayers },
    );
  }
  return index;
}
