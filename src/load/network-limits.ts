/** How long to wait for a server, and how often to retry. */
import { COUNT, NOT_NEGATIVE } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";

export interface NetworkLimits {
  /** Milliseconds until the answer to a request must begin. */
  readonly answerMs: number;
  /** Milliseconds without a byte after which a body counts as stalled. */
  readonly stallMs: number;
  /** A body that brings fewer than `slowBytes` in this many milliseconds counts as stalled, too. */
  readonly slowMs: number;
  readonly slowBytes: number;
  /** The total number of tries, if a connection breaks or a server says that it is busy. */
  readonly tries: number;
  /** Milliseconds before the second try; twice as long before each further one, or as long as the server says. */
  readonly retryMs: number;
  /** The longest wait that a server's `Retry-After` can ask for. */
  readonly longestRetryMs: number;
}

const DEFAULTS: NetworkLimits = {
  answerMs: 10_000,
  stallMs: 20_000,
  slowMs: 60_000,
  slowBytes: 1000,
  tries: 4,
  retryMs: 500,
  longestRetryMs: 30_000,
};

const KINDS: OptionKinds<NetworkLimits> = {
  answerMs: COUNT,
  stallMs: COUNT,
  slowMs: COUNT,
  slowBytes: NOT_NEGATIVE,
  tries: COUNT,
  retryMs: NOT_NEGATIVE,
  longestRetryMs: NOT_NEGATIVE,
};

/** @throws ArgumentError for a limit that does not exist or is not valid */
export function networkLimits(given: Partial<NetworkLimits> = {}): NetworkLimits {
  checkOptions("limits", given, KINDS as OptionKinds<Partial<NetworkLimits>>);
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...DEFAULTS, ...Object.fromEntries(set) };
}
