/** What is said of an attribution graph: the summary, what its numbers are compared with, how they were made, and caveats. */
import type { Baseline, Method, Statement } from "../../finding/finding.ts";
import { type GraphScores, graphScores } from "../../measures/attribution-graph/influence.ts";
import { rowAt, sparseMatrix } from "../../measures/attribution-graph/sparse.ts";
import type { AttributionGraphMeasurement } from "../../measures/attribution-graph.ts";
import { largestIndices } from "../../measures/top-tokens.ts";
import { percent, signed } from "../../tensor/words.ts";
import { type Agreement, correlationStatement, worstStatement } from "../attribution/agreement.ts";
import { CIRCUIT_TRACING } from "../papers.ts";
import { typicalBaseline } from "../typical.ts";
import { firstTarget, type GraphStory } from "./story.ts";

export const TYPICAL = "edge into the target";
const UNEXPLAINED = "no features";
const LARGEST = "largest target";

/** The answer, how far edges can be trusted, how much is explained, and whether it adds up. */
export function summary(story: GraphStory, compared: Agreement | undefined): [Statement, ...Statement[]] {
  const { many } = story.words;
  const beginning = `What edges say that removing ${many} changes, and runs without them`;
  const [first, ...others] = [...strongestToken(story), strongest(story)];
  return [
    first,
    ...others,
    ...(compared ? [correlationStatement(beginning, compared), ...worstStatement(compared, [TYPICAL])] : []),
    explained(story),
    addsUp(story),
  ];
}

/** The node with the most influence: a feature, or in a model without any a token. */
function strongest({ measured, words, target }: GraphStory): Statement {
  const { names, removed, graph, pruned } = measured;
  const isFeature = removed.length > 0;
  const [best] = largestIndices(pruned.influence, 1);
  const node = isFeature ? names.indexOf(removed[0].name) : best;
  const adds = rowAt(graph.adjacency, firstTarget(measured)).get(node) ?? 0;
  const what = isFeature ? `Of all ${words.many}, ${names[node]}` : `Of all nodes, ${names[node]}`;
  const [first] = removed;
  const when = isFeature
    ? `; removing it changes that by ${signed(first.free)}, where the edge says ${signed(first.predicted)}`
    : "";
  return {
    text: `${what} has the most influence on the next token: its edge to ${target} is ${signed(adds)} logits${when}.`,
    figure: { value: adds, unit: "logits", comparedWith: [TYPICAL] },
  };
}

/** The token that adds most, or takes most away, without going through a feature. */
function strongestToken({ measured, words }: GraphStory): Statement[] {
  const { graph, names } = measured;
  const tokens = [...rowAt(graph.adjacency, firstTarget(measured))].filter(([i]) => graph.nodes[i].kind === "token");
  if (tokens.length === 0) return [];
  const [i, weight] = tokens.reduce((best, one) => (Math.abs(one[1]) > Math.abs(best[1]) ? one : best));
  return [
    {
      text: `Of the tokens, ${names[i]} has the strongest edge past all ${words.many}: ${signed(weight)} logits.`,
      figure: { value: weight, unit: "logits", comparedWith: [TYPICAL] },
    },
  ];
}

function explained({ measured, words }: GraphStory): Statement {
  const { replacement, completeness } = measured.scores;
  return {
    text: `${percent(replacement)} of what reaches the logits comes from tokens, and not from ${words.unexplained} (replacement score); ${percent(completeness)} of what nodes read comes from other nodes than these (completeness score).`,
    figure: { value: replacement, unit: "", comparedWith: [UNEXPLAINED] },
  };
}

function addsUp({ measured }: GraphStory): Statement {
  const { residual } = measured.graph;
  const within = residual > 0 ? 10 ** Math.ceil(Math.log10(residual)) : 0;
  return {
    text: `Edges and constants sum to what each node reads, to within ${within.toExponential(0)}.`,
    figure: { value: residual, unit: "", comparedWith: [LARGEST] },
  };
}

