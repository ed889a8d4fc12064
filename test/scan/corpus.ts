/** Some texts as a source for scans. */
import { memorySource } from "../../src/node.ts";
import type { ModelScan } from "../../src/scan/scan.ts";
import type { ShardTask } from "../../src/scan/shard.ts";

export const TEXTS = [
  "Alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do.",
  "The Queen smiled and passed on.",
  "x",
  "“Who are you talking to?” said the King, going up to Alice, and looking at the Cat’s head with great curiosity.",
];
export const BYTES = new TextEncoder().encode(TEXTS.map((text) => `${JSON.stringify({ text })}\n`).join(""));
/** Tokens per row. */
export const LENGTH = 16;
export const CORPUS = { sources: ["texts.jsonl"], maxLength: LENGTH };
/** For `finding`. */
export const ABOUT = { texts: 4, skipped: 0, tokens: 99, rows: 9, settings: { data: "texts.jsonl" } };
/** The hash of a scan's settings. */
export const HASH = Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8);

const source = memorySource("texts.jsonl", BYTES);

/** A part of the texts, or all of them. */
export function task(more: Partial<ShardTask> & { from?: number; to?: number } = {}): ShardTask {
  const { from = 0, to = BYTES.length, ...rest } = more;
  const read = { column: "text", maxLength: LENGTH, batchTokens: 64 };
  return { shard: 0, source, sourceIndex: 0, slice: { from, to }, ...read, ...rest };
}

/** A scan's summaries with their own types. */
export const summariesOf = <S>(state: { readonly summaries: ReturnType<ModelScan["empty"]> }): S =>
  state.summaries as unknown as S;
