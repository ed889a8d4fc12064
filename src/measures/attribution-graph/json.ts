/** Attribution graphs as the JSON that circuit-tracer's and Neuronpedia's pages read. */
import { FileFormatError } from "../../tensor/errors.ts";
import { COUNT, type Kind, listOf, NOT_NEGATIVE, NOT_NEGATIVE_WHOLE, NUMBER, TEXT } from "../../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../../tensor/options.ts";
import { shown } from "../../tensor/show.ts";
import { type AttributionGraph, checkGraph, type GraphNode } from "./graph.ts";
import { checkPruned, type Pruned } from "./prune.ts";
import { eachEntry, sparseMatrix } from "./sparse.ts";

/** A node as these pages know it. */
export interface GraphJsonNode {
  readonly node_id: string;
  readonly feature: number;
  readonly layer: string;
  readonly ctx_idx: number;
  readonly feature_type: string;
  readonly token_prob: number;
  readonly is_target_logit: boolean;
  readonly run_idx: number;
  readonly reverse_ctx_idx: number;
  readonly jsNodeId: string;
  /** A label; of a logit `Output "TOKEN" (p=0.123)`, which the pages parse. */
  readonly clerp: string;
  /** The share of all influence that the node and those with more of it have. */
  readonly influence: number | null;
  readonly activation: number | null;
}

/** A graph as these pages know it. */
export interface GraphJson {
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly slug: string;
    /** Which set of features it is of: the pages look up what each feature does by it. */
    readonly scan: string;
    readonly transcoder_list: readonly string[];
    readonly prompt_tokens: readonly string[];
    readonly prompt: string;
    readonly node_threshold?: number;
    readonly schema_version: number;
  };
  readonly qParams: {
    readonly pinnedIds: readonly string[];
    /** Groups of nodes: a name, and the ids of its nodes. */
    readonly supernodes: readonly (readonly string[])[];
    readonly linkType: string;
    readonly clickedId: string;
    readonly sg_pos: string;
  };
  readonly nodes: readonly GraphJsonNode[];
  readonly links: readonly { readonly source: string; readonly target: string; readonly weight: number }[];
}

/** What a file says about a graph. */
export interface GraphJsonOptions {
  /** The file's name, without `.json`. */
  readonly slug: string;
  /** The set of features, or the model. */
  readonly scan: string;
  readonly prompt: string;
  readonly promptTokens: readonly string[];
  readonly nLayers: number;
  /** The share of influence at which nodes were pruned. */
  readonly nodeThreshold?: number | undefined;
  readonly pinnedIds?: readonly string[] | undefined;
  /** Groups of nodes: a name, and the ids of its nodes. */
  readonly supernodes?: readonly (readonly string[])[] | undefined;
}

const TEXTS = listOf(TEXT, "texts");
const OPTIONS: OptionKinds<GraphJsonOptions> = {
  ...{ slug: TEXT, scan: TEXT, prompt: TEXT, promptTokens: TEXTS, nLayers: COUNT, nodeThreshold: NOT_NEGATIVE },
  ...{ pinnedIds: TEXTS, supernodes: listOf(TEXTS, "lists of texts") },
};

/**
 * The id of a node: `LAYER_FEATURE_POS` of a feature, `LAYER_-1_POS` of an error, `E_TOKEN_POS` of a token, and of a logit
 * `LAYER_TOKEN_POS` in a layer of its own, after all others.
 *
 * An error is not `0_LAYER_POS`, as circuit-tracer has it, because features of layer 0 have such ids.
 */
export function nodeId(node: GraphNode, nLayers: number): string {
  if (node.kind === "feature") return `${node.layer}_${node.feature}_${node.pos}`;
  if (node.kind === "error") return `${node.layer}_-1_${node.pos}`;
  return `${node.kind === "token" ? "E" : nLayers + 1}_${node.token}_${node.pos}`;
}

/**
 * The kept part of a graph as the JSON of circuit-tracer and Neuronpedia: nodes with a kept edge, all tokens and logits,
 * and kept edges with their weights.
 * Source: circuit-tracer's `create_graph_files`; Neuronpedia's schema of graphs.
 * @throws ArgumentError for anything but a graph, what pruneGraph says of it, and options
 */
