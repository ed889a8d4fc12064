/** "Which tokens and features of the prompt lead to the next token, and through which others?" */

import { bundledDictionaries } from "../dictionaries/bundled.ts";
import { TranscoderSet } from "../dictionaries/transcoder-set.ts";
import { type Finding, finding } from "../finding/finding.ts";
import type { Model } from "../lens/model.ts";
import type { LogitNode } from "../measures/attribution-graph/graph.ts";
import { ATTRIBUTION_GRAPH_OPTIONS } from "../measures/attribution-graph/options.ts";
import { differenceOf, type Target } from "../measures/attribution-graph/targets.ts";
import { type AttributionGraphMeasurement, measureAttributionGraph } from "../measures/attribution-graph.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled, topOption } from "../measures/options.ts";
import { answerToken, tokenText } from "../measures/prompt.ts";
import { quoted } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { type Agreement, agreement, agreementBaselines, agreementScatter } from "./attribution/agreement.ts";
import { graphPicture } from "./attribution-graph/picture.ts";
import { FEATURES, type GraphStory, NEURONS } from "./attribution-graph/story.ts";
import { edgeRows, edgeTable, nodeRows, nodeTable, removedTable } from "./attribution-graph/tables.ts";
import { caveats, method, standards, summary, TYPICAL } from "./attribution-graph/words.ts";
import { modelFacts } from "./model-facts.ts";

/** The options of the analysis. */
export type AttributionGraphOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which tokens and features of the prompt lead to the next token, and through which others?";
/** How many features are removed, and of how many edges it is found out which heads carry them. */
const [REMOVED, CARRIED] = [16, 20];

/**
 * The attribution graph of a prompt: what features of transcoders, or without them neurons, add to each other and to logits; the
 * strongest are removed to see how far their edges can be trusted.
 * @throws InputError for a prompt that does not fit, or answers of several tokens; ArgumentError for a model that cannot be traced
 */
export async function attributionGraph(model: Model, options: AttributionGraphOptions = {}): Promise<Finding> {
  const asked = settled("attributionGraph", model, options, OPTIONS);
  const { prompt, answer, wrong, transcoders: name, transcodersId, top, seed, signal, ...sizes } = asked;
  const transcoders = name === undefined ? undefined : await transcodersCalled(name, transcodersId, signal);
  const targets = await targetsOf(model, answer, wrong, signal);
  const looked = { interventions: REMOVED, carriedEdges: Math.max(CARRIED, top) };
  const measured = await measureAttributionGraph(model, { ...sizes, ...looked, prompt, targets, transcoders, signal });
  const target = targetName(model, measured, answer, wrong);
  const story: GraphStory = { measured, target, words: transcoders ? FEATURES : NEURONS, top, seed };
  const { removed, graph, pruned } = measured;
  const pairs = removed.map(({ name, layer, predicted, free }) => {
    return { name, group: `layer ${layer}`, estimated: predicted, measured: free };
  });
  const { one, many } = story.words;
  const words = { things: [one, many], estimated: "its edge says", measured: "measured" } as const;
  const compared = removed.length > 2 ? agreement(pairs, seed, words) : undefined;
  return finding({
    analysis: "attribution-graph",
    question: QUESTION,
    summary: summary(story, compared),
    method: method(story),
    model: modelFacts(model),
    settings: {
      ...{ prompt: measured.prompt.text, features: graph.selectedFeatures.length, active: graph.activeFeatures },
      ...{ edges: measured.length, kept_nodes: count(pruned.nodes), kept_edges: count(pruned.edges) },
      ...{ residual: graph.residual, top, seed },
    },
    pictures: [
      graphPicture(measured, story.words, sizes.nodeThreshold),
      ...(compared ? [removals(story, compared)] : []),
    ],
    tables: tablesOf(story),
    baselines: [...standards(story), ...(compared ? agreementBaselines(compared, seed) : [])],
    caveats: [...caveats(story), ...model.notes],
  });
}

function transcodersCalled(name: string, id: string | undefined, signal: AbortSignal | undefined) {
  return TranscoderSet.fromPretrained(name, { id: id ?? bundledDictionaries(name)?.transcoder, signal });
}

