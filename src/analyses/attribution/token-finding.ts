/** Attributions to a prompt's tokens as tables and pictures, compared with the effect of removing each token. */

import { POS, TOKEN } from "../../finding/columns.ts";
import { type Cell, type Table, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { Pair } from "../../measures/agreement.ts";
import type { Prompt } from "../../measures/prompt.ts";
import { quoted } from "../../tensor/words.ts";
import { type Agreement, agreementScatter, type Words } from "./agreement.ts";

/** A number for each token. */
export interface TokenNumbers {
  /** The column's name, for programs. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly values: readonly number[];
  /** Default: logits. */
  readonly unit?: string;
}

/** What a token's two numbers are called in sentences. */
export function tokenWords(estimated: string): Words {
  return { things: ["token", "tokens"], estimated, measured: "removed" };
}

/** The sum over d_model at each position of [batch pos d_model], for a batch of one. */
export function perToken(x: Tensor, f: (value: number) => number = (value) => value): number[] {
  const [, pos, width] = x.shape;
  return Array.from({ length: pos }, (_, p) => {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += f(x.data[p * width + i]);
    return sum;
  });
}

export function tokenPairs({ tokens }: Prompt, estimated: readonly number[], measured: readonly number[]): Pair[] {
  return tokens.map((token, pos) => ({
    name: `${quoted(token)} (position ${pos})`,
    group: "token",
    estimated: estimated[pos],
    measured: measured[pos],
  }));
}

export function tokenTable(
  { tokens }: Prompt,
  numbers: readonly TokenNumbers[],
  comparedWith: readonly string[],
): Table {
  return tableOf({ name: "tokens", title: "Each token", comparedWith }, tokens, [
    [POS, (_, pos) => pos],
    [TOKEN, (token) => token],
    ...numbers.map(
      ({ values, unit = "logits", ...about }): Cell<string> => [{ ...about, unit }, (_, pos) => values[pos]],
    ),
  ]);
}

/** Numbers in logits, on one colour scale; the last two against each other. */
export function tokenPictures(
  numbers: readonly TokenNumbers[],
  found: Agreement,
  [x, y]: readonly [estimated: string, removed: string],
): View[] {
  return [
    {
      kind: "tokens",
      name: "tokens",
      title: `What each token contributes: ${numbers.map(({ title }) => title).join(", ")}`,
      caption: "Blue favours the answer, red opposes it; the rows share one scale.",
      table: "tokens",
      token: "token",
      rows: numbers.map(({ name }) => name),
      oneScale: true,
    },
    agreementScatter(found, {
      name: "estimated-against-taken-away",
      title: `Each token: ${found.words.estimated}, ${found.words.measured}`,
      table: "tokens",
      x,
      y,
      label: "token",
    }),
  ];
}
