/**
 * Attribution graphs: what features of a prompt add to each other and to the logits, while patterns of attention and norms'
 * denominators stay as they were.
 */

import type { Model } from "../lens/model.ts";
import { either, FLAG, listOf, NOT_NEGATIVE_WHOLE, OBJECT, TEXT } from "../tensor/kinds.ts";
import type { OptionKinds } from "../tensor/options.ts";
import { EdgeRows, type TracedRun } from "./attribution-graph/edges.ts";
import { carriedEdges, type EdgePlace } from "./attribution-graph/heads.ts";
import { edgeInfluence, type GraphScores, graphScores } from "./attribution-graph/influence.ts";
import { nodeNames } from "./attribution-graph/names.ts";
import { neuronPass } from "./attribution-graph/neurons.ts";
import { EDGE_THRESHOLD, NODE_THRESHOLD, type Pruned, pruneGraph } from "./attribution-graph/prune.ts";
import { eachEntry } from "./attribution-graph/sparse.ts";
import type { Target } from "./attribution-graph/targets.ts";
import { traceRun } from "./attribution-graph/trace.ts";
import { type TracedGraph, tracedGraph } from "./attribution-graph/traced-graph.ts";
import { Measured, type RowSource } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, settled } from "./options.ts";
import { type Prompt, readPrompt } from "./prompt.ts";
import { largestIndices } from "./top-tokens.ts";

/** An edge of an attribution graph. */
export interface AttributionGraphRow {
  readonly source: string;
  readonly target: string;
  /** What the source adds to what the target reads: to a feature's pre-activation, or to a logit. */
  readonly weight: number;
  /** Whether pruning keeps it. */
  readonly kept: boolean;
}

/** How an edge gets from its source to its target. */
export interface CarriedEdgeRow {
  readonly source: string;
  readonly target: string;
  readonly weight: number;
  /** What goes past all heads: 0 unless both ends are at one position. */
  readonly direct: number;
  /** What goes through each head, by layer, on paths that may go through heads of other layers too. */
  readonly heads: readonly (readonly number[])[];
}

/** The result of `measureAttributionGraph`: a row for each edge. */
export interface AttributionGraphMeasurement extends Measured<AttributionGraphRow> {
  readonly prompt: Prompt;
  readonly graph: TracedGraph;
  /** What each node is called, in the graph's order. */
  readonly names: readonly string[];
  /** Which nodes and edges pruning keeps. */
  readonly pruned: Pruned;
  /** Of the whole graph. */
  readonly scores: GraphScores;
  /** Which heads carry the edges with the most influence (`carriedEdges`). */
  readonly carried: readonly CarriedEdgeRow[];
}

/** circuit-tracer's defaults. */
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

const OPTIONS = {
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

/** What only code can give. */
interface Given {
  /** Whether BOS is put in front of a text. */
  readonly prependBos?: boolean | undefined;
  /** What is explained: tokens, by id or text, and directions. Default: the most probable tokens. */
  readonly targets?: readonly Target[] | undefined;
}

const GIVEN: OptionKinds<Given> = {
  prependBos: FLAG,
  targets: listOf(either(NOT_NEGATIVE_WHOLE, TEXT, OBJECT), "tokens, by id or text, or directions"),
};

/** The options of `measureAttributionGraph`. */
export type MeasureAttributionGraphOptions = GivenOptions<typeof OPTIONS> & Given;

/**
 * The attribution graph of a prompt. Its nodes are neurons that are active at a position, what all other neurons of an MLP write there, the
 * prompt's tokens, and logits of the next token. An edge is what its source adds to what its target reads,
 * `A[t, s] = out_s · d read_t / d (value where s writes)`, where patterns of attention and norms' denominators are held: `out_s` is
 * a neuron's activation times its row of W_out, and `read_t` its pre-activation, or a logit less the mean of all. What an edge
 * carries through heads of attention belongs to it. Edges and a constant, which biases and positions contribute,
 * sum to what the target reads; `residual` says how exactly.
 *
 * Source: Ameisen et al. 2025, "Circuit Tracing"; circuit-tracer's `attribute`.
 * @throws InputError for a prompt that does not fit; ArgumentError for a model that cannot be traced (one that fills in masks, mixtures of
 * experts, clipped values); MemoryError, before it starts, for a graph that does not fit
 */
export async function measureAttributionGraph(
  model: Model,
  options: MeasureAttributionGraphOptions = {},
): Promise<AttributionGraphMeasurement> {
  const of = "measureAttributionGraph";
  const asked = settled(of, model, options, OPTIONS, GIVEN);
  const { signal, maxFeatureNodes, updateInterval, nodeThreshold, edgeThreshold } = asked;
  const prompt = readPrompt(model, asked.prompt, { prependBos: asked.prependBos });
  const run = await traceRun(of, model, prompt, (graph) => neuronPass(of, model, graph), asked, signal);
  const rows = await EdgeRows.of(run, signal);
  const batchSize = asked.batchSize ?? Math.max(1, Math.min(512, Math.ceil(maxFeatureNodes / 16 / updateInterval)));
  const graph = await tracedGraph(run, rows, { ...asked, batchSize });
  const pruned = pruneGraph(graph, { nodeThreshold, edgeThreshold });
  const names = nodeNames(graph.nodes);
  const carried = await carriedBy(run, graph, names, strongestEdges(graph, pruned, asked.carriedEdges), signal);
  return Measured.of(edgesOf(graph, names, pruned), {
    prompt,
    graph,
    names,
    pruned,
    scores: graphScores(graph),
    carried,
  });
}

/** The kept edges with the most influence. */
function strongestEdges(
  graph: TracedGraph,
  { edges }: Pruned,
  count: number,
): (EdgePlace & { readonly weight: number })[] {
  const influence = edgeInfluence(graph).map((x, at) => (edges[at] ? x : 0));
  const most = largestIndices(influence, Math.min(count, influence.length)).filter((at) => influence[at] > 0);
  const found = new Map<number, EdgePlace & { readonly weight: number }>();
  eachEntry(graph.adjacency, (target, source, weight, at) => {
    if (most.includes(at)) found.set(at, { source, target, weight });
  });
  return most.map((at) => found.get(at)!);
}

async function carriedBy(
  run: TracedRun,
  graph: TracedGraph,
  names: readonly string[],
  edges: readonly (EdgePlace & { readonly weight: number })[],
  signal: AbortSignal | undefined,
): Promise<CarriedEdgeRow[]> {
  const carried = await carriedEdges(run, graph, edges, signal);
  return edges.map(({ source, target, weight }, i) => {
    const { direct, heads } = carried[i];
    const [layers, each] = heads.shape;
    const perLayer = Array.from({ length: layers }, (_, layer) =>
      Array.from(heads.data.subarray(layer * each, (layer + 1) * each)),
    );
    return { source: names[source], target: names[target], weight, direct, heads: perLayer };
  });
}

function edgesOf(
  { adjacency }: TracedGraph,
  names: readonly string[],
  { edges }: Pruned,
): RowSource<AttributionGraphRow> {
  const { size, starts, columns, values } = adjacency;
  const rowOf = new Uint32Array(values.length);
  for (let row = 0; row < size; row++) rowOf.fill(row, starts[row], starts[row + 1]);
  return {
    length: values.length,
    columns: ["source", "target", "weight", "kept"],
    row: (i) => ({ source: names[columns[i]], target: names[rowOf[i]], weight: values[i], kept: edges[i] === 1 }),
  };
}
