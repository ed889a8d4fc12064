/** What the scan of the logit lens remembers of each stream. */
import { Counts } from "../summaries/counts.ts";
import { GridSums } from "../summaries/grid-sums.ts";
import { logGrid } from "../summaries/grids.ts";
import { Histograms } from "../summaries/histograms.ts";
import { Moments } from "../summaries/moments.ts";
import { TopK } from "../summaries/top-k.ts";
import { NOTED_WIDTH } from "./noted.ts";

/** What is measured at each stream. */
export const LENS_QUANTITIES = ["rank", "log_prob", "probability", "kl"] as const;

/** Ranks: one bin for each of the first 64, and from there on 32 for each doubling. */
export const RANKS = logGrid(0, 24, 32);
/** Divergences in nats. */
const DIVERGENCES = logGrid(-24, 8, 32);
const PROBABILITIES = logGrid(-40, 1, 32);

/** At most this many streams are compared for each kind of token. */
const FOR_TYPES = 5;

export interface LogitLensSummaries {
  /** For each stream, each of `LENS_QUANTITIES`. */
  readonly numbers: Moments;
  /** For each stream. */
  readonly ranks: Histograms;
  readonly divergences: Histograms;
  readonly probabilities: Histograms;
  /** The first stream from which on the right token is the most probable; the last index counts tokens for which the model is wrong. */
  readonly settled: Counts;
  /** By the token that is predicted, as an id: how many, and its log probability at each of `streamsForTypes`. */
  readonly types: Counts;
  readonly typeLogProbs: GridSums;
  /** The tokens that gain most by the last step, and those that were most probable before the end and lose most from there. */
  readonly late: TopK;
  readonly lost: TopK;
}

/** @param streams how many there are @param top how many tokens are listed */
export function emptyLens(streams: number, dVocab: number, top: number): LogitLensSummaries {
  return {
    numbers: new Moments(streams * LENS_QUANTITIES.length),
    ranks: new Histograms(RANKS, streams),
    divergences: new Histograms(DIVERGENCES, streams),
    probabilities: new Histograms(PROBABILITIES, streams),
    settled: new Counts(streams + 1),
    types: new Counts(dVocab),
    typeLogProbs: new GridSums(dVocab * streamsForTypes(streams).length),
    late: new TopK(1, top, NOTED_WIDTH),
    lost: new TopK(1, top, NOTED_WIDTH),
  };
}

/** The streams that kinds of tokens are compared at: the first, the last, and some between. */
export function streamsForTypes(streams: number): readonly number[] {
  const count = Math.min(FOR_TYPES, streams);
  return Array.from({ length: count }, (_, i) => Math.round((i * (streams - 1)) / Math.max(1, count - 1)));
}
