/** Attributions to a prompt's tokens as tables and pictures, compared with the effect of removing each token. */

import { POS, TOKEN } from "../../finding/columns.ts";
import { type Cell, type Column, type Table, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import type { Pair } from "../../measures/agreement.ts";
import type { Prompt } from "../../measures/prompt.ts";
import { tokenAt } from "../places.ts";
import { type Agreement, agreementScatter, type Words } from "./agreement.ts";

/** A column, and its number for each token. */
export type TokenNumbers = readonly [column: Column, values: readonly number[]];

/** What a token's two numbers are called in sentences. */
export function tokenWords(estimated: string): Words {
  return { things: ["token", "tokens"], estimated, measured: "removed" };
}

export function tokenPairs({ tokens }: Prompt, estimated: readonly number[], measured: readonly number[]): Pair[] {
  return tokens.map((_, pos) => ({
    name: tokenAt(tokens, pos),
    group: "token",
    estimated: estimated[pos],
    measured: measured[pos],
  }));
}

/** The pair with the largest estimate. */
export function strongestToken(pairs: readonly Pair[]): Pair {
  return pairs.reduce((a, b) => (Math.abs(b.estimated) > Math.abs(a.estimated) ? b : a));
}

export function tokenTable(
  { tokens }: Prompt,
  numbers: readonly TokenNumbers[],
  comparedWith: readonly string[],
): Table {
  return tableOf({ name: "tokens", title: "Each token", comparedWith }, tokens, [
    [POS, (_, pos) => pos],
    [TOKEN, (token) => token],
    ...numbers.map(([column, values]): Cell<string> => [column, (_, pos) => values[pos]]),
  ]);
}

/** Numbers in logits, on one colour scale; two of them against each other. */
export function tokenPictures(
  numbers: readonly TokenNumbers[],
  found: Agreement,
  [x, y]: readonly [estimated: string, removed: string],
): View[] {
  return [
    {
      kind: "tokens",
      name: "tokens",
      title: `What each token contributes: ${numbers.map(([{ title }]) => title).join(", ")}`,
      caption: "Blue favours the answer, red opposes it; the rows share one scale.",
      ...{ table: "tokens", token: "token", rows: numbers.map(([{ name }]) => name), oneScale: true },
    },
    agreementScatter(found, {
      name: "estimated-against-taken-away",
      title: `Each token: ${found.words.estimated}, ${found.words.measured}`,
      ...{ table: "tokens", x, y, label: "token" },
    }),
  ];
}
