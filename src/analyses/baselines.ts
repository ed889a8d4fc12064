/** What several analyses compare their numbers with. */
import { mean, quantile } from "simple-statistics";
import type { Baseline } from "../finding/finding.ts";

/** What the same number is otherwise: unchanged, without the prompt. */
export function control(name: string, text: string, value: number, unit: string): Baseline {
  return { name, kind: "control", text, value, unit };
}

export const UNIFORM_ATTENTION = "uniform attention";

/** What `uniformAttention` is called, what is measured of the head, and on which text. */
interface AboutUniform {
  readonly name?: string;
  readonly what?: string;
  readonly on?: string;
  readonly unit?: string;
}

/** What a head has that attends equally to every token it can see. */
export function uniformAttention(
  value: number,
  { name = UNIFORM_ATTENTION, what = "The score", on, ...unit }: AboutUniform = {},
): Baseline {
  const text = `${what} of a head that attends equally to every token it can see${on ? `, on ${on}` : ""}.`;
  return { name, kind: "reference value", text, value, ...unit };
}

/** The mean rank of a token of which nothing is known. */
export function randomRank(name: string, vocabulary: number): Baseline {
  const text = `The mean rank of a token among ${vocabulary} in random order, (${vocabulary} − 1) / 2.`;
  return { name, kind: "reference value", text, value: (vocabulary - 1) / 2, unit: "tokens" };
}

/** Where many numbers lie: their mean, or another middle, and the interval of 95 % of them. */
export function spread(numbers: readonly number[], middle: (numbers: number[]) => number = mean) {
  const all = [...numbers];
  const interval = [quantile(all, 0.025), quantile(all, 0.975)] as const;
  return { value: middle(all), interval, level: 0.95, samples: all.length };
}