/** What the numbers are compared with, but for what an agreement is. */
export function standards({ measured, words, target }: GraphStory): Baseline[] {
  const { graph } = measured;
  const edges = [...rowAt(graph.adjacency, firstTarget(measured))].map(([, weight]) => weight);
  const largest = graph.rowTargets.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return [
    typicalBaseline(TYPICAL, `The edges into ${target}`, edges),
    {
      name: UNEXPLAINED,
      kind: "reference value",
      text: `The replacement score of a graph of the same logits in which no ${words.one} is a node, so that whatever an MLP writes is unexplained.`,
      value: withoutFeatures(measured).replacement,
      unit: "",
    },
    {
      name: LARGEST,
      kind: "reference value",
      text: "The largest number that a node reads.",
      value: largest,
      unit: "",
    },
  ];
}

/** The scores if whatever MLPs write were an error. */
function withoutFeatures({ graph: { nodes, adjacency } }: AttributionGraphMeasurement): GraphScores {
  const errors = new Map(nodes.flatMap((node, i) => (node.kind === "error" ? [[`${node.layer} ${node.pos}`, i]] : [])));
  const place = (i: number) => {
    const node = nodes[i];
    return node.kind === "feature" ? (errors.get(`${node.layer} ${node.pos}`) as number) : i;
  };
  const merged = sparseMatrix(nodes.length, (row) => {
    if (nodes[row].kind !== "logit") return undefined;
    const sums = new Map<number, number>();
    for (const [i, weight] of rowAt(adjacency, row)) sums.set(place(i), (sums.get(place(i)) ?? 0) + weight);
    const entries = [...sums].sort(([a], [b]) => a - b);
    return { columns: entries.map(([i]) => i), values: entries.map(([, weight]) => weight) };
  });
  return graphScores({ nodes, adjacency: merged });
}

/** How the numbers were made. */
export function method({ measured, words }: GraphStory): Method {
  const { graph, removed } = measured;
  const nodes = words.areNeurons
    ? `The ${graph.selectedFeatures.length} neurons with the most influence on the logits, of ${graph.activeFeatures} at all positions, are nodes; what all others of a layer write at a position is one node. A neuron writes its activation times its row of W_out, and reads what its MLP reads in the direction of its column of W_in (with gates, in the direction in which its activation changes).`
    : `Nodes are the ${graph.selectedFeatures.length} features of transcoders with the most influence, of ${graph.activeFeatures} that are active, and what the MLPs write that no feature accounts for. A feature writes its activation times its decoder's rows, and reads in the direction of its encoder's.`;
  return {
    text: `${nodes} The prompt's tokens and the next token's logits, each less the mean of all, are nodes too.\n\nAn edge is what its source adds to what its target reads, A[t, s] = out_s · ∂ read_t / ∂ (value where s writes), in the model with patterns of attention and norms' denominators held as they were on the prompt: what is left is linear, so a node's edges and a constant (biases, positions) sum to what it reads. Edges go through heads, and skip what other MLPs make of them.\n\nInfluence on the logits is the sum over paths of the shares |A[t, s]| / Σ |A[t, ·]| along the path, weighed by the logits' probabilities. Pruning keeps the nodes, and then the edges, with the most of it.${removed.length > 0 ? `\n\nThe ${removed.length} ${words.many} with the most influence are removed from the run, one at a time.` : ""}`,
    references: [CIRCUIT_TRACING],
  };
}

/** What a reader must know. */
export function caveats({ words }: GraphStory): string[] {
  return [
    "Patterns of attention are held: the graph does not say why a head looks where it does.",
    "An edge is what is added now, not what would be missing: other nodes and norms respond when something is removed, as the measured changes show.",
    "Influence counts what is taken away like what is added, so a node of much influence may make the next token less probable.",
    ...(words.areNeurons
      ? ["Single neurons often stand for several things: a neuron's part in the graph need not have a meaning."]
      : ["Errors are what transcoders miss: what reaches the logits from them is not explained."]),
    "This is one prompt: what leads to its next token may not for another.",
  ];
}
