/**
 * Attribution graphs: what features of a prompt add to each other and to the logits, while patterns of attention and norms'
 * denominators stay as they were.
 */

import type { TranscoderSet } from "../dictionaries/transcoder-set.ts";
import type { Model } from "../lens/model.ts";
import { either, FLAG, listOf, NOT_NEGATIVE_WHOLE, OBJECT, TEXT } from "../tensor/kinds.ts";
import type { OptionKinds } from "../tensor/options.ts";
import { EdgeRows } from "./attribution-graph/edges.ts";
import { type GraphScores, graphScores } from "./attribution-graph/influence.ts";
import { nodeNames } from "./attribution-graph/names.ts";
import { neuronKind } from "./attribution-graph/neurons.ts";
import { MEASURE_OPTIONS } from "./attribution-graph/options.ts";
import { type Pruned, pruneGraph } from "./attribution-graph/prune.ts";
import {
  type CarriedEdgeRow,
  carriedByHeads,
  type RemovedFeatureRow,
  withoutFeatures,
} from "./attribution-graph/strongest.ts";
import type { Target } from "./attribution-graph/targets.ts";
import { traceRun } from "./attribution-graph/trace.ts";
import { type TracedGraph, tracedGraph } from "./attribution-graph/traced-graph.ts";
import { transcoderKind } from "./attribution-graph/transcoders.ts";
import { SET } from "./feature-intervention.ts";
import { Measured, type RowSource } from "./measured.ts";
import { type GivenOptions, settled } from "./options.ts";
import { type Prompt, readPrompt } from "./prompt.ts";

/** An edge of an attribution graph. */
export interface AttributionGraphRow {
  readonly source: string;
  readonly target: string;
  /** What the source adds to what the target reads: to a feature's pre-activation, or to a logit. */
  readonly weight: number;
  /** Whether pruning keeps it. */
  readonly kept: boolean;
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
  /** What removing the features with the most influence changes (`interventions`). */
  readonly removed: readonly RemovedFeatureRow[];
}

/** What only code can give. */
interface Given {
  /** Whether BOS is put in front of a text. */
  readonly prependBos?: boolean | undefined;
  /** What is explained: tokens, by id or text, and directions. Default: the most probable tokens. */
  readonly targets?: readonly Target[] | undefined;
  /** The transcoders whose features are traced. Default: none, and neurons are. */
  readonly transcoders?: TranscoderSet | undefined;
}

const GIVEN: OptionKinds<Given> = {
  transcoders: SET,
  prependBos: FLAG,
  targets: listOf(either(NOT_NEGATIVE_WHOLE, TEXT, OBJECT), "tokens, by id or text, or directions"),
};

/** The options of `measureAttributionGraph`. */
export type MeasureAttributionGraphOptions = GivenOptions<typeof MEASURE_OPTIONS> & Given;

/**
 * The attribution graph of a prompt. Its nodes are features of transcoders that are active at a position and what the MLPs write besides (errors), or without
 * transcoders neurons and what all others of a layer write; the prompt's tokens, and logits of the next token. An edge is what its source adds to what its target reads,
 * `A[t, s] = out_s · d read_t / d (value where s writes)`, where patterns of attention and norms' denominators are held: `out_s` is
 * a feature's activation times its decoder's row (a neuron's times its row of W_out), and `read_t` its pre-activation, or a logit less the mean of all. What an edge
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
  const asked = settled(of, model, options, MEASURE_OPTIONS, GIVEN);
  const { signal, nodeThreshold, edgeThreshold, transcoders } = asked;
  const prompt = readPrompt(model, asked.prompt, { prependBos: asked.prependBos });
  const kind = transcoders ? transcoderKind(of, model, transcoders, signal) : neuronKind(of, model);
  const run = await traceRun(of, model, prompt, kind, asked, signal);
  const rows = await EdgeRows.of(run, signal);
  const graph = await tracedGraph(run, rows, { ...asked, ...sizes(asked) });
  const pruned = pruneGraph(graph, { nodeThreshold, edgeThreshold });
  const names = nodeNames(graph.nodes, transcoders ? "transcoders" : "neurons");
  const named = { run, graph, names, pruned };
  const carried = await carriedByHeads(named, asked.carriedEdges, signal);
  const removed = await withoutFeatures(named, asked.interventions, signal);
  const about = { prompt, graph, names, pruned, scores: graphScores(graph), carried, removed };
  return Measured.of(edgesOf(graph, names, pruned), about);
}

/** Neurons of a run by default, of which nearly all are active. */
const MOST_NEURONS = 512;
/** circuit-tracer's batches, and how often influence is computed again at least. */
const [BATCH, ROUNDS] = [512, 16];

function sizes({ maxFeatureNodes, batchSize, updateInterval, transcoders }: Sizes) {
  const most = maxFeatureNodes ?? (transcoders ? undefined : MOST_NEURONS);
  const batch = most === undefined ? BATCH : Math.min(BATCH, Math.ceil(most / ROUNDS / updateInterval));
  return { maxFeatureNodes: most, batchSize: batchSize ?? batch };
}

interface Sizes {
  readonly maxFeatureNodes?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly updateInterval: number;
  readonly transcoders?: TranscoderSet | undefined;
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
