/** What a picture holds at most: beyond it no screen shows it, and a page takes gigabytes. */
import { ArgumentError } from "../../tensor/errors.ts";

/** @throws ArgumentError naming what there is too much of, how much, and what to do. */
export function atMost(most: number, count: number, what: string, instead: string): void {
  if (count <= most) return;
  throw new ArgumentError(
    `A picture of ${count.toLocaleString("en")} ${what} was asked for, and ${most.toLocaleString("en")} are drawn at most: ${instead}.`,
    { asked: count, found: most },
  );
}

/** The largest of the numbers, or `least`; a call cannot have a hundred thousand arguments. */
export function largest(numbers: Iterable<number>, least: number): number {
  let most = least;
  for (const number of numbers) if (number > most) most = number;
  return most;
}
