/** From a text, or from ids, to the tokens that a model runs on: made once, and checked once. */
import { showShape } from "../graph/axes.ts";
import { Tensor } from "../graph/tensor.ts";
import { type NDArray, ndarray } from "../tensor/array.ts";
import { InputError, ShapeError } from "../tensor/errors.ts";
import { notePadding } from "../text/padding.ts";
import { idRows, type TokenIds } from "../text/token-ids.ts";
import type { TokenRules, ToTokensOptions } from "../text/token-rules.ts";
import type { CachedModel } from "./cached.ts";

/** Text, token ids (of one prompt or of several of equal length), or int32 values [batch pos]. */
export type ModelInput = string | readonly string[] | TokenIds | readonly TokenIds[] | Tensor;

/** Tokens that were made here, and the size of the vocabulary that all their ids are below. */
const checked = new WeakMap<Tensor, number>();

/** Text to tokens and back. @throws InputError for a model without a tokenizer */
export function needText({ text }: Pick<CachedModel, "text">): TokenRules {
  if (text) return text;
  throw new InputError(
    "This model has no tokenizer (its notes may say why): pass one when loading it, or use token ids.",
    {},
  );
}

/** Whether an input is a list of texts. */
export function isTexts(input: unknown): input is readonly string[] {
  return Array.isArray(input) && typeof input[0] === "string";
}

/**
 * Tokens int32 [batch pos], all of them in the model's vocabulary. Those that came from here are returned as they are.
 * @param options for texts
 * @throws InputError for ids outside the vocabulary, or a text without a tokenizer; ShapeError for another shape
 */
export function readTokens(
  input: ModelInput,
  model: Pick<CachedModel, "cfg" | "text">,
  options: ToTokensOptions = {},
): Tensor {
  const { dVocab } = model.cfg;
  if (typeof input === "string" || isTexts(input))
    return inVocabulary(needText(model).toTokens(input, options), dVocab);
  if (!(input instanceof Tensor)) return made(ofLists(input, dVocab), dVocab);
  if ((checked.get(input) ?? Infinity) <= dVocab) return input;
  const { array, dtype, shape } = input;
  if (dtype !== "int32" || shape.length > 2 || shape.length === 0 || !array) {
    throw new ShapeError(
      `Tokens must be int32 of shape [batch, pos], but got ${dtype} ${showShape(input)}.` +
        (dtype === "float32" ? " To pass a residual stream, use startAtLayer." : "") +
        (array ? "" : " Compute it first: `await tokens.compute()`."),
      { asked: "[batch, pos]", found: shape },
    );
  }
  const whole = shape.length === 2 ? array : { ...array, shape: [1, shape[0]] };
  return inVocabulary(whole as NDArray<"int32">, dVocab);
}

/** One prompt's ids, checked. @throws InputError for ids outside the vocabulary, or anything but one prompt */
export function onePrompt(prompt: unknown, vocabulary: number): number[] {
  const { rows, single } = idRows(prompt, vocabulary);
  if (single && rows[0].length > 0) return Array.from(rows[0]);
  throw new InputError(
    "A prompt must be one text or a list of at least one token id, not an empty list or a list of rows.",
    {
      asked: prompt,
    },
  );
}

/**
 * Rows of ids that were read before as one batch, int32 [batch pos], with shorter ones padded on the right.
 * @param masked whether a run masks the padding, as it does with texts of different lengths
 */
export function batchOf(
  rows: readonly TokenIds[],
  { cfg, text }: Pick<CachedModel, "cfg" | "text">,
  { masked = true }: { readonly masked?: boolean } = {},
): Tensor {
  const pos = Math.max(...rows.map((row) => row.length));
  const ids = new Int32Array(rows.length * pos).fill(text?.padTokenId ?? 0);
  const kept = new Uint8Array(ids.length);
  rows.forEach((row, r) => {
    ids.set(row, r * pos);
    kept.fill(1, r * pos, r * pos + row.length);
  });
  const tokens = ndarray("int32", [rows.length, pos], ids);
  if (masked && kept.includes(0)) notePadding(tokens, ndarray("bool", tokens.shape, kept));
  return made(tokens, cfg.dVocab);
}

/** @throws InputError for an id that is not below the vocabulary */
function inVocabulary(tokens: NDArray<"int32">, vocabulary: number): Tensor {
  idRows(tokens, vocabulary);
  return made(tokens, vocabulary);
}

function made(tokens: NDArray<"int32">, vocabulary: number): Tensor {
  const leaf = Tensor.leaf(tokens, ["batch", "pos"]);
  checked.set(leaf, vocabulary);
  return leaf;
}

/** Ids in lists, as int32 [batch pos]. */
function ofLists(input: unknown, vocabulary: number): NDArray<"int32"> {
  const { rows } = idRows(input, vocabulary);
  const pos = rows[0].length;
  const other = rows.findIndex((row) => row.length !== pos);
  if (other > 0) {
    throw new ShapeError(
      `Rows of tokens must be of equal length, but row 0 has ${pos} and row ${other} has ${rows[other].length}: pad them (and pass attentionMask), or use texts.`,
      { asked: pos, found: rows[other].length },
    );
  }
  const ids = new Int32Array(rows.length * pos);
  rows.forEach((row, r) => {
    ids.set(row, r * pos);
  });
  return ndarray("int32", [rows.length, pos], ids);
}
