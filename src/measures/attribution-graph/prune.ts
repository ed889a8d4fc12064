/** The part of an attribution graph that matters: the nodes and edges that carry most of the influence on the logits. */
import { ArgumentError } from "../../tensor/errors.ts";
import { between } from "../../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../../tensor/options.ts";
import { shown } from "../../tensor/show.ts";
import { type AttributionGraph, checkGraph, logitWeights } from "./graph.ts";
import { edgeInfluenceOf, influenceOf } from "./influence.ts";
import { eachEntry, onlyEntries, type SparseMatrix } from "./sparse.ts";

/** Which nodes and edges are kept. */
export interface Pruned {
  /** 1 for each node that is kept. */
  readonly nodes: Uint8Array;
  /** 1 for each entry of the adjacency matrix that is kept. */
  readonly edges: Uint8Array;
  /** For each node the share of all influence that it and the nodes with more of it have: small where it is important. */
  readonly cumulative: Float64Array;
  /** How much each node influences the logits, in the whole graph. */
  readonly influence: Float64Array;
}

/** Shares of influence that are kept. */
export interface PruneOptions {
  /** Of that of nodes. Default: 0.8. */
  readonly nodeThreshold?: number | undefined;
  /** Of that of the edges between them. Default: 0.98. */
  readonly edgeThreshold?: number | undefined;
}

/** circuit-tracer's defaults. */
export const NODE_THRESHOLD = 0.8;
export const EDGE_THRESHOLD = 0.98;

const KINDS: OptionKinds<PruneOptions> = { nodeThreshold: between(0, 1), edgeThreshold: between(0, 1) };

/**
 * Keeps the nodes with the most influence that together have a share of it, and all tokens and logits; then of the edges
 * between them those that together have a share of their influence; and then drops, until nothing changes, features and errors that lead
 * nowhere and features that nothing leads to.
 *
 * Source: circuit-tracer's `prune_graph`. An edge of no influence is never kept, which there happens at a share of 1.
 * @throws ArgumentError for anything but a graph, or shares that are not between 0 and 1
 */
export function pruneGraph(graph: AttributionGraph, options: PruneOptions = {}): Pruned {
  checkGraph("pruneGraph", graph);
  checkOptions("pruneGraph", options, KINDS);
  const { nodes, adjacency } = graph;
  const { nodeThreshold = NODE_THRESHOLD, edgeThreshold = EDGE_THRESHOLD } = options;
  const weights = logitWeights(nodes);
  const influence = influenceOf(adjacency, weights);
  const least = leastOfShare(influence, nodeThreshold);
  const isEnd = (i: number) => nodes[i].kind === "token" || nodes[i].kind === "logit";
  const keptNodes = Uint8Array.from(nodes, (_, i) => (isEnd(i) || influence[i] >= least ? 1 : 0));

  const within = new Uint8Array(adjacency.values.length);
  eachEntry(adjacency, (row, column, _value, at) => {
    within[at] = keptNodes[row] & keptNodes[column];
  });
  const rest = onlyEntries(adjacency, within);
  const scores = edgeInfluenceOf(rest, weights);
  const leastScore = leastOfShare(scores, edgeThreshold);
  const keptEdges = new Uint8Array(adjacency.values.length);
  let place = 0;
  within.forEach((kept, at) => {
    if (kept && scores[place++] >= leastScore) keptEdges[at] = 1;
  });
  while (dropLoose(nodes, adjacency, keptNodes, keptEdges));
  return { nodes: keptNodes, edges: keptEdges, cumulative: cumulativeShares(influence), influence };
}

/** Drops nodes without kept edges, and their edges. @returns whether anything was dropped */
function dropLoose(
  nodes: AttributionGraph["nodes"],
  adjacency: SparseMatrix,
  keptNodes: Uint8Array,
  keptEdges: Uint8Array,
): boolean {
  const [leads, isLedTo] = [new Uint8Array(nodes.length), new Uint8Array(nodes.length)];
  eachEntry(adjacency, (row, column, _value, at) => {
    if (!keptEdges[at]) return;
    if (keptNodes[row] && keptNodes[column]) {
      leads[column] = 1;
      isLedTo[row] = 1;
    } else keptEdges[at] = 0;
  });
  const loose = nodes.flatMap(({ kind }, i) => {
    const isInner = kind === "feature" || kind === "error";
    return keptNodes[i] && isInner && (!leads[i] || (kind === "feature" && !isLedTo[i])) ? [i] : [];
  });
  for (const i of loose) keptNodes[i] = 0;
  return loose.length > 0;
}

/**
 * The least score that is kept: of the scores from the largest down, that at which they first have a share of the sum of all.
 * More than 0, so that what has no score is left out.
 */
function leastOfShare(scores: Float64Array, share: number): number {
  const sorted = scores
    .filter((score) => score > 0)
    .sort()
    .reverse();
  const most = share * sorted.reduce((sum, x) => sum + x, 0);
  let sum = 0;
  const at = sorted.findIndex((score) => (sum += score) >= most);
  return at >= 0 ? sorted[at] : (sorted.at(-1) ?? Number.MIN_VALUE);
}

/** For each score the share of the sum that it and all before it have, from the largest down. */
export function cumulativeShares(scores: Float64Array): Float64Array {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
  const all = scores.reduce((sum, x) => sum + x, 0);
  const shares = new Float64Array(scores.length);
  let sum = 0;
  for (const i of order) {
    sum += scores[i];
    shares[i] = all > 0 ? sum / all : 0;
  }
  return shares;
}

/** @throws ArgumentError for anything but what pruneGraph says of a graph */
export function checkPruned(of: string, pruned: Pruned, { nodes, adjacency }: AttributionGraph): void {
  const { nodes: keptNodes, edges, cumulative } = (pruned ?? {}) as Partial<Pruned>;
  const counts = [keptNodes?.length, edges?.length, cumulative?.length];
  if (counts.join() === [nodes.length, adjacency.values.length, nodes.length].join()) return;
  throw new ArgumentError(`${of} needs what pruneGraph says of this graph, not ${shown(pruned)}.`, { asked: pruned });
}
