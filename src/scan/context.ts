/** Tokens with what stands before them, as whole numbers that a summary can remember. */

import { NEXT, POS, TOKEN } from "../finding/columns.ts";
import { as, column } from "../finding/table.ts";
import type { Model } from "../lens/model.ts";
import { tokenTexts } from "../measures/prompt.ts";
import type { ScanBatch } from "./batches.ts";
import type { TextRow } from "./text-rows.ts";

/** How many tokens before a token are remembered with it. */
const BEFORE = 8;

/** How many whole numbers a place is: where it is, its token's position, and its tokens. */
export const PLACE_WIDTH = 6 + BEFORE + 2;

/** A token in its text. */
export interface Place {
  readonly source: number;
  readonly shard: number;
  readonly text: number;
  /** How many tokens of its text come before its row, and its position there. */
  readonly offset: number;
  readonly pos: number;
  readonly token: string;
  readonly next: string;
  /** The text before the token. */
  readonly before: string;
}

/** A place as numbers. */
export function placeNumbers({ shard, source }: ScanBatch, row: TextRow, pos: number): Int32Array {
  const first = Math.max(0, pos - BEFORE);
  const numbers = new Int32Array(PLACE_WIDTH);
  numbers.set([source, shard, row.text, row.offset, pos, pos - first]);
  numbers.set(row.ids.slice(first, pos + 2), 6);
  return numbers;
}

/** The place that numbers stand for. */
export function placeOf(model: Model, numbers: Int32Array): Place {
  const [source, shard, text, offset, pos, count] = numbers;
  const texts = tokenTexts(model, Array.from(numbers.subarray(6, 6 + count + 2)));
  return {
    source,
    shard,
    text,
    offset,
    pos,
    token: texts[count],
    next: texts[count + 1],
    before: texts.slice(0, count).join(""),
  };
}

const WHERE = { detail: true, format: "integer" } as const;

/** The columns of a table of places. */
export const PLACE_CELLS = [
  column("source", "Which source, from 0.", WHERE),
  column("shard", "Which shard, from 0.", WHERE),
  column("text", "Which text of its shard, from 0.", WHERE),
  column("offset", "How many tokens of its text come before its row.", WHERE),
  as(POS, { detail: true, description: "The token's position in its row." }),
  column("before", "The text before the token.", { format: "token" }),
  TOKEN,
  as(NEXT, "The token that comes next, which it predicts."),
] as const;
