/** What the scan of losses remembers. */
import type { Histograms } from "../summaries/histograms.ts";
import type { Moments } from "../summaries/moments.ts";
import type { TopK } from "../summaries/top-k.ts";

export interface LossSummaries {
  readonly all: Moments;
  readonly distribution: Histograms;
  /** By the position of the token that predicts. */
  readonly byPosition: Moments;
  /** By the token that is predicted, as an id. */
  readonly byToken: Moments;
  readonly bySource: Moments;
  /** The tokens that are predicted worst. */
  readonly largest: TopK;
}
