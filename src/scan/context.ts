/** Tokens with what stands before them, as whole numbers that a summary can remember. */
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
