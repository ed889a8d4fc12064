/** The picture of an attribution graph: layers by positions. */
import type { GraphSpec, GraphSpecNode } from "../../finding/picture.ts";
import type { GraphNode } from "../../measures/attribution-graph/graph.ts";
import { edgeInfluence } from "../../measures/attribution-graph/influence.ts";
import { eachEntry } from "../../measures/attribution-graph/sparse.ts";
import type { AttributionGraphMeasurement } from "../../measures/attribution-graph.ts";
import { largestIndices } from "../../measures/top-tokens.ts";
import { fixed } from "../../tensor/words.ts";
import type { FeatureWords } from "./story.ts";

/** The most nodes of a kind, and edges: with more nobody sees any. */
const MOST = { feature: 28, error: 8, token: Number.POSITIVE_INFINITY, logit: 4, edges: 110 };

/** Kinds of nodes in words, and how they are drawn. */
const groupsOf = ({ one, rest }: FeatureWords) =>
  ({
    token: { name: "token", shape: "box" },
    logit: { name: "logit", shape: "box" },
    feature: { name: one, shape: "disc" },
    error: { name: rest, shape: "ring" },
  }) as const;

/** Of longer prompts only the positions that have an edge are columns. */
const ALL_POSITIONS = 12;

interface DrawnEdge {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
  readonly strength: number;
}

/** The kept nodes with the most influence, and the kept edges between them that have the most. */
export function graphPicture(measured: AttributionGraphMeasurement, words: FeatureWords): GraphSpec {
  const { graph, pruned, prompt, names } = measured;
  const edges = drawnEdges(measured, new Set(candidates(measured)));
  const isEnd = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const short = prompt.ids.length <= ALL_POSITIONS;
  const withEdges = new Set([...isEnd].map((i) => graph.nodes[i].pos));
  const isShown = ({ kind, pos }: GraphNode) => kind === "token" && (short || withEdges.has(pos));
  const shown = candidates(measured).filter((i) => isEnd.has(i) || isShown(graph.nodes[i]));
  const positions = [...new Set(shown.map((i) => graph.nodes[i].pos))].sort((a, b) => a - b);
  const layers = Array.from({ length: layersOf(graph.nodes) }, (_, layer) => `L${layer}`);
  const most = Math.max(...pruned.influence);
  const place = new Map(shown.map((node, i) => [node, i]));
  return {
    kind: "graph",
    name: "graph",
    title: "What adds to what, from the prompt's tokens to the next one",
    caption: captionOf(measured, words, shown.length, positions.length),
    columns: positions.length,
    rows: ["tokens", ...layers, "logits"],
    groups: Object.values(groupsOf(words)),
    nodes: shown.map((i) => {
      const column = positions.indexOf(graph.nodes[i].pos);
      return {
        ...pictured(graph.nodes[i], { name: names[i], layers: layers.length, influence: pruned.influence[i], words }),
        column,
        size: pruned.influence[i] / most,
      };
    }),
    edges: edges.map(({ from, to, ...edge }) => ({ from: place.get(from)!, to: place.get(to)!, ...edge })),
  };
}

function captionOf(
  { pruned, prompt }: AttributionGraphMeasurement,
  { one }: FeatureWords,
  shown: number,
  positions: number,
): string {
  const kept = pruned.nodes.reduce((sum, x) => sum + x, 0);
  const left = kept > shown ? ` Of ${kept} nodes that pruning keeps, the ${shown} with the most influence.` : "";
  const columns = positions < prompt.ids.length ? ` Of ${prompt.ids.length} positions, those with an edge.` : "";
  return `Each column is a position, each row a layer; a disc's number is the ${one}'s in its layer. Large discs and wide edges have much influence on the logits. Blue edges add to what they reach, orange ones take away from it.${left}${columns}`;
}

/** The kept nodes with the most influence of each kind, in the graph's order. */
function candidates({ graph: { nodes }, pruned }: AttributionGraphMeasurement): number[] {
  const kinds = ["feature", "error", "token", "logit"] as const;
  return kinds
    .flatMap((kind) => {
      const counts = nodes.map((node, i) => {
        if (node.kind !== kind || !pruned.nodes[i]) return -1;
        return node.kind === "logit" ? node.weight : pruned.influence[i];
      });
      return largestIndices(counts, Math.min(MOST[kind], counts.filter((count) => count >= 0).length));
    })
    .sort((a, b) => a - b);
}

/** Of the kept edges between some nodes those with the most influence. */
function drawnEdges({ graph, pruned }: AttributionGraphMeasurement, among: ReadonlySet<number>): DrawnEdge[] {
  const influence = edgeInfluence(graph);
  const edges: DrawnEdge[] = [];
  eachEntry(graph.adjacency, (to, from, weight, at) => {
    if (pruned.edges[at] && among.has(from) && among.has(to))
      edges.push({ from, to, weight, strength: Math.sqrt(influence[at]) });
  });
  return edges.sort((a, b) => b.strength - a.strength).slice(0, MOST.edges);
}

function layersOf(nodes: readonly GraphNode[]): number {
  return nodes.reduce((most, node) => ("layer" in node ? Math.max(most, node.layer + 1) : most), 0);
}

interface About {
  readonly name: string;
  readonly layers: number;
  readonly influence: number;
  readonly words: FeatureWords;
}

function pictured(node: GraphNode, { name, layers, influence, words }: About): Omit<GraphSpecNode, "column"> {
  const base = { name, group: groupsOf(words)[node.kind].name };
  const says = `influence on the logits ${fixed(influence, 3)}`;
  switch (node.kind) {
    case "token":
      return { ...base, label: node.text, row: 0, words: says, place: `pos=${node.pos}` };
    case "logit":
      return { ...base, label: node.text, row: layers + 1, words: `weight ${fixed(node.weight, 3)}` };
    case "error":
      return { ...base, label: "", row: node.layer + 1, words: says };
    case "feature": {
      const at = words.areNeurons ? { place: `layer=${node.layer} pos=${node.pos} d_mlp=${node.feature}` } : {};
      const tip = `activation ${fixed(node.activation, 2)}, ${says}`;
      return { ...base, label: `${node.feature}`, row: node.layer + 1, words: tip, ...at };
    }
  }
}
