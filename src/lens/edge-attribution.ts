/**
 * Edge attribution patching: how much each way from one component to another carries, to first order. One run with
 * gradients gives all edges at once.
 */
import { Tensor } from "../graph/tensor.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { SIGNAL, WHOLE } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { computeByLayers } from "./by-layers.ts";
import { checkModel } from "./check.ts";
import type { Metric } from "./metric.ts";
import { checkSameLength, metricGradients, metricNumber } from "./metric-gradients.ts";
import type { Model } from "./model.ts";
import type { ModelGraph } from "./model-graph.ts";
import { type InputOptions, inputOptions } from "./model-input.ts";
import { INPUT } from "./option-kinds.ts";
import type { Receiver, Sender } from "./path-ends.ts";
import type { ModelInput } from "./tokens.ts";

/** What writes to the residual stream: the embeddings, a head, an MLP. */
export interface EdgeSender {
  /** `embed`, `L0H3`, `L0MLP`. */
  readonly name: Sender;
  /** Where it writes; `head` says which part of `hook_result` it is. */
  readonly at: string;
  readonly head?: number;
  /** Its place in the order of the pass. */
  readonly order: number;
}

/** What reads from the residual stream: a head's queries, keys or values, an MLP, the logits. */
export interface EdgeReceiver {
  /** `L1H3.q`, `L1MLP`, `logits`. */
  readonly name: Receiver;
  /** Where it reads; `head` says which part of `hook_q_input`, `hook_k_input` or `hook_v_input` it is. */
  readonly at: string;
  readonly head?: number;
  readonly order: number;
}

/** What `edgeAttribution` gives. */
export interface EdgeAttribution {
  readonly senders: readonly EdgeSender[];
  readonly receivers: readonly EdgeReceiver[];
  /** [sender receiver], in units of the metric; 0 where there is no such edge. */
  readonly scores: Tensor;
  readonly clean: number;
  readonly corrupted: number;
}

/** What `edgeAttribution` takes besides. */
export interface EdgeAttributionRunOptions extends InputOptions {
  readonly signal?: AbortSignal | undefined;
}

const KINDS: OptionKinds<EdgeAttributionRunOptions> = { ...INPUT, signal: SIGNAL };

/** Whether one comes before the other, so that there is an edge between them. */
export function isEdge(sender: EdgeSender, receiver: EdgeReceiver): boolean {
  if (WHOLE.accepts(sender?.order) && WHOLE.accepts(receiver?.order)) return sender.order < receiver.order;
  throw new ArgumentError("isEdge takes a sender and a receiver, as edgeAttribution gives them.", {
    asked: [sender, receiver],
  });
}

/** The components of a model that write to its residual stream, in the order of the pass; those of one point together. */
export function edgeSenders({ cfg }: Model): EdgeSender[] {
  const blocks = range(cfg.nLayers).flatMap((layer): EdgeSender[] => [
    ...range(cfg.nHeads).map(
      (head): EdgeSender => ({
        name: `L${layer}H${head}`,
        at: `blocks.${layer}.attn.hook_result`,
        head,
        order: 2 * layer + 1,
      }),
    ),
    ...(cfg.attnOnly
      ? []
      : [{ name: `L${layer}MLP` as const, at: `blocks.${layer}.hook_mlp_out`, order: 2 * layer + 2 }]),
  ]);
  return [{ name: "embed", at: "blocks.0.hook_resid_pre", order: 0 }, ...blocks];
}

/** The components of a model that read from its residual stream, in the order of the pass; those of one point together. */
export function edgeReceivers({ cfg }: Model): EdgeReceiver[] {
  const last = `blocks.${cfg.nLayers - 1}.hook_resid_post`;
  const blocks = range(cfg.nLayers).flatMap((layer): EdgeReceiver[] => [
    ...(["q", "k", "v"] as const).flatMap((input) =>
      range(cfg.nHeads).map(
        (head): EdgeReceiver => ({
          name: `L${layer}H${head}.${input}`,
          at: `blocks.${layer}.hook_${input}_input`,
          head,
          order: 2 * layer + 1,
        }),
      ),
    ),
    ...(cfg.attnOnly
      ? []
      : [{ name: `L${layer}MLP` as const, at: `blocks.${layer}.hook_mlp_in`, order: 2 * layer + 2 }]),
  ]);
  return [...blocks, { name: "logits", at: last, order: 2 * cfg.nLayers + 1 }];
}

