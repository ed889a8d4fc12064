/** "Between which components does the information that decides between two answers travel?" */

import { ESTIMATED, GROUP, PATCHED, RECEIVER, SENDER } from "../finding/columns.ts";
import { type Finding, finding, type Method } from "../finding/finding.ts";
import { type AboutTable, as, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { Model } from "../lens/model.ts";
import type { Pair } from "../measures/agreement.ts";
import { type Contrast, contrastOptions, readContrast, runsOf } from "../measures/contrast.ts";
import {
  type EdgeAttributionMeasurement,
  type EdgeAttributionRow,
  measureEdgeAttribution,
} from "../measures/edge-attribution.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled, topOption } from "../measures/options.ts";
import { quoted, signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import {
  agreement,
  agreementBaselines,
  agreementScatter,
  correlationStatement,
  worstStatement,
} from "./attribution/agreement.ts";
import { BOTH_RUNS, contrastBaselines, contrastCaveats, contrastSettings, effectCaption } from "./contrast.ts";
import { modelFacts } from "./model-facts.ts";
import { ATTRIBUTION_PATCHING, EDGE_ATTRIBUTION } from "./papers.ts";

/** The options of the analysis. */
export type EdgeAttributionOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Between which components does the information that decides between two answers travel?";
/** How many senders and how many receivers, those with the strongest edges, have all edges between them actually patched. */
const MOST_ENDS = 16;

/**
 * Edge attribution patching of every edge between components, compared with path patching of the strongest ones.
 * @throws InputError for prompts of different lengths, answers of several tokens, or a model that does not distinguish
 * the prompts.
 */
export async function edgeAttribution(model: Model, options: EdgeAttributionOptions = {}): Promise<Finding> {
  const asked = settled("edgeAttribution", model, options, OPTIONS);
  const { top, seed, signal, onProgress } = asked;
  const contrast = await readContrast(model, asked, signal);
  const runs = { ...runsOf(contrast), patchedEnds: MOST_ENDS, signal, onProgress };
  const attributed = await measureEdgeAttribution(model, runs);
  const edges = attributed.top(attributed.length, ({ estimated }) => Math.abs(estimated)).rows;
  const measured = edges.flatMap(asPair);
  const words = { things: ["edge", "edges"], estimated: "estimated", measured: "patched" } as const;
  const all = agreement(measured, seed, words);
  const [first] = edges;
  const whenPatched = first.patched === null ? "" : `; when it is actually patched, ${signed(first.patched)}`;
  const listed = edges.slice(0, top);
  return finding({
    analysis: "edge-attribution",
    question: QUESTION,
    summary: [
      {
        text: `The strongest edge is from ${first.sender} to ${first.receiver}: ${signed(first.estimated)} logits${whenPatched}.`,
        figure: { value: first.estimated, unit: "logits", comparedWith: BOTH_RUNS },
      },
      correlationStatement("Estimates and path patching", all, { all: edges.length }),
      ...worstStatement(all, BOTH_RUNS),
    ],
    method: method(contrast, edges, measured),
    model: modelFacts(model),
    settings: { ...contrastSettings(contrast), edges: edges.length, patched: measured.length, top, seed },
    pictures: [
      matrices(attributed, measured, contrast),
      agreementScatter(all, {
        title: "Each edge, estimated and patched",
        table: "all",
        by: GROUP.name,
        label: EDGE.name,
      }),
    ],
    tables: [
      edgeTable({ name: "top", title: `The ${listed.length} strongest edges` }, listed),
      edgeTable({ name: "all", title: "All edges", detail: true }, edges),
    ],
    baselines: [...contrastBaselines(contrast), ...agreementBaselines(all, seed)],
    caveats: [
      "The estimate is linear, from the gradient at the corrupted run: for an edge that changes a lot, or that feeds a saturated softmax, it can be far off.",
      "An edge is the direct path only; what travels through other components belongs to their edges.",
      "Edges add up in the estimate, but not actually: either of two edges that carry the same information may restore it alone.",
      ...contrastCaveats(contrast, "an edge"),
      ...model.notes,
    ],
  });
}

/** Which kind of receiver an edge goes to. */
function kindOf({ receiver }: EdgeAttributionRow): string {
  return receiver === "logits" ? "to the logits" : receiver.replace(/^.*(MLP|[qkv])$/, "to $1");
}

/** An edge for the comparison, if it was patched. */
function asPair(edge: EdgeAttributionRow): (EdgeAttributionRow & Pair)[] {
  if (edge.patched === null) return [];
  return [
    { ...edge, name: `the edge from ${edge.sender} to ${edge.receiver}`, group: kindOf(edge), measured: edge.patched },
  ];
}

function method(
  contrast: Contrast,
  edges: readonly EdgeAttributionRow[],
  measured: readonly EdgeAttributionRow[],
): Method {
  const [from, to] = [new Set(measured.map(({ sender }) => sender)), new Set(measured.map(({ receiver }) => receiver))];
  return {
    text: `What an edge from a sender u to a later receiver v carries is estimated by Σ (u clean − u corrupted) · d(logit(${quoted(contrast.answer)}) − logit(${quoted(contrast.wrong)})) / d(input of v), over positions and d_model, with the gradient at the corrupted run: all ${edges.length} edges in one run. Senders are the embeddings together (stream_start), heads and MLPs; receivers are each head's queries, keys and values, MLPs, and the logits. An edge is the direct path only: what travels through other components belongs to their edges.\n\nThe ${measured.length} edges between the ${from.size} senders and the ${to.size} receivers that have the strongest ones are then actually patched, each alone: v reads the residual stream with what u wrote in the clean run in place of what it wrote in the corrupted one.`,
    references: [EDGE_ATTRIBUTION, ATTRIBUTION_PATCHING],
  };
}

/** The measured edges, senders as rows and receivers as columns in the order of the forward pass: estimated, and patched. */
function matrices(
  { senders, receivers }: EdgeAttributionMeasurement,
  measured: readonly EdgeAttributionRow[],
  contrast: Contrast,
): View {
  const rows = senders.filter(({ name }) => measured.some(({ sender }) => sender === name));
  const columns = receivers.filter(({ name }) => measured.some(({ receiver }) => receiver === name));
  const left = rows.length < senders.length || columns.length < receivers.length;
  return {
    kind: "imshow",
    name: "edges",
    title: "Edges, estimated and actually patched",
    caption: `${effectCaption(contrast)} Empty cells have no edge, as the receiver comes before the sender.${left ? ` The ${rows.length} senders and ${columns.length} receivers with the strongest edges, in the order of the forward pass.` : ""}`,
    table: "all",
    x: { column: RECEIVER.name, values: columns.map(({ name }) => name) },
    y: { column: SENDER.name, values: rows.map(({ name }) => name) },
    color: { column: [ESTIMATED.name, PATCHED.name], label: "effect", atLeast: 0 },
  };
}

const EDGE = column("edge", "The sender and the receiver.", { format: "text", detail: true });

function edgeTable(about: AboutTable, edges: readonly EdgeAttributionRow[]): Table {
  return tableOf({ ...about, comparedWith: BOTH_RUNS }, edges, [
    as(SENDER, "What writes: the embeddings together (stream_start), a head, an MLP."),
    as(RECEIVER, "What reads: a head's q, k or v, an MLP, the logits."),
    [GROUP, kindOf],
    [EDGE, ({ sender, receiver }) => `${sender} → ${receiver}`],
    as(ESTIMATED, "(clean − corrupted) of the sender · gradient at the receiver's input."),
    as(PATCHED, "The change when this path alone is patched; none where it was not measured."),
  ]);
}

const OPTIONS = {
  ...contrastOptions,
  top: topOption("edges"),
  seed: seedOption(),
} as const satisfies AnalysisOptions;

/** The analysis for the index. */
export const edgeAttributionAnalysis = analysis({
  name: "edge-attribution",
  model: "gelu-3l-novels",
  question: QUESTION,
  description:
    "Edge attribution patching: for every edge from the embeddings, a head or an MLP to a later head's queries, keys or values, an MLP or the logits, how much of the difference between two prompts it carries, from one run with gradients; those between the 16 senders and the 16 receivers with the strongest edges are actually patched.",
  example: { clean: "My sister was angry, because", corrupted: "My brother was angry, because" },
  options: OPTIONS,
  run: edgeAttribution,
});
