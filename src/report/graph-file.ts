/** A finding's graph as circuit-tracer's and Neuronpedia's pages read it, made of its tables. */
import type { Finding } from "../finding/finding.ts";
import type { GraphSpec } from "../finding/picture.ts";
import { rowsOf } from "../finding/table.ts";
import type { GraphNode } from "../measures/attribution-graph/graph.ts";
import { type GraphJson, graphJson } from "../measures/attribution-graph/json.ts";
import { sparseMatrix } from "../measures/attribution-graph/sparse.ts";
import { withPins } from "./draw/graph-pins.ts";

/** What comes after the name of such a file. */
export const GRAPH_ENDING = "graph.json";

/** The picture of a finding that is of a graph which can be such a file, if it has one. */
export function graphIn({ pictures }: Finding): GraphSpec | undefined {
  return pictures.find((one): one is GraphSpec => one.kind === "graph" && "source" in one);
}

/**
 * All kept nodes and edges of the graph that a picture shows a part of, with what is pinned there and in groups.
 * @param slug the file's name, without `.json`
 */
export function graphFile({ tables, model }: Finding, spec: GraphSpec, slug: string): GraphJson {
  const { nodes, edges, prompt, nLayers, nodeThreshold } = spec.source!;
  const read = rowsOf(tables, nodes).map((row) => ({ row, node: nodeOf(row, nLayers) }));
  read.sort((a, b) => compare(orderOf(a.node), orderOf(b.node)));
  const place = new Map(read.map(({ row }, i) => [row.node, i]));
  const into = read.map((): [source: number, weight: number][] => []);
  for (const { source, target, weight } of rowsOf(tables, edges)) {
    into[place.get(target)!].push([place.get(source)!, Number(weight)]);
  }
  const adjacency = sparseMatrix(read.length, (i) => {
    const entries = into[i].sort(([a], [b]) => a - b);
    return { columns: entries.map(([column]) => column), values: entries.map(([, weight]) => weight) };
  });
  const kept = {
    nodes: new Uint8Array(read.length).fill(1),
    edges: new Uint8Array(adjacency.values.length).fill(1),
    cumulative: Float64Array.from(read, ({ row }) => Number(row.share)),
    influence: Float64Array.from(read, ({ row }) => Number(row.influence)),
  };
  const promptTokens = read.flatMap(({ node }) => (node.kind === "token" ? [node.text] : []));
  const graph = { nodes: read.map(({ node }) => node), adjacency };
  const about = { slug, scan: model.name, prompt, promptTokens, nLayers, nodeThreshold };
  return withPins(graphJson(graph, kept, about), spec);
}

type Row = ReturnType<typeof rowsOf>[number];

/** The node with an id of such files. */
function nodeOf({ id, token: text, activation, logit_weight: weight }: Row, nLayers: number): GraphNode {
  const [first, middle, pos] = `${id}`.split("_").map((part) => (part === "E" ? -1 : Number(part)));
  if (first < 0) return { kind: "token", pos, token: middle, text: `${text}` };
  if (first > nLayers) return { kind: "logit", pos, token: middle, text: `${text}`, weight: Number(weight) };
  if (middle < 0) return { kind: "error", layer: first, pos };
  return { kind: "feature", layer: first, pos, feature: middle, activation: Number(activation) };
}

const KINDS: readonly GraphNode["kind"][] = ["feature", "error", "token", "logit"];

/** Nodes are in the order of a graph's; logits stay in theirs. */
function orderOf(node: GraphNode): readonly number[] {
  const layer = "layer" in node ? node.layer : 0;
  return [KINDS.indexOf(node.kind), layer, node.pos, node.kind === "feature" ? node.feature : 0];
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((x, i) => x !== b[i]);
  return at < 0 ? 0 : a[at] - b[at];
}
