/**
 * Edge attribution patching: how much each edge from one component to another carries, to first order. One run with
 * gradients gives all edges together.
 */

import { Tensor } from "../graph/tensor.ts";
import {
  components,
  hears,
  needSum,
  type Reader,
  type Receiver,
  type Sender,
  type Writer,
} from "../lens/components.ts";
import type { Model } from "../lens/model.ts";
import type { ModelGraph } from "../lens/model-graph.ts";
import { type InputOptions, inputOptions } from "../lens/model-input.ts";
import { asAdded } from "../lens/output-norm.ts";
import type { ModelInput } from "../lens/tokens.ts";
import { computeByLayers } from "./by-layers.ts";
import { answersOptions, RUNS, type Runs, type RunsOptions, readRuns, roundedToLogits } from "./contrast.ts";
import { Measured } from "./measured.ts";
import { checkSameLength, metricGradients, metricNumber } from "./metric-gradients.ts";
import { type AnalysisContext, type AnalysisOptions, type GivenOptions, settled } from "./options.ts";
import { measurePathPatching } from "./path-patching.ts";

/** An edge and what it carries. */
export interface EdgeAttributionRow {
  readonly sender: string;
  readonly receiver: string;
  /** In units of the metric. */
  readonly estimated: number;
  /** The change of the metric when this path alone is patched; `null` where it was not (`patchedEnds`). */
  readonly patched: number | null;
}

/** The result of `measureEdgeAttribution`: a row for each edge. */
export interface EdgeAttributionMeasurement extends Measured<EdgeAttributionRow> {
  /** The embeddings together (`stream_start`), heads and MLPs. */
  readonly senders: readonly Writer[];
  readonly receivers: readonly Reader[];
  /** [sender receiver], in units of the metric; 0 where there is no such edge. */
  readonly scores: Tensor;
  readonly clean: number;
  readonly corrupted: number;
}

const OPTIONS = {
  ...answersOptions,
  patchedEnds: {
    type: "integer",
    placeholder: "N",
    description: "edges between this many senders and this many receivers, those with the strongest, are also patched",
    default: 0,
    least: 0,
  },
} as const satisfies AnalysisOptions;

/** The options of `measureEdgeAttribution`. */
export type MeasureEdgeAttributionOptions = GivenOptions<typeof OPTIONS> & RunsOptions;

/** A pass whose receivers' inputs are points of their own, so that each can be changed and differentiated separately. */
export function edgeGraph(
  model: Model,
  input: ModelInput,
  options: InputOptions = {},
): { readonly graph: ModelGraph; readonly outputOf: (sender: Writer) => Tensor } {
  const points = components(model).readers.map(({ point }) => point);
  const graph = model.graph(input, inputOptions(options)).readyFor([...new Set(points)]);
  const outputOf = (sender: Writer) => {
    const value = written(graph, sender, model);
    return sender.head === undefined ? value : value.at({ head: sender.head });
  };
  return { graph, outputOf };
}

/**
 * For each edge from a sender u to a later receiver v, what giving v what u wrote in the clean run, and all else as in the
 * corrupted one, would change to first order: `Σ (u_clean - u_corrupted) · d metric / d input of v`, over positions,
 * prompts and `d_model`, with the gradient at the corrupted run. All edges in one
 * run, or in one run per few layers if only that fits, in units of the metric.
 *
 * A head's queries, keys and values are receivers of their own. Edges skip what is between: an edge to the logits is
 * only the direct path.
 *
 * Source: Syed, Rager and Conmy 2023, "Attribution patching outperforms automated circuit discovery".
 * @throws ShapeError for prompts of different lengths or a metric that is not one number; ArgumentError for a metric that
 * does not depend on the model's components.
 */
