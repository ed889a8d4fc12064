/** A graph's strongest edges and features, looked at more closely: which heads carry an edge, and what a run without a feature does. */
import { largestIndices } from "../top-tokens.ts";
import type { TracedRun } from "./edges.ts";
import type { FeatureNode } from "./graph.ts";
import { carriedEdges, type EdgePlace } from "./heads.ts";
import { edgeInfluence } from "./influence.ts";
import { type ChangedRun, changedRun } from "./interventions.ts";
import { finalReading } from "./linear-pass.ts";
import type { Pruned } from "./prune.ts";
import { eachEntry, rowAt } from "./sparse.ts";
import type { TracedGraph } from "./traced-graph.ts";

/** A traced graph, and what is said of it. */
export interface NamedGraph {
  readonly run: TracedRun;
  readonly graph: TracedGraph;
  readonly names: readonly string[];
  readonly pruned: Pruned;
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

/** What removing a feature changes of the first target: in logits, or in units of its direction. */
export interface RemovedFeatureRow {
  readonly name: string;
  readonly layer: number;
  readonly pos: number;
  readonly feature: number;
  readonly activation: number;
  /** By its edge to the target. */
  readonly predicted: number;
  /** In a run where patterns, norms' denominators and MLPs are held: what the edge should say exactly. */
  readonly constrained: number;
  /** In a run where only patterns of attention are held. */
  readonly frozenAttention: number;
  /** In a run where nothing is held. */
  readonly free: number;
}

type Edge = EdgePlace & { readonly weight: number };

/** What each head carries of the kept edges with the most influence. */
export async function carriedByHeads(
  named: NamedGraph,
  count: number,
  signal?: AbortSignal,
): Promise<CarriedEdgeRow[]> {
  const { run, graph, names } = named;
  const edges = strongestEdges(named, count);
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

function strongestEdges({ graph, pruned: { edges } }: NamedGraph, count: number): Edge[] {
  const influence = edgeInfluence(graph).map((x, at) => (edges[at] ? x : 0));
  const most = largestIndices(influence, Math.min(count, influence.length)).filter((at) => influence[at] > 0);
  const found = new Map<number, Edge | undefined>(most.map((at) => [at, undefined]));
  eachEntry(graph.adjacency, (target, source, weight, at) => {
    if (found.has(at)) found.set(at, { source, target, weight });
  });
  return [...found.values()].flatMap((edge) => edge ?? []);
}

/** What the first target loses without each of the kept features with the most influence, by its edge and in runs. */
export async function withoutFeatures(
  named: NamedGraph,
  count: number,
  signal?: AbortSignal,
): Promise<RemovedFeatureRow[]> {
  const { run, graph, names, pruned } = named;
  const sizes = pruned.influence.map((x, i) => (pruned.nodes[i] && graph.nodes[i].kind === "feature" ? x : 0));
  const chosen = largestIndices(sizes, Math.min(count, sizes.length)).filter((i) => sizes[i] > 0);
  const edges = rowAt(
    graph.adjacency,
    graph.nodes.findIndex(({ kind }) => kind === "logit"),
  );
  const direction = run.targets.directions.row(0);
  const reading = finalReading(run.model, run.graph);
  const read = ({ at }: ChangedRun) => reading(at).at({ batch: 0, pos: -1 }).mul(direction).sum();
  const rows: RemovedFeatureRow[] = [];
  for (const i of chosen) {
    const { layer, pos, feature, activation } = graph.nodes[i] as FeatureNode;
    const changes = [{ layer, pos, feature, value: 0 }];
    await run.features.prepare(changes);
    const held = [{ constrainedLayers: "all" }, {}, { freezeAttention: false }] as const;
    const runs = [changedRun(run, []), ...held.map((one) => changedRun(run, changes, one))];
    const [before, ...after] = await run.model.compute(runs.map(read), { signal });
    const [constrained, frozenAttention, free] = after.map((value) => value.item() - before.item());
    const place = { name: names[i], layer, pos, feature, activation };
    rows.push({ ...place, predicted: 0 - (edges.get(i) ?? 0), constrained, frozenAttention, free });
  }
  return rows;
}
