/** Whole numbers of a command line. */
import { ArgumentError } from "../src/index.ts";
import { shown } from "../src/tensor/show.ts";

/** @throws ArgumentError unless it is a whole number */
export function whole(option: string, value: string): number {
  if (/^\d+$/.test(value)) return Number(value);
  throw new ArgumentError(`${option} must be a whole number, not ${shown(value)}.`, { asked: value });
}
