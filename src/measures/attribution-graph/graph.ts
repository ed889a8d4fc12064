/** An attribution graph as plain data: nodes, and what each adds to which. */
import { ArgumentError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import { isSparseMatrix, type SparseMatrix } from "./sparse.ts";

/** A feature that is active at a position: of a transcoder, or a neuron. */
export interface FeatureNode {
  readonly kind: "feature";
  readonly layer: number;
  readonly pos: number;
  /** Its number in its layer. */
  readonly feature: number;
  readonly activation: number;
}

/** What an MLP writes at a position that no feature accounts for. */
export interface ErrorNode {
  readonly kind: "error";
  readonly layer: number;
  readonly pos: number;
}

/** The embedding of the prompt's token at a position. */
export interface TokenNode {
  readonly kind: "token";
  readonly pos: number;
  /** Its id. */
  readonly token: number;
  readonly text: string;
}

/** What is explained: the logit of a token, less the mean of all, or another direction, at the position where it is read. */
export interface LogitNode {
  readonly kind: "logit";
  readonly pos: number;
  /** Its id; for a direction, one after those of the vocabulary. */
  readonly token: number;
  readonly text: string;
  /** How much it counts for: the token's probability. */
  readonly weight: number;
}

/** A node of an attribution graph. */
export type GraphNode = FeatureNode | ErrorNode | TokenNode | LogitNode;

/** Nodes and edges. */
export interface AttributionGraph {
  /** Features by layer, position and number, errors by layer and position, tokens by position, then logits. */
  readonly nodes: readonly GraphNode[];
  /** [target source], what each source adds to each target, signed. Only features and logits have rows. */
  readonly adjacency: SparseMatrix;
}

/** What nodes count for by themselves: logits their weight, all others 0. */
export function logitWeights(nodes: readonly GraphNode[]): Float64Array {
  return Float64Array.from(nodes, (node) => (node.kind === "logit" ? node.weight : 0));
}

/** How many layers there are: every layer's MLP has nodes. */
export function layersOf(nodes: readonly GraphNode[]): number {
  return nodes.reduce((most, node) => ("layer" in node ? Math.max(most, node.layer + 1) : most), 0);
}

const KINDS: readonly unknown[] = ["feature", "error", "token", "logit"] satisfies GraphNode["kind"][];

/** @throws ArgumentError for anything but an attribution graph */
export function checkGraph(of: string, graph: AttributionGraph): void {
  const { nodes, adjacency } = (typeof graph === "object" && graph !== null ? graph : {}) as Partial<AttributionGraph>;
  const named = Array.isArray(nodes) && Array.from(nodes).every((node) => KINDS.includes(node?.kind));
  if (named && isSparseMatrix(adjacency, nodes.length)) return;
  throw new ArgumentError(
    `${of} needs an attribution graph, with nodes and a sparse adjacency matrix of as many rows, not ${shown(graph)}: take the graph of measureAttributionGraph or of graphFromJson.`,
    { asked: graph },
  );
}
