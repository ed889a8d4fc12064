/** The tables of an attribution graph: nodes, edges, and what removing features does. */
import { GROUP, LAYER, NEURON, POS, TOKEN } from "../../finding/columns.ts";
import { type AboutTable, as, type Cell, column, type Table, tableOf } from "../../finding/table.ts";
import { headName } from "../../lens/components.ts";
import { layersOf } from "../../measures/attribution-graph/graph.ts";
import { edgeInfluence } from "../../measures/attribution-graph/influence.ts";
import { nodeId } from "../../measures/attribution-graph/json.ts";
import { rowAt } from "../../measures/attribution-graph/sparse.ts";
import type { AttributionGraphMeasurement } from "../../measures/attribution-graph.ts";
import { firstTarget, type GraphStory } from "./story.ts";

const NODE = column("node", "What it is, and at which position.", { format: "text" });
const SOURCE = column("source", "What adds.", { format: "text" });
const TARGET = column("target", "What it adds to: what a feature reads before its activation function, or a logit.", {
  format: "text",
});
const WEIGHT = column("weight", "What the source adds to what the target reads, directly or through heads.", {
  digits: 3,
});
const INFLUENCE = column(
  "influence",
  "The share of what reaches the logits, over all paths, that comes from it or through it.",
  {
    digits: 4,
  },
);
const ID = column("id", "Its id in files of the graph for circuit-tracer's and Neuronpedia's pages.", {
  format: "text",
  detail: true,
});
const SHARE = column("share", "The share of all influence that it and the nodes with more of it have.", { digits: 4 });
const LOGIT_WEIGHT = column("logit_weight", "How much a logit counts for: the token's probability.", { digits: 3 });
const ACTIVATION = column("activation", "Its activation.", { digits: 2 });

/** A kept node. */
export interface NodeRow {
  readonly node: string;
  readonly group: string;
  readonly layer: number | null;
  readonly pos: number;
  readonly token: string;
  readonly feature: number | null;
  readonly activation: number | null;
  readonly influence: number;
  readonly adds: number;
  readonly id: string;
  readonly share: number;
  readonly logit_weight: number | null;
}

/** The kept nodes, those with the most influence first, and last the logits. */
export function nodeRows({ measured, words: { one } }: GraphStory): NodeRow[] {
  const { graph, names, pruned, prompt } = measured;
  const adds = rowAt(graph.adjacency, firstTarget(measured));
  const nLayers = layersOf(graph.nodes);
  const kinds = { feature: one, error: `other ${one}s`, token: "token", logit: "logit" };
  return graph.nodes
    .flatMap((node, i): NodeRow[] => {
      if (!pruned.nodes[i]) return [];
      const isLogit = node.kind === "logit";
      const isFeature = node.kind === "feature";
      return [
        {
          ...{ node: names[i], group: kinds[node.kind], layer: "layer" in node ? node.layer : null, pos: node.pos },
          ...{ token: isLogit ? node.text : prompt.tokens[node.pos], feature: isFeature ? node.feature : null },
          activation: isFeature ? node.activation : null,
          ...{ influence: pruned.influence[i], adds: adds.get(i) ?? 0 },
          ...{ id: nodeId(node, nLayers), share: pruned.cumulative[i], logit_weight: isLogit ? node.weight : null },
        },
      ];
    })
    .sort((a, b) => Number(a.logit_weight !== null) - Number(b.logit_weight !== null) || b.influence - a.influence);
}

/** The number of a feature: of a neuron, which other tables and pictures have too, or of a transcoder's. */
const numberOf = ({ words }: GraphStory) =>
  as(words.areNeurons ? NEURON : column("feature", "The feature's index within its layer.", { format: "integer" }), {
    detail: true,
  });

/** A table of nodes: in detail also with what files of the graph need. */
export function nodeTable(about: AboutTable, rows: readonly NodeRow[], story: GraphStory): Table {
  const adds = `What it adds to ${story.target}, directly or through heads.`;
  const isDetail = about.detail === true;
  return tableOf(about, rows, [
    NODE,
    as(GROUP, "What kind of node it is."),
    as(LAYER, { detail: true }),
    as(POS, { detail: true }),
    [numberOf(story), "feature"],
    isDetail ? as(TOKEN, "The token at that position; of a logit, its own.") : TOKEN,
    ACTIVATION,
    INFLUENCE,
    column("adds", adds, { unit: "logits", digits: 3 }),
    ...(isDetail ? [ID, SHARE, LOGIT_WEIGHT] : []),
  ]);
}

/** A kept edge. */
export interface EdgeRow {
  readonly source: string;
  readonly target: string;
  readonly weight: number;
  readonly influence: number;
  readonly head: string | null;
  readonly through_head: number | null;
  readonly direct: number | null;
}

/** The kept edges, those with the most influence first; of some is known which heads carry them. */
export function edgeRows({ rows, graph, pruned, carried }: AttributionGraphMeasurement): EdgeRow[] {
  const influence = edgeInfluence(graph);
  const known = new Map(carried.map((edge) => [`${edge.source}→${edge.target}`, edge]));
  const kept = rows.flatMap(({ source, target, weight }, at): EdgeRow[] => {
    if (!pruned.edges[at]) return [];
    const edge = known.get(`${source}→${target}`);
    const strongest = edge && strongestHead(edge.heads);
    const head = strongest?.amount ? strongest.name : null;
    const through = { head, through_head: strongest?.amount ?? null, direct: edge?.direct ?? null };
    return [{ source, target, weight, influence: influence[at], ...through }];
  });
  return kept.sort((a, b) => b.influence - a.influence);
}

/** The head through which most of an edge goes, and how much. */
function strongestHead(heads: readonly (readonly number[])[]) {
  const all = heads.flatMap((ofLayer, layer) =>
    ofLayer.map((amount, head) => ({ name: headName(layer, head), amount })),
  );
  return all.reduce((best, one) => (Math.abs(one.amount) > Math.abs(best.amount) ? one : best));
}

export function edgeTable(about: AboutTable, rows: readonly EdgeRow[]): Table {
  const carried = rows.some(({ direct }) => direct !== null);
  const heads: readonly Cell<EdgeRow>[] = [
    column("direct", "The part of it that goes past all heads.", { digits: 3 }),
    column("head", "The head that carries most of the rest.", { format: "text" }),
    column("through_head", "What goes through that head, perhaps through heads of other layers too.", { digits: 3 }),
  ];
  return tableOf(about, rows, [SOURCE, TARGET, WEIGHT, INFLUENCE, ...(carried ? heads : [])]);
}

/** What removing features changes. */
export function removedTable(about: AboutTable, story: GraphStory): Table {
  const number = <const Name extends string>(name: Name, description: string) =>
    column(name, description, { unit: "logits", digits: 3 });
  return tableOf(about, story.measured.removed, [
    [NODE, "name"],
    as(LAYER, { detail: true }),
    as(POS, { detail: true }),
    [numberOf(story), "feature"],
    [as(GROUP, "Its layer."), ({ layer }) => `layer ${layer}`],
    ACTIVATION,
    number("predicted", "What its edge says that removing it changes."),
    number("constrained", "What it changes while patterns, norms' denominators and all MLPs are held."),
    [number("frozen_attention", "What it changes while only patterns are held."), "frozenAttention"],
    number("free", "What it changes while nothing is held."),
  ]);
}
