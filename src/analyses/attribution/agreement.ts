/** How well a gradient estimate agrees with what was measured by changing the model. */

import { ESTIMATED, PATCHED } from "../../finding/columns.ts";
import type { Baseline, Figure, Statement } from "../../finding/finding.ts";
import type { ScatterView } from "../../finding/view.ts";
import {
  type Agreement as AgreementNumbers,
  agreementOf,
  type ChanceAgreement,
  chanceOf,
  type Pair,
} from "../../measures/agreement.ts";
import { counted, signed, withArticle } from "../../tensor/words.ts";

/** The words for what is compared. */
export interface Words {
  /** The singular and the plural. */
  readonly things: readonly [one: string, many: string];
  /** What the first and the second number of a pair are called. */
  readonly estimated: string;
  readonly measured: string;
}

const PLACES: Words = { things: ["place", "places"], estimated: "estimated", measured: "measured" };

/** What all pairs show together, with the words for it. */
export interface Agreement extends AgreementNumbers {
  readonly words: Words;
  readonly chance: ChanceAgreement | undefined;
}

export const IDENTICAL = "perfect agreement";
export const SHUFFLED = "estimates shuffled";

export function agreement(all: readonly Pair[], seed = 0, words: Words = PLACES): Agreement {
  const found = agreementOf(all);
  return { words, ...found, chance: chanceOf(found, seed) };
}

/** What an agreement's correlation is compared with. */
export function agreementBaselines({ chance, pairs, words }: Agreement, seed = 0): Baseline[] {
  const perfect: Baseline = {
    name: IDENTICAL,
    kind: "reference value",
    text: "The correlation if every estimate equalled the measurement.",
    value: 1,
  };
  if (!chance) return [perfect];
  return [
    perfect,
    {
      name: SHUFFLED,
      kind: "permutation test",
      text: `Pearson's r when the estimates of the ${pairs.length} ${words.things[1]} are shuffled; p is two-sided.`,
      interval: chance.interval,
      level: 0.95,
      p: chance.p,
      samples: chance.samples,
      seed,
    },
  ];
}

/**
 * The correlation in a sentence with this beginning, compared by default with this agreement's own baselines.
 * @param all how many there are in total, if only some were measured
 */
export function correlationStatement(
  beginning: string,
  { pearson: r, spearman: rho, chance, pairs, words }: Agreement,
  { comparedWith = chance ? [IDENTICAL, SHUFFLED] : [IDENTICAL], all }: CorrelationOptions = {},
): Statement {
  const [one, many] = words.things;
  const howMany = counted(pairs.length, one, many);
  if (r === null)
    return { text: `${beginning} cannot be correlated: only ${howMany} ${pairs.length === 1 ? "differs" : "differ"}.` };
  const ranks = rho === null ? "" : `, Spearman's ρ is ${correlation(rho)}`;
  const over =
    all === undefined
      ? `over ${howMany} where the two runs differ`
      : `over ${howMany} that were measured and differ, of ${all}`;
  return {
    text: `${beginning}: Pearson's r is ${correlation(r)}${ranks}, ${over}${mostly(pairs, many)}.`,
    figure: { value: r, unit: "", comparedWith },
  };
}

interface CorrelationOptions {
  readonly comparedWith?: Figure["comparedWith"] | undefined;
  readonly all?: number | undefined;
}

/** The group that most of the pairs belong to, if one dominates. */
function mostly(pairs: readonly Pair[], many: string): string {
  const counts = new Map<string, number>();
  for (const { group } of pairs) counts.set(group, (counts.get(group) ?? 0) + 1);
  if (counts.size < 2) return "";
  const [group, count] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
  return count > 0.75 * pairs.length ? ` (${count} of these ${many} are ${group})` : "";
}

/** Where the two numbers are furthest apart, in a sentence. */
export function worstStatement(
  { worst, worst_error, words }: Agreement,
  comparedWith: Figure["comparedWith"],
): Statement[] {
  if (!worst || worst_error === null) return [];
  return [
    {
      text: `They are furthest apart for ${worst.name}: ${words.estimated} ${signed(worst.estimated)}, ${words.measured} ${signed(worst.measured)} logits.`,
      figure: { value: worst_error, unit: "logits", comparedWith },
    },
  ];
}

/** The most points that a picture draws: those with the largest numbers, which come first in their tables. */
const DRAWN = 2000;
/** How many points are named. */
const NAMED = 5;

/** Where the numbers of an agreement are: a table, and its columns if they are not `ESTIMATED` and `PATCHED`. */
type AgreementView = Pick<ScatterView, "title" | "part" | "table" | "by" | "where" | "label"> & {
  readonly name?: string;
  readonly x?: string;
  readonly y?: string;
};

/** Estimates against measurements, with the line where they are equal. */
export function agreementScatter({ pairs, words }: Agreement, view: AgreementView): ScatterView {
  const [one] = words.things;
  const left = pairs.length - DRAWN;
  const columns = { x: ESTIMATED.name, y: PATCHED.name, ...view };
  return {
    ...{ kind: "scatter", name: "estimated-against-patched", ...columns },
    caption: `Each point is ${withArticle(one)}; on the line, ${words.estimated} and ${words.measured} are equal.${left > 0 ? ` The ${left} smallest are left out.` : ""}`,
    most: DRAWN,
    ...(view.label === undefined ? {} : { labels: NAMED, labelsBy: columns.y }),
    references: [{ kind: "slope", slope: 1, label: "equal" }],
  };
}

/** A correlation, with enough digits to distinguish it from 1. */
function correlation(x: number): string {
  const digits = [3, 4, 5, 6].find((count) => Math.abs(Number(x.toFixed(count))) < 1) ?? 3;
  return x.toFixed(digits).replace("-", "−");
}
