/** "Between which components does the information that decides between two answers travel?" */

import { ESTIMATED, GROUP, PATCHED, RECEIVER, SENDER } from "../finding/columns.ts";
import { type Finding, finding, type Method } from "../finding/finding.ts";
import { type AboutTable, as, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import { hears, type Reader, type Writer } from "../lens/components.ts";
import type { Model } from "../lens/model.ts";
import type { Pair } from "../measures/agreement.ts";
import { type Contrast, contrastOptions, readContrast, runsOf } from "../measures/contrast.ts";
import { type EdgeAttributionMeasurement, measureEdgeAttribution } from "../measures/edge-attribution.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled, topOption } from "../measures/options.ts";
import { measurePathPatching } from "../measures/path-patching.ts";
import { quoted, signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import {
  agreement,
  agreementBaselines,
  agreementScatter,
  correlationStatement,
  worstStatement,
} from "./attribution/agreement.ts";
import {
  CLEAN_RUN,
  CORRUPTED_RUN,
  contrastBaselines,
  contrastCaveats,
  contrastSettings,
  effectCaption,
} from "./contrast.ts";
import { modelFacts } from "./model-facts.ts";
import { ATTRIBUTION_PATCHING, EDGE_ATTRIBUTION } from "./papers.ts";

/** The options of the analysis. */
export type EdgeAttributionOptions = GivenOptions<typeof OPTIONS>;

/** An edge with its estimate, and its true effect where it was measured. */
interface Edge {
  readonly sender: Writer;
  readonly receiver: Reader;
  readonly estimated: number;
  readonly patched: number | null;
}

const BOTH_RUNS = [CORRUPTED_RUN, CLEAN_RUN] as const;
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
  const { clean, corrupted, metric } = contrast;
  const attributed = await measureEdgeAttribution(model, { ...runsOf(contrast), signal });
  const strongest = edgesOf(attributed);
  const senders = [...new Set(strongest.map(({ sender }) => sender))].slice(0, MOST_ENDS);
  const receivers = [...new Set(strongest.map(({ receiver }) => receiver))].slice(0, MOST_ENDS);
  const patched = await measurePathPatching(model, {
    // Of the corrupted run, with what senders write in the clean one.
    clean: corrupted.input,
    corrupted: clean.input,
    senders: senders.map(({ name }) => name),
    receivers: receivers.map(({ name }) => name),
    metric,
    signal,
    onProgress,
  });
  const truth = ({ sender, receiver }: Edge): number | null => {
    const [s, r] = [senders.indexOf(sender), receivers.indexOf(receiver)];
    if (s < 0 || r < 0) return null;
    // Rounded to the precision of float32 logits: an edge that changes nothing has 0.
    return Math.round((patched.values.get(s, r) - patched.clean) * 1e5) / 1e5 + 0;
  };
  const edges = strongest.map((edge): Edge => ({ ...edge, patched: truth(edge) }));
  return report(model, contrast, attributed, edges, { top, seed });
}

/** All edges, the strongest first. */
function edgesOf({ senders, receivers, scores }: EdgeAttributionMeasurement): Edge[] {
  return senders
    .flatMap((sender, s) =>
      receivers.flatMap((receiver, r) =>
        hears(receiver, sender) ? [{ sender, receiver, estimated: scores.get(s, r), patched: null }] : [],
      ),
    )
    .sort((a, b) => Math.abs(b.estimated) - Math.abs(a.estimated));
}

function nameOf({ sender, receiver }: Edge): string {
  return `${sender.name} to ${receiver.name}`;
}

function report(
  model: Model,
  contrast: Contrast,
  attributed: EdgeAttributionMeasurement,
  edges: readonly Edge[],
  { top, seed }: { readonly top: number; readonly seed: number },
): Finding {
  const measured = edges.filter((edge) => edge.patched !== null);
  const all = agreement(measured.map(asPair), seed, {
    things: ["edge", "edges"],
    estimated: "estimated",
    measured: "patched",
  });
  const [first] = edges;
  const whenPatched = first.patched === null ? "" : `; when it is actually patched, ${signed(first.patched)}`;
  const listed = edges.slice(0, top);
  return finding({
    analysis: "edge-attribution",
    question: QUESTION,
    summary: [
      {
        text: `The strongest edge is from ${nameOf(first)}: ${signed(first.estimated)} logits${whenPatched}.`,
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
function kindOf({ receiver: { name } }: Edge): string {
  return name === "logits" ? "to the logits" : name.replace(/^.*(MLP|[qkv])$/, "to $1");
}

/** A measured edge, for the comparison. */
function asPair(edge: Edge): Pair {
  return {
    name: `the edge from ${nameOf(edge)}`,
    group: kindOf(edge),
    estimated: edge.estimated,
    measured: edge.patched!,
  };
}

function method(contrast: Contrast, edges: readonly Edge[], measured: readonly Edge[]): Method {
  const [from, to] = [new Set(measured.map(({ sender }) => sender)), new Set(measured.map(({ receiver }) => receiver))];
  return {
    text: `What an edge from a sender u to a later receiver v carries is estimated by Σ (u clean − u corrupted) · d(logit(${quoted(contrast.answer)}) − logit(${quoted(contrast.wrong)})) / d(input of v), over positions and d_model, with the gradient at the corrupted run: all ${edges.length} edges in one run. Senders are the embeddings together (stream_start), heads and MLPs; receivers are each head's queries, keys and values, MLPs, and the logits. An edge is the direct path only: what travels through other components belongs to their edges.\n\nThe ${measured.length} edges between the ${from.size} senders and the ${to.size} receivers that have the strongest ones are then actually patched, each alone: v reads the residual stream with what u wrote in the clean run in place of what it wrote in the corrupted one.`,
    references: [EDGE_ATTRIBUTION, ATTRIBUTION_PATCHING],
  };
}

/** The measured edges, senders as rows and receivers as columns in the order of the forward pass: estimated, and patched. */
function matrices(
  { senders, receivers }: EdgeAttributionMeasurement,
  measured: readonly Edge[],
  contrast: Contrast,
): View {
  const rows = senders.filter((sender) => measured.some((edge) => edge.sender === sender));
  const columns = receivers.filter((receiver) => measured.some((edge) => edge.receiver === receiver));
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

function edgeTable(about: AboutTable, edges: readonly Edge[]): Table {
  return tableOf({ ...about, comparedWith: BOTH_RUNS }, edges, [
    [as(SENDER, "What writes: the embeddings together (stream_start), a head, an MLP."), ({ sender }) => sender.name],
    [as(RECEIVER, "What reads: a head's q, k or v, an MLP, the logits."), ({ receiver }) => receiver.name],
    [GROUP, kindOf],
    [EDGE, ({ sender, receiver }) => `${sender.name} → ${receiver.name}`],
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
