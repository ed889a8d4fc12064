/** The most that a picture can contain: beyond that no screen can show it, and a page needs gigabytes. */
import { ArgumentError } from "../../tensor/errors.ts";

/** @throws ArgumentError that says what there is too much of, how much, and what to do. */
export function atMost(most: number, count: number, what: string, instead: string): void {
  if (count <= most) return;
  throw new ArgumentError(
    `The picture would have ${count.toLocaleString("en")} ${what}, but at most ${most.toLocaleString("en")} can be drawn: ${instead}.`,
    { asked: count, found: most },
  );
}

/** The largest of the numbers, or `least`: Math.max cannot take a hundred thousand arguments. */
export function largest(numbers: Iterable<number>, least: number): number {
  let most = least;
  for (const number of numbers) if (number > most) most = number;
  return most;
}
