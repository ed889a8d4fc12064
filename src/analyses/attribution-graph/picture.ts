/** The picture of an attribution graph: layers by positions. */
import type { GraphSpec, GraphSpecNode } from "../../finding/picture.ts";
import { type GraphNode, layersOf } from "../../measures/attribution-graph/graph.ts";
import { edgeInfluence } from "../../measures/attribution-graph/influence.ts";
import { nodeId } from "../../measures/attribution-graph/json.ts";
import { cumulativeShares } from "../../measures/attribution-graph/prune.ts";
import { eachEntry } from "../../measures/attribution-graph/sparse.ts";
import type { AttributionGraphMeasurement } from "../../measures/attribution-graph.ts";
import { largestIndices } from "../../measures/top-tokens.ts";
import { fixed } from "../../tensor/words.ts";
import type { FeatureWords } from "./story.ts";

/** The most nodes of a kind, and edges, that a picture has. */
const MOST = { feature: 200, error: 60, token: 200, logit: 10, edges: 1500 };
/** The most that it shows at first: with more nobody sees any. */
const AT_FIRST = { nodes: 50, edges: 180 };
/** In hundredths, the shares of influence that it can show at first. */
const [LEAST_SHARE, MOST_SHARE] = [30, 100];

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

type SpecEdge = GraphSpec["edges"][number];

/** The kept nodes with the most influence, and the kept edges between them that have the most: a few are shown at first. */
export function graphPicture(
  measured: AttributionGraphMeasurement,
  words: FeatureWords,
  nodeThreshold: number,
): GraphSpec {
  const { graph, pruned, prompt, names } = measured;
  const listed = candidates(measured);
  const edges = listedEdges(measured, listed);
  const isShort = prompt.ids.length <= ALL_POSITIONS;
  const layers = Array.from({ length: layersOf(graph.nodes) }, (_, layer) => `L${layer}`);
  const inner = graph.nodes.map(({ kind }, i) => (kind === "feature" || kind === "error" ? pruned.influence[i] : 0));
  const most = Math.max(Number.MIN_VALUE, ...inner);
  const nodes = listed.map((i): GraphSpecNode => {
    const node = graph.nodes[i];
    const always = node.kind === "logit" || (isShort && node.kind === "token");
    const about = { name: names[i], layers: layers.length, influence: pruned.influence[i], words };
    return {
      ...pictured(node, about),
      id: nodeId(node, layers.length),
      column: node.pos,
      size: figures(Math.min(1, Math.sqrt(pruned.influence[i] / most))),
      ...(always ? {} : { share: figures(pruned.cumulative[i]) }),
    };
  });
  const spec: GraphSpec = {
    kind: "graph",
    name: "graph",
    title: "What adds to what, from the prompt's tokens to the next one",
    caption: captionOf(measured, words, isShort),
    columns: prompt.ids.length,
    rows: ["tokens", ...layers, "logits"],
    groups: Object.values(groupsOf(words)),
    nodes,
    edges,
    source: {
      ...{ nodes: "all-nodes", edges: "all-edges", prompt: prompt.text, nLayers: layers.length },
      nodeThreshold,
    },
  };
  return { ...spec, state: { share: firstShare(spec) } };
}

/** The largest share with which not too much is shown. */
function firstShare({ nodes, edges }: GraphSpec): number {
  const fits = (share: number) => {
    const isIn = nodes.map((node) => (node.share ?? 0) <= share);
    const shown = edges.filter(({ from, to, share: own = 0 }) => own <= share && isIn[from] && isIn[to]);
    const inner = new Set(shown.flatMap(({ from, to }) => [from, to]));
    return shown.length <= AT_FIRST.edges && inner.size <= AT_FIRST.nodes;
  };
  let hundredths = MOST_SHARE;
  while (hundredths > LEAST_SHARE && !fits(hundredths / 100)) hundredths--;
  return hundredths / 100;
}

/** What a picture needs of a number. */
function figures(value: number): number {
  return Number(value.toPrecision(5));
}

function captionOf({ pruned, prompt }: AttributionGraphMeasurement, { one }: FeatureWords, isShort: boolean): string {
  const columns = isShort ? "" : ` Of ${prompt.ids.length} positions, those with an edge.`;
  const kept = pruned.nodes.reduce((sum, x) => sum + x, 0);
  return `Each column is a position, each row a layer; a disc's number is the ${one}'s in its layer. Large discs and wide edges have much influence on the logits. Blue edges add to what they reach, orange ones take away from it. Pruning keeps ${kept} nodes.${columns}`;
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

/** Of the kept edges between some nodes those with the most influence, by the places of these nodes. */
function listedEdges({ graph, pruned }: AttributionGraphMeasurement, listed: readonly number[]): SpecEdge[] {
  const influence = edgeInfluence(graph);
  const shares = cumulativeShares(influence);
  const place = new Map(listed.map((node, i) => [node, i]));
  const edges: SpecEdge[] = [];
  eachEntry(graph.adjacency, (target, source, weight, at) => {
    const [from, to] = [place.get(source), place.get(target)];
    if (!pruned.edges[at] || from === undefined || to === undefined) return;
    const strength = figures(Math.sqrt(influence[at]));
    edges.push({ from, to, weight: figures(weight), strength, share: figures(shares[at]) });
  });
  return edges.sort((a, b) => b.strength! - a.strength!).slice(0, MOST.edges);
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