export function graphJson(graph: AttributionGraph, pruned: Pruned, options: GraphJsonOptions): GraphJson {
  checkGraph("graphJson", graph);
  checkPruned("graphJson", pruned, graph);
  checkOptions("graphJson", options, OPTIONS);
  const { nodes, adjacency } = graph;
  const { slug, scan, prompt, promptTokens, nLayers, nodeThreshold, pinnedIds = [], supernodes = [] } = options;
  const linked = new Uint8Array(nodes.length);
  const links: GraphJson["links"][number][] = [];
  const ids = nodes.map((node) => nodeId(node, nLayers));
  eachEntry(adjacency, (target, source, weight, at) => {
    if (!pruned.edges[at]) return;
    linked[target] = linked[source] = 1;
    links.push({ source: ids[source], target: ids[target], weight });
  });
  const firstLogit = nodes.findIndex(({ kind }) => kind === "logit");
  const listed = nodes.flatMap((node, i): GraphJsonNode[] => {
    const isEnd = node.kind === "token" || node.kind === "logit";
    return isEnd || linked[i] ? [jsonNode(node, ids[i], pruned.cumulative[i], nLayers, i === firstLogit)] : [];
  });
  const threshold = nodeThreshold === undefined ? {} : { node_threshold: nodeThreshold };
  const about = { slug, scan, transcoder_list: [], prompt_tokens: promptTokens, prompt };
  return {
    metadata: { ...about, ...threshold, schema_version: 1 },
    qParams: { pinnedIds, supernodes, linkType: "both", clickedId: "", sg_pos: "" },
    nodes: listed,
    links,
  };
}

const TYPES = {
  feature: "cross layer transcoder",
  error: "mlp reconstruction error",
  token: "embedding",
  logit: "logit",
} as const;

function jsonNode(node: GraphNode, id: string, influence: number, nLayers: number, isFirst: boolean): GraphJsonNode {
  return {
    node_id: id,
    ...placed(node, nLayers),
    ctx_idx: node.pos,
    feature_type: TYPES[node.kind],
    token_prob: node.kind === "logit" ? node.weight : 0,
    is_target_logit: isFirst,
    run_idx: 0,
    reverse_ctx_idx: 0,
    clerp: node.kind === "logit" ? `Output "${node.text}" (p=${node.weight.toFixed(3)})` : "",
    influence: node.kind === "logit" ? null : influence,
    activation: node.kind === "feature" ? node.activation : null,
  };
}

function placed(node: GraphNode, nLayers: number): Pick<GraphJsonNode, "feature" | "layer" | "jsNodeId"> {
  switch (node.kind) {
    case "feature": {
      const { layer, feature } = node;
      return { feature: cantor(layer, feature), layer: `${layer}`, jsNodeId: `${layer}_${feature}-0` };
    }
    case "error":
      return { feature: -1, layer: `${node.layer}`, jsNodeId: `${node.layer}_-1_${node.pos}-0` };
    case "token":
      return { feature: node.pos, layer: "E", jsNodeId: `E_${node.token}-${node.pos}` };
    case "logit":
      return { feature: node.token, layer: `${nLayers + 1}`, jsNodeId: `L_${node.token}-${node.pos}` };
  }
}

/** One number for a layer and a feature: Cantor's pairing. */
function cantor(layer: number, feature: number): number {
  return ((layer + feature) * (layer + feature + 1)) / 2 + feature;
}

/** A graph that was read, and what its file says about it. */
export interface ReadGraph extends AttributionGraph {
  readonly metadata: GraphJson["metadata"];
  readonly qParams: GraphJson["qParams"];
  /** The id of each node. */
  readonly ids: readonly string[];
  /** The share of all influence that each node and those with more of it have; `null` where the file has none. */
  readonly cumulative: readonly (number | null)[];
}

