/** What a picture of attention shows, as plain data. */
import type { AttentionData } from "./data.ts";

/** What a picture of attention shows, besides the selected token. */
export interface AttentionState {
  /** The name of the head that is large when nothing is pointed at: "L0H3"; `null` for all heads together. */
  readonly head: string | null;
  /** Whether tokens show where the selected one attends to, rather than what attends to it. */
  readonly toSource: boolean;
  /** Whether the first token is left out. */
  readonly hideFirst: boolean;
  readonly logarithmic: boolean;
  /** Whether weights are times the norm of the value that is read. */
  readonly timesValues: boolean;
  /** The metric that heads are sorted by. */
  readonly sortBy: string | null;
  /** How much larger than fits the cells are. */
  readonly zoom: number;
}

/** What a picture shows at first. */
export function firstState({ names, focus }: AttentionData): AttentionState {
  return {
    ...{ head: names[focus] ?? null, toSource: true, hideFirst: false, logarithmic: false },
    ...{ timesValues: false, sortBy: null, zoom: 1 },
  };
}