/** A pass whose receivers' inputs are points of their own, so that each can be changed and differentiated alone. */
export function edgeGraph(
  model: Model,
  input: ModelInput,
  options: InputOptions = {},
): { readonly graph: ModelGraph; readonly outputOf: (sender: EdgeSender) => Tensor } {
  const points = [...edgeSenders(model), ...edgeReceivers(model)].map(({ at }) => at);
  const graph = model
    .graph(input, inputOptions(options))
    .readyFor([...new Set(points)].filter((at) => !at.endsWith("hook_result")));
  const outputOf = ({ at, head }: EdgeSender) => (head === undefined ? graph.at(at) : graph.at(at).at({ head }));
  return { graph, outputOf };
}

/**
 * For each edge from a sender u to a later receiver v, what giving v what u wrote in the clean run, and all else as in the
 * corrupted one, would change to first order: `Σ (u_clean - u_corrupted) · d metric / d input of v`, over positions,
 * prompts and `d_model`, with the gradient at the corrupted run. All edges in one
 * run, or in one for a few layers at a time where that is what fits, in units of the metric.
 *
 * A head's queries, keys and values are receivers of their own. Edges skip what is between: an edge to the logits is the
 * direct path alone.
 *
 * Source: Syed, Rager and Conmy 2023, "Attribution patching outperforms automated circuit discovery".
 * @throws ShapeError for prompts of different lengths or a metric that is not one number; ArgumentError for a metric that
 * does not depend on the model's components.
 */
export async function edgeAttribution(
  model: Model,
  corrupted: ModelInput,
  clean: ModelInput,
  metric: Metric,
  options: EdgeAttributionRunOptions = {},
): Promise<EdgeAttribution> {
  checkModel("edgeAttribution", model);
  checkOptions("edgeAttribution", options, KINDS);
  const senders = edgeSenders(model);
  const receivers = edgeReceivers(model);
  const [dirty, pure] = [edgeGraph(model, corrupted, options), edgeGraph(model, clean, options)];
  checkSameLength(pure.graph, dirty.graph);

  const { nLayers } = model.cfg;
  const streams = range(nLayers)
    .slice(1)
    .map((layer) => `blocks.${layer}.hook_resid_pre`);
  const points = [...new Set(receivers.map(({ at }) => at))];
  const found = metricGradients(dirty.graph, metric, [...points, ...streams]);
  const slopes = (from: number, to: number) =>
    points.flatMap((at, i) => {
      const { head, order } = receivers.find((receiver) => receiver.at === at)!;
      const layer = Math.min(Math.ceil(order / 2), nLayers) - 1;
      return from <= layer && layer < to ? [rows(found.gradients[i], head !== undefined)] : [];
    });
  const writers = [...new Set(senders.map(({ at }) => at))];
  const differences = writers.map((at) =>
    rows(
      pure.graph.at(at).sub(dirty.graph.at(at)),
      senders.some((s) => s.at === at && s.head !== undefined),
    ),
  );
  const sent = Tensor.apply("concat", differences, { axis: -2 });
  const { values, numbers } = await computeByLayers(
    model,
    {
      layers: nLayers,
      values: (from, to) => [
        Tensor.apply("concat", slopes(from, to), { axis: -2 }).matmul(sent.transpose()).rename(["receiver", "sender"]),
      ],
      numbers: [found.metric, metricNumber(pure.graph, metric)],
      shared: [sent],
      streams: (layer) => [found.values[points.length + layer - 1], pure.graph.at(streams[layer - 1])],
      gradient: (layer) => found.gradients[points.length + layer - 1],
    },
    options.signal,
  );
  const [products] = values;
  const data = new Float32Array(senders.length * receivers.length);
  senders.forEach((sender, s) => {
    receivers.forEach((receiver, r) => {
      if (isEdge(sender, receiver)) data[s * receivers.length + r] = products.data[r * senders.length + s];
    });
  });
  const scores = Tensor.leaf({ dtype: "float32", shape: [senders.length, receivers.length], data }, [
    "sender",
    "receiver",
  ]);
  return { senders, receivers, scores, clean: numbers[1].item(), corrupted: numbers[0].item() };
}

/** [row batch·pos·d_model]: a row for each head of [batch pos head d_model], or one of [batch pos d_model]. */
function rows(x: Tensor, heads: boolean): Tensor {
  const apart = heads ? x.permute(["head", "batch", "pos", "d_model"]) : x.unsqueeze(0, "head");
  return apart.mergeAxes(1, 3).rename(["row", "number"]);
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
