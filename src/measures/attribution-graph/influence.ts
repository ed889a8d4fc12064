/** How much nodes and edges of an attribution graph influence its logits, along all paths together. */
import { type AttributionGraph, checkGraph, logitWeights } from "./graph.ts";
import { eachEntry, type SparseMatrix } from "./sparse.ts";

/** The least that a row is divided by. */
const LEAST_SUM = 1e-10;
/** More steps than any path of a model's layers has. */
const MOST_STEPS = 1000;

/** `|A|` with each row divided by its sum: the share of each source in what reaches a target, by place of the entry. */
export function inputShares({ size, starts, values }: SparseMatrix): Float64Array {
  const shares = new Float64Array(values.length);
  for (let row = 0; row < size; row++) {
    let sum = 0;
    for (let at = starts[row]; at < starts[row + 1]; at++) sum += Math.abs(values[at]);
    for (let at = starts[row]; at < starts[row + 1]; at++) shares[at] = Math.abs(values[at]) / Math.max(sum, LEAST_SUM);
  }
  return shares;
}

/**
 * The influence of each node on the logits, `w (B + B² + …)`: the sum over all paths to a logit of the products of shares along
 * the path, times the logit's weight. `B` is `|A|` with rows that sum to 1, so paths end after as many steps as there are
 * layers. The logits' own influence is 0.
 *
 * Source: Ameisen et al. 2025, "Circuit Tracing"; circuit-tracer's `compute_node_influence`.
 * @throws ArgumentError for anything but a graph
 */
export function nodeInfluence(graph: AttributionGraph): Float64Array {
  checkGraph("nodeInfluence", graph);
  return influenceOf(graph.adjacency, logitWeights(graph.nodes));
}

/** The same, of a matrix and of what nodes count for by themselves. */
export function influenceOf(
  adjacency: SparseMatrix,
  weights: Float64Array,
  shares: Float64Array = inputShares(adjacency),
): Float64Array {
  const influence = new Float64Array(adjacency.size);
  let reached = weights;
  for (let step = 0; step < MOST_STEPS && reached.some((x) => x !== 0); step++) {
    const next = new Float64Array(adjacency.size);
    eachEntry(adjacency, (row, column, _value, at) => {
      next[column] += reached[row] * shares[at];
    });
    for (let i = 0; i < next.length; i++) influence[i] += next[i];
    reached = next;
  }
  return influence;
}

/**
 * The influence of each edge on the logits, by place of its entry: the source's share of the target, times the target's
 * influence and weight.
 * Source: circuit-tracer's `compute_edge_influence`.
 * @throws ArgumentError for anything but a graph
 */
export function edgeInfluence(graph: AttributionGraph): Float64Array {
  checkGraph("edgeInfluence", graph);
  return edgeInfluenceOf(graph.adjacency, logitWeights(graph.nodes));
}

/** The same, of a matrix and of what nodes count for by themselves. */
export function edgeInfluenceOf(adjacency: SparseMatrix, weights: Float64Array): Float64Array {
  const shares = inputShares(adjacency);
  const influence = influenceOf(adjacency, weights, shares);
  eachEntry(adjacency, (row, _column, _value, at) => {
    shares[at] *= influence[row] + weights[row];
  });
  return shares;
}

/** Two numbers that say how much of a graph is explained by features and tokens, both between 0 and 1. */
export interface GraphScores {
  /** `influence(tokens) / (influence(tokens) + influence(errors))`: how much of what reaches the logits comes from tokens, and not from errors. */
  readonly replacement: number;
  /** The mean over nodes, weighed by influence, of the share of their inputs that are not errors. Nodes without inputs count as explained. */
  readonly completeness: number;
}

/**
 * The scores of a graph, which should be one that nothing was pruned from.
 * Source: Ameisen et al. 2025; circuit-tracer's `compute_graph_scores`.
 * @throws ArgumentError for anything but a graph
 */
export function graphScores(graph: AttributionGraph): GraphScores {
  checkGraph("graphScores", graph);
  const { nodes, adjacency } = graph;
  const weights = logitWeights(nodes);
  const shares = inputShares(adjacency);
  const influence = influenceOf(adjacency, weights, shares);
  const of = (kind: "token" | "error") =>
    nodes.reduce((sum, node, i) => sum + (node.kind === kind ? influence[i] : 0), 0);
  const [tokens, errors] = [of("token"), of("error")];
  const explained = new Float64Array(nodes.length).fill(1);
  eachEntry(adjacency, (row, column, _value, at) => {
    if (nodes[column].kind === "error") explained[row] -= shares[at];
  });
  const counts = influence.map((x, i) => x + weights[i]);
  const all = counts.reduce((sum, x) => sum + x, 0);
  const complete = counts.reduce((sum, x, i) => sum + x * explained[i], 0);
  return {
    replacement: tokens + errors > 0 ? tokens / (tokens + errors) : 1,
    completeness: all > 0 ? complete / all : 1,
  };
}