/**
 * The graph of a file that circuit-tracer, Neuronpedia or `graphJson` wrote: the nodes and edges that were kept.
 * @throws FileFormatError for something else, an edge to a node that is not there, or ids that several nodes have (as in files of
 * circuit-tracer where an error and a feature of layer 0 have one)
 */
export function graphFromJson(json: unknown): ReadGraph {
  const file = json as Partial<GraphJson> | null;
  const isGraph = typeof file === "object" && file !== null && Array.isArray(file.nodes) && Array.isArray(file.links);
  if (!isGraph || typeof file.metadata !== "object" || file.metadata === null) {
    throw new FileFormatError(
      `An attribution graph is an object with metadata, nodes and links, not ${shown(json)}: give what a SLUG.json file of circuit-tracer contains.`,
      { asked: json },
    );
  }
  const { nodes, links, metadata } = file as GraphJson;
  checkEach("node", nodes, { node_id: TEXT, layer: TEXT, ctx_idx: NOT_NEGATIVE_WHOLE, feature_type: TEXT });
  checkEach("link", links, { source: TEXT, target: TEXT, weight: NUMBER });
  const places = new Map<string, number>();
  nodes.forEach(({ node_id }, i) => {
    if (places.has(node_id)) throw sharedId(node_id);
    places.set(node_id, i);
  });
  const place = (id: string) => {
    const found = places.get(id);
    if (found !== undefined) return found;
    throw new FileFormatError(`A link of the graph names the node ${shown(id)}, which the file does not have.`, {
      asked: id,
    });
  };
  const rows = nodes.map(() => new Map<number, number>());
  for (const { source, target, weight } of links) rows[place(target)].set(place(source), weight);
  const adjacency = sparseMatrix(nodes.length, (i) => {
    const entries = [...rows[i]].sort(([a], [b]) => a - b);
    return { columns: entries.map(([column]) => column), values: entries.map(([, weight]) => weight) };
  });
  const qParams = { pinnedIds: [], supernodes: [], linkType: "both", clickedId: "", sg_pos: "", ...file.qParams };
  const read = nodes.map((node) => readNode(node, metadata.prompt_tokens ?? []));
  const cumulative = nodes.map(({ influence }) => influence ?? null);
  return { nodes: read, adjacency, metadata, qParams, ids: nodes.map(({ node_id }) => node_id), cumulative };
}

/** @throws FileFormatError unless each of a list is an object with fields of these kinds */
function checkEach(what: string, list: readonly unknown[], kinds: Readonly<Record<string, Kind>>): void {
  for (const [i, one] of Array.from(list).entries()) {
    const fields = (typeof one === "object" && one !== null ? one : {}) as Readonly<Record<string, unknown>>;
    const wrong = Object.entries(kinds).find(([name, kind]) => !kind.accepts(fields[name]));
    if (!wrong) continue;
    const [name, { describe }] = wrong;
    throw new FileFormatError(
      `The ${name} of ${what} ${i} of the graph must be ${describe}, not ${shown(fields[name])}.`,
      { asked: one },
    );
  }
}

function sharedId(id: string): FileFormatError {
  return new FileFormatError(
    `Two nodes of the graph have the id "${id}", so its links are not clear. Old versions of circuit-tracer name an error node as a feature of layer 0: make the graph again with a newer one.`,
    { asked: id },
  );
}

function readNode(node: GraphJsonNode, tokens: readonly string[]): GraphNode {
  const { node_id, ctx_idx: pos, feature_type, layer, token_prob, clerp } = node;
  const middle = Number(node_id.split("_")[1]);
  switch (feature_type) {
    case TYPES.error:
      return { kind: "error", layer: Number(layer), pos };
    case TYPES.token:
      return { kind: "token", pos, token: middle, text: tokens[pos] ?? "" };
    case TYPES.logit: {
      const text = /^Output "(.*)" \(p=/s.exec(`${clerp}`)?.[1] ?? `${clerp}`;
      return { kind: "logit", pos, token: node.feature, text, weight: token_prob };
    }
    default:
      return { kind: "feature", layer: Number(layer), pos, feature: middle, activation: node.activation ?? Number.NaN };
  }
}
