/** What a model can be given, and what becomes of it before the forward pass. */
import { showShape } from "../graph/axes.ts";
import { Tensor } from "../graph/tensor.ts";
import type { HookedTransformerConfig } from "../models/config.ts";
import { type NDArray, ndarray } from "../tensor/array.ts";
import { ArgumentError, InputError, ShapeError } from "../tensor/errors.ts";
import type { TokenIds, TokenRules, ToTokensOptions } from "../text/index.ts";

/** Text, token ids (of one prompt or of several of equal length), or int32 values [batch pos]. */
export type ModelInput = string | readonly string[] | TokenIds | readonly TokenIds[] | Tensor;

export interface InputOptions extends Pick<ToTokensOptions, "prependBos" | "paddingSide"> {
  /** bool (or 0 and 1) [batch pos]: false where a position is padding. Found out for texts of different lengths. */
  readonly attentionMask?: Tensor | readonly (readonly (number | boolean)[])[] | undefined;
}

/** What the forward pass takes. */
export interface PreparedInput {
  readonly tokens: Tensor;
  readonly attentionMask: Tensor | undefined;
}

/**
 * Tokens int32 [batch pos], checked against the vocabulary and the context.
 * @throws InputError for no tokens, ids outside the vocabulary, or more than `nCtx`; ShapeError for another shape.
 */
export function prepareInput(
  input: ModelInput,
  options: InputOptions,
  cfg: HookedTransformerConfig,
  text: TokenRules | undefined,
  earlier = 0,
): PreparedInput {
  const texts = typeof input === "string" ? [input] : isTexts(input) ? input : undefined;
  const tokens = texts ? fromText(texts, options, text) : fromIds(input as Exclude<ModelInput, string>);
  checkTokens(tokens, cfg, earlier);
  const given = options.attentionMask;
  if (given) return { tokens, attentionMask: givenMask(given, tokens) };
  const found = texts && texts.length > 1 ? text!.attentionMask(tokens.array as NDArray<"int32">, options) : undefined;
  const padded = found?.data.includes(0);
  return { tokens, attentionMask: padded ? Tensor.leaf(found!, ["batch", "pos"]) : undefined };
}

function isTexts(input: ModelInput): input is readonly string[] {
  return Array.isArray(input) && input.length > 0 && typeof input[0] === "string";
}

function fromText(texts: readonly string[], options: InputOptions, text: TokenRules | undefined): Tensor {
  if (!text) {
    throw new InputError("This model has no tokenizer, so it cannot read text: give token ids.", { asked: texts[0] });
  }
  return Tensor.leaf(text.toTokens(texts, options), ["batch", "pos"]);
}

function fromIds(input: Tensor | TokenIds | readonly TokenIds[] | readonly string[]): Tensor {
  if (input instanceof Tensor) {
    if (input.dtype !== "int32" || input.shape.length > 2 || input.shape.length === 0 || !input.array) {
      throw new ShapeError(
        `Tokens are int32 of shape [batch, pos], but got ${input.dtype} ${showShape(input)}.` +
          (input.dtype === "float32" ? " A residual stream is taken with startAtLayer." : ""),
        { asked: "[batch, pos]", found: input.shape },
      );
    }
    return input.shape.length === 2
      ? Tensor.leaf(input.array, ["batch", "pos"])
      : Tensor.leaf({ ...input.array, shape: [1, input.shape[0]] } as NDArray, ["batch", "pos"]);
  }
  const nested = input.length > 0 && typeof input[0] !== "number";
  const rows = (nested ? input : [input]) as readonly TokenIds[];
  const pos = rows[0].length;
  const other = rows.findIndex((row) => row.length !== pos);
  if (other > 0) {
    throw new ShapeError(
      `Rows of tokens must be of equal length, but row 0 has ${pos} and row ${other} has ${rows[other].length}: pad them (and pass attentionMask), or give texts.`,
      { asked: pos, found: rows[other].length },
    );
  }
  const ids = Int32Array.from(rows.flatMap((row) => [...row]));
  const bad = rows.findIndex((row) => row.some((id) => !Number.isInteger(id)));
  if (bad >= 0) {
    const found = rows[bad].find((id) => !Number.isInteger(id));
    throw new InputError(`Token ids are whole numbers, but prompt ${bad} has ${found}.`, { asked: found });
  }
  return Tensor.leaf(ndarray("int32", [rows.length, pos], ids), ["batch", "pos"]);
}

function checkTokens(tokens: Tensor, cfg: HookedTransformerConfig, earlier: number): void {
  const pos = tokens.shape[1];
  const held = earlier > 0 ? ` after ${earlier} earlier ones` : "";
  if (tokens.data.length === 0) throw new InputError("There are no tokens to run on: give at least one.", { found: 0 });
  if (earlier + pos > cfg.nCtx) {
    throw new InputError(
      `The input has ${pos} tokens${held}, but the model's context holds ${cfg.nCtx}, BOS included.`,
      { asked: earlier + pos, found: cfg.nCtx },
    );
  }
  const bad = tokens.data.findIndex((id: number) => id < 0 || id >= cfg.dVocab);
  if (bad >= 0) {
    throw new InputError(
      `Token id ${tokens.data[bad]} (prompt ${Math.floor(bad / pos)}, position ${bad % pos}) is outside the vocabulary of ${cfg.dVocab}.`,
      { asked: tokens.data[bad], found: cfg.dVocab },
    );
  }
}

function givenMask(mask: NonNullable<InputOptions["attentionMask"]>, tokens: Tensor): Tensor {
  const data = mask instanceof Tensor ? mask.data : Uint8Array.from(mask.flat(), (x) => +x);
  const shape = mask instanceof Tensor ? mask.shape : [mask.length, mask[0]?.length ?? 0];
  if (shape.join() !== tokens.shape.join() || data.length !== tokens.data.length) {
    throw new ShapeError(`The attention mask has shape [${shape}], but the tokens are ${showShape(tokens)}.`, {
      asked: shape,
      found: tokens.shape,
    });
  }
  return Tensor.leaf(
    ndarray(
      "bool",
      tokens.shape,
      Uint8Array.from(data, (x) => +(x !== 0)),
    ),
    ["batch", "pos"],
  );
}

/** A layer number that may count from the end. @throws ArgumentError naming the layers there are. */
export function layerIndex(what: string, layer: number, cfg: HookedTransformerConfig): number {
  const found = layer < 0 ? layer + cfg.nLayers : layer;
  if (!Number.isInteger(found) || found < 0 || found > cfg.nLayers) {
    throw new ArgumentError(
      `${what} ${layer} is out of range: the model has ${cfg.nLayers} layer${cfg.nLayers === 1 ? "" : "s"}, so it goes from 0 to ${cfg.nLayers}.`,
      { asked: layer, found: cfg.nLayers },
    );
  }
  return found;
}
