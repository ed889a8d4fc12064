/** The options of attribution graphs. Defaults are circuit-tracer's, but for the number of features. */
import type { AnalysisOptions } from "../options.ts";
import { EDGE_THRESHOLD, NODE_THRESHOLD } from "./prune.ts";

/** What is explained, and how much of it is a node. */
export const ATTRIBUTION_GRAPH_OPTIONS = {
  maxNLogits: {
    type: "integer",
    placeholder: "N",
    description: "the most tokens whose logits are explained",
    default: 10,
    least: 1,
  },
  desiredLogitProb: {
    type: "number",
    placeholder: "P",
    description: "explain only as many of the most probable tokens as have this probability together",
    default: 0.95,
    above: 0,
    most: 1,
  },
  maxFeatureNodes: {
    type: "integer",
    placeholder: "N",
    description:
      "the most features, those with the most influence on the logits; what the others write is put together",
    default: 512,
    least: 1,
  },
  batchSize: {
    type: "integer",
    placeholder: "N",
    description: "how many edges' targets are traced side by side at most",
    defaultText: "512, or fewer so that influence is computed again 16 times",
    least: 1,
  },
  updateInterval: {
    type: "integer",
    placeholder: "N",
    description: "after how many batches the features with the most influence are found again",
    default: 4,
    least: 1,
  },
  nodeThreshold: {
    type: "number",
    placeholder: "P",
    description: "pruning keeps the nodes that have this share of the influence on the logits",
    default: NODE_THRESHOLD,
    least: 0,
    most: 1,
  },
  edgeThreshold: {
    type: "number",
    placeholder: "P",
    description: "pruning keeps the edges that have this share of the influence on the logits",
    default: EDGE_THRESHOLD,
    least: 0,
    most: 1,
  },
} as const satisfies AnalysisOptions;

/** All options of the measure. */
export const MEASURE_OPTIONS = {
  interventions: {
    type: "integer",
    placeholder: "N",
    description:
      "of the features that are kept, this many with the most influence are also removed from the run, one at a time",
    default: 0,
    least: 0,
  },
  carriedEdges: {
    type: "integer",
    placeholder: "N",
    description: "of this many edges that are kept, those with the most influence, what each head of attention carries",
    default: 0,
    least: 0,
  },
  prompt: { type: "prompt", description: "the text that is explained", default: "The lady was so tired that" },
  ...ATTRIBUTION_GRAPH_OPTIONS,
} as const satisfies AnalysisOptions;
