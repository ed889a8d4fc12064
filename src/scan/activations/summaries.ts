/** What the scan of activations remembers besides the activations: their norms. */
import { PLACE_WIDTH } from "../context.ts";
import { logGrid } from "../summaries/grids.ts";
import { Histograms } from "../summaries/histograms.ts";
import { Moments } from "../summaries/moments.ts";
import { TopK } from "../summaries/top-k.ts";

const NORMS = logGrid(-20, 20, 32);

/** Of each hook point the norms of what it holds for a token. */
export interface ActivationsSummaries {
  readonly norms: Moments;
  readonly distributions: Histograms;
  /** The tokens with the largest. */
  readonly largest: TopK;
}

export function emptyActivations(points: number, top: number): ActivationsSummaries {
  return {
    norms: new Moments(points),
    distributions: new Histograms(NORMS, points),
    largest: new TopK(points, top, PLACE_WIDTH),
  };
}