export async function measureEdgeAttribution(
  model: Model,
  options: MeasureEdgeAttributionOptions = {},
): Promise<EdgeAttributionMeasurement> {
  const asked = settled("measureEdgeAttribution", model, options, OPTIONS, RUNS);
  const { patchedEnds, signal, onProgress } = asked;
  needSum(model);
  const runs = await readRuns("measureEdgeAttribution", model, asked, signal);
  const { clean, corrupted, metric, read } = runs;
  const { writers, start, readers: receivers } = components(model);
  // Where tokens are says little by itself, so the embeddings are one sender.
  const senders = [start, ...writers.filter(({ layer }) => layer !== undefined)];
  const [dirty, pure] = [edgeGraph(model, corrupted, read), edgeGraph(model, clean, read)];
  checkSameLength(pure.graph, dirty.graph);

  const { nLayers } = model.cfg;
  const streams = range(nLayers)
    .slice(1)
    .map((layer) => `blocks.${layer}.hook_resid_pre`);
  const points = [...new Map(receivers.map((receiver) => [receiver.point, receiver])).values()];
  const withGradients = metricGradients(dirty.graph, metric, [...points.map(({ point }) => point), ...streams]);
  const slopes = (from: number, to: number) =>
    points.flatMap(({ layer, head }, i) =>
      from <= layer && layer < to ? [rows(withGradients.gradients[i], head !== undefined)] : [],
    );
  const outputs = [...new Map(senders.map((sender) => [sender.point, sender])).values()];
  const differences = outputs.map((sender) =>
    rows(written(pure.graph, sender, model).sub(written(dirty.graph, sender, model)), sender.head !== undefined),
  );
  const sent = Tensor.apply("concat", differences, { axis: -2 });
  const { values, numbers } = await computeByLayers(
    model,
    {
      layers: nLayers,
      values: (from, to) => [
        Tensor.apply("concat", slopes(from, to), { axis: -2 }).matmul(sent.transpose()).rename(["receiver", "sender"]),
      ],
      numbers: [withGradients.metric, metricNumber(pure.graph, metric)],
      shared: [sent],
      streams: (layer) => [withGradients.values[points.length + layer - 1], pure.graph.at(streams[layer - 1])],
      gradient: (layer) => withGradients.gradients[points.length + layer - 1],
    },
    signal,
  );
  const [products] = values;
  const scores = scoresOf(senders, receivers, products);
  const edges = senders.flatMap((sender, s) =>
    receivers.flatMap((receiver, r): Edge[] =>
      hears(receiver, sender) ? [{ sender: sender.name, receiver: receiver.name, estimated: scores.get(s, r) }] : [],
    ),
  );
  const patched = await patchStrongest(model, runs, edges, patchedEnds, { signal, onProgress });
  const edgeRows = edges.map((edge, i): EdgeAttributionRow => ({ ...edge, patched: patched[i] }));
  return Measured.of(edgeRows, { senders, receivers, scores, clean: numbers[1].item(), corrupted: numbers[0].item() });
}

/** [sender receiver] of products [receiver sender], with 0 where there is no edge. */
function scoresOf(senders: readonly Writer[], receivers: readonly Reader[], products: Tensor): Tensor {
  const data = new Float32Array(senders.length * receivers.length);
  senders.forEach((sender, s) => {
    receivers.forEach((receiver, r) => {
      if (hears(receiver, sender)) data[s * receivers.length + r] = products.data[r * senders.length + s];
    });
  });
  const shape = [senders.length, receivers.length];
  return Tensor.leaf({ dtype: "float32", shape, data }, ["sender", "receiver"]);
}

type Edge = Pick<EdgeAttributionRow, "estimated"> & { readonly sender: Sender; readonly receiver: Receiver };

/** What patching each edge between the `count` senders and the `count` receivers with the strongest ones changes; `null` for all others. */
async function patchStrongest(
  model: Model,
  { clean, corrupted, metric, read }: Runs,
  edges: readonly Edge[],
  count: number,
  context: AnalysisContext,
): Promise<(number | null)[]> {
  if (count === 0) return edges.map(() => null);
  const strongest = [...edges].sort((a, b) => Math.abs(b.estimated) - Math.abs(a.estimated));
  const senders = [...new Set(strongest.map(({ sender }) => sender))].slice(0, count);
  const receivers = [...new Set(strongest.map(({ receiver }) => receiver))].slice(0, count);
  // Of the corrupted run, with what senders write in the clean one.
  const paths = { ...read, clean: corrupted, corrupted: clean, metric, senders, receivers, ...context };
  const { values, clean: unpatched } = await measurePathPatching(model, paths);
  return edges.map(({ sender, receiver }) => {
    const [s, r] = [senders.indexOf(sender), receivers.indexOf(receiver)];
    return s < 0 || r < 0 ? null : roundedToLogits(values.get(s, r) - unpatched);
  });
}

/** What a sender, or all heads of its layer, [batch pos head d_model], add to the stream in a pass. */
function written(graph: ModelGraph, { point, head, output }: Writer, { weights }: Model): Tensor {
  if (head === undefined) return graph.at(point);
  return asAdded(graph.at(point), output?.norm, weights, (scale) => graph.at(scale).unsqueeze(-2, "head"));
}

/** [row number]: a row of numbers for each head of [batch pos head d_model], or one for [batch pos d_model]. */
function rows(x: Tensor, heads: boolean): Tensor {
  const apart = heads ? x.permute([-2, 0, 1, -1]) : x.unsqueeze(0, "row");
  return apart.mergeAxes(1, 3).rename(["row", "number"]);
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
