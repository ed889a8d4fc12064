/** What all summaries have in common: they merge, and their state is arrays. */

/** The numbers that a summary consists of, by name. The same contents give the same arrays. */
export type SummaryState = Readonly<Record<string, Float64Array | Int32Array>>;

/**
 * What a scan remembers of many values in memory that does not grow with them. The law that each of them obeys: however values are
 * divided among summaries, and in whatever order these are merged, the state is the same, bit for bit.
 */
export interface Summary<Self> {
  /** Takes in everything that the other one has seen. */
  merge(other: Self): void;
  /** A copy of its numbers. */
  state(): SummaryState;
  /** Takes in a state that a summary of the same sizes had: into an empty one, it is then that summary. */
  restore(state: SummaryState): void;
}

/** The state of a summary that is part of another. */
export function withName(name: string, state: SummaryState): SummaryState {
  return Object.fromEntries(Object.entries(state).map(([part, data]) => [`${name}_${part}`, data]));
}

/** What `withName` was given. */
export function stateOfPart(name: string, state: SummaryState): SummaryState {
  const own = Object.entries(state).filter(([part]) => part.startsWith(`${name}_`));
  return Object.fromEntries(own.map(([part, data]) => [part.slice(name.length + 1), data]));
}
