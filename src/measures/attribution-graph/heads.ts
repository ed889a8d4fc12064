/** Which heads of attention carry edges: an edge is a sum over paths, and each path goes through heads, or past them all. */
import { grad } from "../../graph/rewrite/grad.ts";
import { Tensor } from "../../graph/tensor.ts";
import type { NDArray } from "../../tensor/array.ts";
import { type Group, nothing, readingsOf, seedsOf, type TracedRun } from "./edges.ts";
import { embeddingPoint, type LinearPass, linearPass } from "./linear-pass.ts";
import type { TracedGraph } from "./traced-graph.ts";

/** How an edge gets from its source to its target. */
export interface CarriedEdge {
  /** What goes past all heads: 0 unless source and target are at one position. */
  readonly direct: number;
  /** [layer head]: what goes through each head. */
  readonly heads: NDArray<"float32">;
}

/** An edge, by the places of its ends among a graph's nodes. */
export interface EdgePlace {
  readonly source: number;
  readonly target: number;
}

/** The most edges that are followed side by side. */
const TOGETHER = 16;

/**
 * What each head carries of edges. What a source writes is followed forwards to each head's output, and what a target reads backwards
 * to it; their product is what goes through that head. Where one layer of attention is between the ends, heads and
 * `direct` sum to the edge; a path through heads of several layers counts for each of them.
 */
export async function carriedEdges(
  run: TracedRun,
  graph: TracedGraph,
  edges: readonly EdgePlace[],
  signal?: AbortSignal,
): Promise<CarriedEdge[]> {
  const carried = new Map<EdgePlace, CarriedEdge>();
  for (const { layer, edges: group } of groupsOf(graph, edges)) {
    const members = group.map(({ target }) => memberOf(graph, target));
    const values = carriedValues(run, graph, { layer, members }, group);
    const [direct, heads] = await run.model.compute(values, { signal });
    group.forEach((edge, i) => {
      carried.set(edge, { direct: direct.data[i], heads: heads.row(i).array as NDArray<"float32"> });
    });
  }
  return edges.map((edge) => carried.get(edge)!);
}

/** Edges whose targets read the same value, a few at a time. */
function groupsOf({ nodes }: TracedGraph, edges: readonly EdgePlace[]) {
  const byLayer = new Map<number | undefined, EdgePlace[]>();
  for (const edge of edges) {
    const node = nodes[edge.target];
    const layer = node.kind === "feature" ? node.layer : undefined;
    byLayer.set(layer, [...(byLayer.get(layer) ?? []), edge]);
  }
  return [...byLayer].flatMap(([layer, all]) =>
    Array.from({ length: Math.ceil(all.length / TOGETHER) }, (_, i) => {
      return { layer, edges: all.slice(i * TOGETHER, (i + 1) * TOGETHER) };
    }),
  );
}

/** A target among active features, or among logits. */
function memberOf({ nodes, selectedFeatures }: TracedGraph, target: number): number {
  const firstLogit = nodes.findIndex(({ kind }) => kind === "logit");
  return target < firstLogit ? selectedFeatures[target] : target - firstLogit;
}

/** Direct parts [batch], and parts through heads [batch layer head], of edges into the members of a group. */
function carriedValues(run: TracedRun, graph: TracedGraph, group: Group, edges: readonly EdgePlace[]): Tensor[] {
  const { layer } = group;
  const seeds = seedsOf(run, group);
  const reading = readingsOf(run)[layer ?? run.features.readings.length];
  const points = Array.from({ length: run.model.cfg.nLayers }, (_, i) => run.graph.at(`blocks.${i}.attn.hook_z`));
  const sent = sentBy(
    run,
    graph,
    edges.map(({ source }) => source),
    layer ?? run.features.writings.length,
  );
  const none = sent.map(nothing).map((x) => x.slice(0, 0, 1));
  const [some, empty] = [sent, none].map((values) => passFrom(run, values));
  const gradients = grad(
    reading(some.at).mul(seeds).sum(),
    points.map((point) => some.at(point)),
    { unused: "zero" },
  );
  const heads = points.map((point, i) => {
    const moved = some.at(point).sub(empty.at(point));
    return moved.mul(gradients[i]).sum(["pos", "d_head"]).unsqueeze(1, "layer");
  });
  const past = new Map(points.map((point) => [point.label!, nothing(point).slice(0, 0, 1)]));
  const [direct, still] = [sent, none].map((values) => reading(passFrom(run, values, past).at));
  return [direct.sub(still).mul(seeds).sum(["pos", "d_model"]), Tensor.apply("concat", heads, { axis: -2 })];
}

/** A linear pass from embeddings, and what is written to each layer's place; more values may be held. */
function passFrom(
  run: TracedRun,
  [start, ...written]: readonly Tensor[],
  more?: ReadonlyMap<string, Tensor>,
): LinearPass {
  const held = new Map([...run.held, ...(more ?? [])]);
  const writings = run.features.writings.slice(0, written.length);
  return linearPass(run.graph, held, writings, { embedding: embeddingPoint(run.model, run.graph), start, written });
}

/** What sources write, each alone, [batch pos …]: to the embeddings, then to the places of the layers before one. */
function sentBy(
  { features, embedded }: TracedRun,
  graph: TracedGraph,
  sources: readonly number[],
  before: number,
): Tensor[] {
  const { nodes, selectedFeatures } = graph;
  const widths = [embedded, ...features.writings.slice(0, before).map(({ point }) => point)].map(
    ({ shape }) => shape[2],
  );
  const pos = embedded.shape[1];
  const data = widths.map((width) => new Float32Array(sources.length * pos * width));
  const selected = new Set(selectedFeatures);
  sources.forEach((source, row) => {
    const node = nodes[source];
    const put = (place: number, values: ArrayLike<number>) =>
      data[place]?.set(values, (row * pos + node.pos) * widths[place]);
    if (node.kind === "token") put(0, embedded.row(0).row(node.pos).data as Float32Array);
    if (node.kind === "error") {
      const own = features.errors?.[node.layer].row(0).row(node.pos).data as Float32Array | undefined;
      put(node.layer + 1, own ?? features.writtenByOthers(node.layer, node.pos, selected));
    }
    if (node.kind === "feature") {
      for (const { layer, values } of features.writtenBy(selectedFeatures[source])) put(layer + 1, values);
    }
  });
  return data.map((numbers, place) => {
    const shape = [sources.length, pos, widths[place]];
    return Tensor.leaf({ dtype: "float32", shape, data: numbers }, [
      "batch",
      "pos",
      place === 0 ? "d_model" : features.writings[place - 1].point.axes[2],
    ]);
  });
}
