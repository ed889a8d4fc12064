/** Influence, pruning and scores of attribution graphs, compared with circuit-tracer's. */
import { beforeAll, describe, expect, test } from "vitest";
import type { AttributionGraph } from "../../../src/measures/attribution-graph/graph.ts";
import { edgeInfluence, graphScores, nodeInfluence } from "../../../src/measures/attribution-graph/influence.ts";
import { pruneGraph } from "../../../src/measures/attribution-graph/prune.ts";
import { eachEntry, sparseMatrix } from "../../../src/measures/attribution-graph/sparse.ts";
import { expectClose } from "../../close.ts";
import { type GraphGolden, graphGolden, graphNames } from "./goldens.ts";

/** The entries of a golden matrix at the places of a sparse one. */
function entriesAt({ adjacency }: AttributionGraph, { data }: { readonly data: ArrayLike<unknown> }): number[] {
  const entries: number[] = [];
  eachEntry(adjacency, (row, column) => entries.push(Number(data[row * adjacency.size + column])));
  return entries;
}

const asArray = (data: ArrayLike<number>) => ({ shape: [data.length], data });

describe.each(graphNames)("the graph of %s", (name) => {
  let golden: GraphGolden;
  let graph: AttributionGraph;
  beforeAll(async () => {
    golden = await graphGolden(name);
    graph = golden.graph();
  });

  test("nodes have circuit-tracer's influence, and edges too", () => {
    expectClose(asArray(nodeInfluence(graph)), golden.get("node_influence") as never, 2e-5);
    const edges = edgeInfluence(graph);
    expectClose(asArray(edges), asArray(entriesAt(graph, golden.get("edge_influence_unpruned"))), 2e-5);
  });

  test("its scores are circuit-tracer's", () => {
    const { replacement, completeness } = graphScores(graph);
    expect(replacement).toBeCloseTo(golden.scalar("replacement_score"), 6);
    expect(completeness).toBeCloseTo(golden.scalar("completeness_score"), 6);
  });

  test.each(["default", "tight"])("pruning with %s thresholds keeps the same nodes and edges", (kind) => {
    const { node_threshold: nodeThreshold, edge_threshold: edgeThreshold } = golden.info.scalars[`prune.${kind}`];
    const pruned = pruneGraph(graph, { nodeThreshold, edgeThreshold });
    expect(Array.from(pruned.nodes)).toEqual(Array.from(golden.get(`prune.${kind}.node_mask`).data, Number));
    expect(Array.from(pruned.edges)).toEqual(entriesAt(graph, golden.get(`prune.${kind}.edge_mask`)));
    const { nodes, edges } = golden.info.scalars[`prune.${kind}`];
    expect([pruned.nodes, pruned.edges].map((kept) => kept.reduce((sum, x) => sum + x, 0))).toEqual([nodes, edges]);
    // Nodes without influence all have a share of 1, but for rounding.
    expectClose(asArray(pruned.cumulative), golden.get(`prune.${kind}.cumulative_scores`) as never, 2e-5);
  });

  test("a share of 1 keeps every node and edge with influence, and no others", () => {
    const pruned = pruneGraph(graph, { nodeThreshold: 1, edgeThreshold: 1 });
    const influence = nodeInfluence(graph);
    graph.nodes.forEach(({ kind }, i) => {
      if (kind === "feature" || kind === "error") expect([i, pruned.nodes[i]]).toEqual([i, influence[i] > 0 ? 1 : 0]);
    });
    const edges = edgeInfluence(graph);
    expect(Array.from(pruned.edges)).toEqual(Array.from(edges, (score) => (score > 0 ? 1 : 0)));
  });
});

/** A token and an error lead to a feature, which leads to a logit. */
const small: AttributionGraph = {
  nodes: [
    { kind: "feature", layer: 0, pos: 0, feature: 3, activation: 2 },
    { kind: "error", layer: 0, pos: 0 },
    { kind: "token", pos: 0, token: 5, text: "a" },
    { kind: "logit", pos: 0, token: 7, text: "b", weight: 0.5 },
  ],
  adjacency: sparseMatrix(4, (i) => {
    if (i === 0) return { columns: [1, 2], values: [-1, 3] };
    return i === 3 ? { columns: [0, 2], values: [1, 1] } : undefined;
  }),
};

describe("a graph of four nodes", () => {
  test("influence is the sum over paths of the products of shares", () => {
    expect(Array.from(nodeInfluence(small))).toEqual([0.25, 0.5 * 0.5 * 0.25, 0.5 * 0.5 + 0.5 * 0.5 * 0.75, 0]);
  });

  test("scores say how much comes from tokens, and how much of what is read is explained", () => {
    expect(graphScores(small)).toEqual({ replacement: 0.4375 / 0.5, completeness: (1.25 - 0.25 * 0.25) / 1.25 });
  });

  test("a feature that nothing leads to any more goes, with its edges", () => {
    // The token alone has enough of the influence.
    const pruned = pruneGraph(small, { nodeThreshold: 0.5 });
    expect(Array.from(pruned.nodes)).toEqual([0, 0, 1, 1]);
    expect(Array.from(pruned.edges)).toEqual([0, 0, 0, 1]);
  });
});
