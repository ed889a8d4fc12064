/** Tokens with what stands before them, as whole numbers that a summary can remember. */

import { NEXT, POS, TOKEN } from "../finding/columns.ts";
import { as, column } from "../finding/table.ts";
import type { Model } from "../lens/model.ts";
import { tokenTexts } from "../measures/prompt.ts";
import type { ScanBatch } from "./batches.ts";
import type { TextRow } from "./text-rows.ts";

/** How many tokens before and after a token are remembered with it. */
const BEFORE = 8;
const AFTER = 4;
/** Where its tokens begin among a place's numbers. */
const TOKENS_AT = 7;

/** How many whole numbers a place is: where it is, how many tokens stand before it and are there in all, and the tokens. */
export const PLACE_WIDTH = TOKENS_AT + BEFORE + 1 + AFTER;

/** A token in its text. */
export interface Place {
  readonly source: number;
  readonly shard: number;
  readonly text: number;
  /** How many tokens of its text come before its row, and its position there. */
  readonly offset: number;
  readonly pos: number;
  readonly token: string;
  /** The token after it; empty at the end of a row. */
  readonly next: string;
  /** The text before the token, and that after it. */
  readonly before: string;
  readonly after: string;
}

/** A place as numbers. */
export function placeNumbers({ shard, source }: ScanBatch, row: TextRow, pos: number): Int32Array {
  const first = Math.max(0, pos - BEFORE);
  const tokens = row.ids.slice(first, pos + 1 + AFTER);
  const numbers = new Int32Array(PLACE_WIDTH);
  numbers.set([source, shard, row.text, row.offset, pos, pos - first, tokens.length]);
  numbers.set(tokens, TOKENS_AT);
  return numbers;
}

/** The place that numbers stand for. */
export function placeOf(model: Model, numbers: Int32Array): Place {
  const [source, shard, text, offset, pos, at, count] = numbers;
  const texts = tokenTexts(model, Array.from(numbers.subarray(TOKENS_AT, TOKENS_AT + count)));
  return {
    ...{ source, shard, text, offset, pos },
    ...{ token: texts[at], next: texts[at + 1] ?? "" },
    ...{ before: texts.slice(0, at).join(""), after: texts.slice(at + 1).join("") },
  };
}

const WHERE = { detail: true, format: "integer" } as const;

const IN_CORPUS = [
  column("source", "Which source, from 0.", WHERE),
  column("shard", "Which shard, from 0.", WHERE),
  column("text", "Which text of its shard, from 0.", WHERE),
  column("offset", "How many tokens of its text come before its row.", WHERE),
  as(POS, { detail: true, description: "The token's position in its row." }),
] as const;
const TEXT_BEFORE = column("before", "The text before the token.", { format: "token" });

/** The columns of a table of tokens that predict the next. */
export const PLACE_CELLS = [
  ...IN_CORPUS,
  TEXT_BEFORE,
  TOKEN,
  as(NEXT, "The token that comes next, which it predicts."),
] as const;

/** The columns of a table of tokens in their texts. */
export const CONTEXT_CELLS = [
  ...IN_CORPUS,
  TEXT_BEFORE,
  TOKEN,
  column("after", "The text after the token.", { format: "token" }),
] as const;
