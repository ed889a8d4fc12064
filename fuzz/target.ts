/** What can be attacked: each target makes a random input of its kind, and judges the result. */
import type { Outcome } from "./outcome.ts";
import type { Random } from "./random.ts";

export interface Target {
  readonly name: string;
  /** What is changed, and what counts as right, in a sentence. */
  readonly description: string;
  /** Reads what every case needs; then each call is one case. */
  prepare(): Promise<(random: Random) => Promise<Outcome>>;
}
