/** Turns texts into rows of tokens for training a language model. */
import { type NDArray, ndarray } from "../../tensor/array.ts";
import { ArgumentError, InputError } from "../../tensor/errors.ts";
import { ANYTHING, FLAG, SIGNAL } from "../../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../../tensor/options.ts";
import { shown } from "../../tensor/show.ts";
import { Tokenizer, TokenRules } from "../../text/index.ts";
import { requireCount } from "./batches.ts";
import { textsIn } from "./require-text.ts";

/** How rows are cut. */
export interface ConcatenateOptions {
  /** Tokens per row, including BOS: at most the model's `nCtx`. */
  readonly maxLength: number;
  /** Whether each row begins with BOS. Default true. */
  readonly addBosToken?: boolean | undefined;
  /** Checked between two texts. */
  readonly signal?: AbortSignal | undefined;
}

const KINDS: OptionKinds<ConcatenateOptions> = { maxLength: ANYTHING, addBosToken: FLAG, signal: SIGNAL };

/**
 * Tokens int32 [row pos]: all texts one after the other with the EOS token in between, cut into rows of `maxLength`, each
 * with BOS first; tokens at the end that do not fill a row are dropped. A row may begin in the middle of a text, so that no
 * position sees only beginnings. Source: TransformerLens' `tokenize_and_concatenate`, which cuts the text into twenty pieces
 * before tokenizing; here each text is tokenized as a whole, so that no cut makes tokens that the text does
 * not have.
 * @throws InputError for texts that do not fill one row, or if the tokenizer lacks a BOS or EOS token that is needed.
 */
export function tokenizeAndConcatenate(
  texts: string | Iterable<string>,
  tokenizer: Tokenizer | TokenRules,
  options: ConcatenateOptions,
): NDArray<"int32"> {
  checkOptions("tokenizeAndConcatenate", options, KINDS);
  const { maxLength, addBosToken = true, signal } = options;
  const { tokenizer: own, bosTokenId, eosTokenId } = idsOf(tokenizer);
  const lead = addBosToken ? 1 : 0;
  const inRow = requireCount("maxLength", maxLength) - lead;
  if (inRow < 1) {
    throw new InputError(`A row of ${maxLength} tokens has no room for anything but BOS: give a larger maxLength.`, {
      asked: maxLength,
    });
  }
  const parts: number[][] = [];
  let total = 0;
  for (const text of textsIn(texts, "tokenizeAndConcatenate")) {
    signal?.throwIfAborted();
    if (total > 0) parts.push([required("EOS", eosTokenId)]);
    parts.push(own.encode(text, { addSpecialTokens: false }));
    total += parts[parts.length - 1].length + (total > 0 ? 1 : 0);
  }
  const rows = Math.floor(total / inRow);
  if (rows === 0) {
    throw new InputError(
      `The text has ${total} tokens, but one row needs ${inRow}${lead ? " besides BOS" : ""}: give more text, or a smaller maxLength.`,
      { asked: maxLength, found: total },
    );
  }
  const data = new Int32Array(rows * maxLength);
  if (lead) for (let row = 0; row < rows; row++) data[row * maxLength] = required("BOS", bosTokenId);
  let at = 0;
  for (const part of parts) {
    for (const id of part) {
      const row = Math.floor(at / inRow);
      if (row === rows) break;
      data[row * maxLength + lead + (at % inRow)] = id;
      at++;
    }
  }
  return ndarray("int32", [rows, maxLength], data);
}

/** A model's own rules, if it has them, choose BOS and EOS as TransformerLens does. */
function idsOf(tokenizer: Tokenizer | TokenRules) {
  if (tokenizer instanceof TokenRules) return tokenizer;
  if (tokenizer instanceof Tokenizer) return { tokenizer, ...pick(tokenizer) };
  throw new ArgumentError(
    `Tokens must be made by a Tokenizer, or by a model's TokenRules, not by ${shown(tokenizer)}.`,
    {
      asked: tokenizer,
    },
  );
}

function pick({ bosTokenId, eosTokenId }: Tokenizer) {
  return { bosTokenId, eosTokenId };
}

function required(role: "BOS" | "EOS", id: number | undefined): number {
  if (id !== undefined) return id;
  throw new InputError(
    `The tokenizer has no ${role} token${role === "BOS" ? "; pass addBosToken: false" : " to put between texts; join them yourself"}, or name ${role.toLowerCase()}_token in tokenizer_config.json.`,
    { asked: role },
  );
}
