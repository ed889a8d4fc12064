/** Where numbers are along an axis, and the round ones among them that are written there. */
import type { Axis } from "../../finding/picture.ts";

export type Domain = readonly [number, number];
type Kind = NonNullable<Axis["scale"]>;

/** What is spaced evenly: the number, its logarithm, or sign(v) log(1 + |v|). */
const EVEN: Record<Kind, (value: number) => number> = {
  linear: (value) => value,
  log: Math.log10,
  symlog: (value) => Math.sign(value) * Math.log1p(Math.abs(value)),
};

/** From numbers of the domain to pixels of the range; NaN for a number that has no place there. */
export function pixelScale(kind: Kind = "linear", domain: Domain, [from, to]: Domain): (value: number) => number {
  const even = EVEN[kind];
  const [low, high] = domain.map(even);
  // A single number is in the middle.
  if (low === high) return () => (from + to) / 2;
  return (value) => from + ((to - from) * (even(value) - low)) / (high - low);
}

/** Numbers of an axis, with the decimals that all of them are written with. */
export interface RoundNumbers {
  readonly numbers: readonly number[];
  readonly decimals: number;
}

/** About `count` numbers of the domain: multiples of 1, 2 or 5 times a power of ten. */
export function roundNumbers([low, high]: Domain, count: number): RoundNumbers {
  if (!(high > low && count > 0)) return { numbers: [low], decimals: 0 };
  const { head, power } = roundStep((high - low) / count);
  // A power of ten below 1 is not exact, its reciprocal is.
  const at = (i: number) => (power < 0 ? (i * head) / 10 ** -power : i * head * 10 ** power);
  const step = at(1);
  let [first, last] = [Math.round(low / step), Math.round(high / step)];
  if (at(first) < low) first++;
  if (at(last) > high) last--;
  // Few numbers over a short range may all fall outside it.
  if (last < first && count < 2) return roundNumbers([low, high], 2 * count);
  return { numbers: Array.from({ length: last - first + 1 }, (_, i) => at(first + i)), decimals: Math.max(0, -power) };
}

/** The head times ten to the power that is nearest to the step, by ratio. */
function roundStep(step: number): { head: number; power: number } {
  const power = Math.floor(Math.log10(step));
  const part = step / 10 ** power;
  const head = [1, 2, 5, 10].find((one, i, all) => part < Math.sqrt(one * (all[i + 1] ?? 100)))!;
  return head === 10 ? { head: 1, power: power + 1 } : { head, power };
}

/** The smallest of 1, 2 and 5 times a power of ten that is not below this. */
export function roundUp(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * ([1, 2, 5].find((head) => head * power >= step) ?? 10);
}
