/** The memory that a sweep may use, as a command line takes it. */
import { ArgumentError } from "../tensor/errors.ts";

/** The option of every command that sweeps. */
export const memoryOption = {
  type: "number",
  placeholder: "GB",
  description: "most memory for a sweep's values at one time; less takes more runs",
  default: 2,
} as const;

/** Gigabytes in bytes. @throws ArgumentError if that is no amount of memory. */
export function gigabytes(amount: number): number {
  if (amount > 0 && Number.isFinite(amount)) return amount * 1e9;
  throw new ArgumentError(`The memory is ${amount} GB, but it must be over 0: 2 is usual.`, { asked: amount });
}
