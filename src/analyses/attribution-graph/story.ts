/** What the parts of the analysis of attribution graphs share. */
import type { AttributionGraphMeasurement } from "../../measures/attribution-graph.ts";

/** What features are, in words. */
export interface FeatureWords {
  readonly one: string;
  readonly many: string;
  /** What MLPs write that no node accounts for. */
  readonly rest: string;
  readonly unexplained: string;
  readonly areNeurons: boolean;
}

export const NEURONS: FeatureWords = {
  ...{ one: "neuron", many: "neurons", rest: "all other neurons of a layer", areNeurons: true },
  ...{ unexplained: "neurons without a node of their own" },
};
export const FEATURES: FeatureWords = {
  ...{ one: "feature", many: "features", rest: "what no feature accounts for", areNeurons: false },
  ...{ unexplained: "what no feature accounts for" },
};

/** A graph, the words for it, and what is shown of it. */
export interface GraphStory {
  readonly measured: AttributionGraphMeasurement;
  /** What the first target is called: `logit(“ she”)`. */
  readonly target: string;
  readonly words: FeatureWords;
  readonly top: number;
  readonly seed: number;
}

/** The place of the first target among the nodes. */
export function firstTarget({ graph }: AttributionGraphMeasurement): number {
  return graph.nodes.findIndex(({ kind }) => kind === "logit");
}