const count = (kept: Uint8Array) => kept.reduce((sum, x) => sum + x, 0);

/** What is explained: a token, the difference of two, or by default the most probable tokens. */
async function targetsOf(
  model: Model,
  answer: string | number | undefined,
  wrong: string | number | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly Target[] | undefined> {
  if (answer === undefined) return undefined;
  return wrong === undefined ? [answer] : [await differenceOf(model, answer, wrong, signal)];
}

/** What the first target is called. */
function targetName(
  model: Model,
  { graph }: AttributionGraphMeasurement,
  answer: string | number | undefined,
  wrong: string | number | undefined,
): string {
  const named = (token: number) => `logit(${quoted(tokenText(model, token))})`;
  const first = graph.nodes.find((node): node is LogitNode => node.kind === "logit")!;
  if (answer === undefined || wrong === undefined) return named(first.token);
  return `${named(answerToken(model, answer))} − ${named(answerToken(model, wrong))}`;
}

function removals({ words }: GraphStory, compared: Agreement) {
  const title = `What removing each ${words.one} changes, as its edge says and as measured`;
  return agreementScatter(compared, {
    ...{ title, table: "removed", x: "predicted", y: "free", by: "group", label: "node" },
  });
}

function tablesOf(story: GraphStory) {
  const { measured, top, words } = story;
  const [nodes, edges] = [nodeRows(story), edgeRows(measured)];
  const inner = nodes.filter(({ logit_weight }) => logit_weight === null);
  const strongest = (rows: readonly unknown[], what: string) =>
    `The ${Math.min(top, rows.length)} ${what} with the most influence`;
  const comparedWith = [TYPICAL];
  return [
    nodeTable({ name: "nodes", title: strongest(inner, "nodes"), comparedWith }, inner.slice(0, top), story),
    edgeTable({ name: "edges", title: strongest(edges, "edges"), comparedWith }, edges.slice(0, top)),
    ...(measured.removed.length > 0
      ? [removedTable({ name: "removed", title: `What removing ${words.many} changes`, comparedWith }, story)]
      : []),
    nodeTable({ name: "all-nodes", title: "All nodes that are kept", detail: true }, nodes, story),
    edgeTable({ name: "all-edges", title: "All edges that are kept", detail: true }, edges),
  ];
}

const OPTIONS = {
  prompt: {
    type: "prompt",
    description: "the text whose next token is explained",
    default: "The lady was so tired that",
  },
  answer: {
    type: "answer",
    description: "the next token that is explained",
    defaultText: "the most probable tokens",
  },
  wrong: {
    type: "answer",
    description: "a token whose logit is subtracted",
    only: [{ option: "answer", not: [undefined], which: "says what it is subtracted from" }],
    defaultText: "the mean of all logits is",
  },
  transcoders: {
    type: "text",
    placeholder: "NAME",
    description: "transcoders whose features are traced: a folder, or a repository of the Hugging Face hub",
    defaultText: "none, and neurons are traced",
  },
  transcodersId: {
    type: "text",
    placeholder: "ID",
    description: "which of a repository's transcoders",
    only: [{ option: "transcoders", not: [undefined], which: "says where they are" }],
    defaultText: "the only ones",
  },
  ...ATTRIBUTION_GRAPH_OPTIONS,
  top: topOption("nodes and edges"),
  seed: seedOption(),
} as const satisfies AnalysisOptions;

/** The analysis for the index. */
export const attributionGraphAnalysis = analysis({
  name: "attribution-graph",
  model: "gelu-3l-novels",
  question: QUESTION,
  description:
    "Attribution graphs (circuit tracing): what each feature of the prompt adds to the features after it and to the logits of the next token, with patterns of attention and norms' denominators held as they were; pruned to what matters, with the heads that carry edges. Features are those of transcoders, or without any the model's neurons, so that every model can be traced. The strongest are removed, one at a time, and what that changes is compared with their edges. A report has all of the graph, and a file whose name ends in .graph.json is the graph as circuit-tracer's and Neuronpedia's pages read it.",
  example: { prompt: "The lady was so tired that", answer: " she", wrong: " he" },
  options: OPTIONS,
  run: attributionGraph,
});
