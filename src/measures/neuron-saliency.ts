/** How each neuron affects an answer: by its gradient, directly, and by ablation. */

import { Tensor } from "../graph/tensor.ts";
import { components, needSum, neuronName } from "../lens/components.ts";
import type { Model } from "../lens/model.ts";
import { hasMlps, needFoldedNorms, needNeurons } from "../lens/model-has.ts";
import { asAdded } from "../lens/output-norm.ts";
import { compose } from "../models/compose.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import type { Answer } from "./answer.ts";
import { answerOptions, readAnswer } from "./answer.ts";
import { computeInParts, passBytes } from "./in-parts.ts";
import { Measured } from "./measured.ts";
import { metricGradients } from "./metric-gradients.ts";
import { type GivenOptions, settled } from "./options.ts";

/** One neuron's numbers, in logits. */
export interface Neuron {
  /** `L0N424`. */
  readonly name: string;
  readonly layer: number;
  readonly index: number;
  /** activation · gradient, summed over positions. */
  readonly saliency: number;
  readonly byPosition: readonly number[];
  /** Direct logit attribution at the last position. */
  readonly direct: number;
}

/** The options of `measureNeuronSaliency`. */
export type MeasureNeuronSaliencyOptions = GivenOptions<typeof answerOptions>;

/** A neuron and its numbers, as in `Neuron`. */
export interface NeuronSaliencyRow {
  readonly layer: number;
  readonly d_mlp: number;
  readonly saliency: number;
  readonly direct: number;
}

/** The result of `measureNeuronSaliency`: a row for each neuron of the model. */
export interface NeuronSaliencyMeasurement extends Measured<NeuronSaliencyRow> {
  readonly neurons: readonly Neuron[];
  /** The metric of the prompt. */
  readonly metric: number;
}

/** All neurons of the model, in one run with gradients. @throws ArgumentError without MLPs, or with unfolded norms */
export async function measureNeuronSaliency(
  model: Model,
  options: MeasureNeuronSaliencyOptions = {},
): Promise<NeuronSaliencyMeasurement> {
  const asked = settled("measureNeuronSaliency", model, options, answerOptions);
  const { prompt, metric, id, wrongId } = readAnswer(model, asked);
  const { cfg } = model;
  check(model);
  const graph = model.graph(prompt.input);
  const mlps = components(model).additions.flatMap(({ kind, layer, output }) =>
    kind === "mlp" && layer !== undefined && output ? [{ layer, output }] : [],
  );
  const withGradients = metricGradients(
    graph,
    metric,
    mlps.map(({ output }) => output.point),
  );
  const W_U = model.weights.get("unembed.W_U");
  const column = (token: number) => W_U.at({ d_vocab: token });
  const towards = column(id).sub(wrongId === undefined ? W_U.mean("d_vocab") : column(wrongId));
  // A LayerNorm removes the mean of what is written; an RMSNorm does not.
  const { finalNorm } = compose(cfg);
  const direction = finalNorm?.subtractsMean ? towards.sub(towards.mean()) : towards;
  const written = mlps.map(({ output }) => {
    const last = graph.at(output.point).at({ batch: 0, pos: -1 });
    const rows = asAdded(model.weights.get(output.weight), output.norm, model.weights, (scale) =>
      graph.at(scale).at({ batch: 0, pos: -1 }),
    );
    const each = rows.matmul(direction.unsqueeze(-1)).squeeze(-1);
    const direct = last.mul(each);
    return finalNorm ? direct.div(graph.at("ln_final.hook_scale").at({ batch: 0, pos: -1 })) : direct;
  });
  const products = withGradients.values.map((value, i) => value.mul(withGradients.gradients[i]).at({ batch: 0 }));
  const [number, ...computed] = await model.compute([withGradients.metric, ...products, ...written], {
    signal: asked.signal,
  });
  const neurons = mlps.flatMap(({ layer }, i) => {
    const [product, direct] = [computed[i], computed[mlps.length + i]];
    return Array.from({ length: cfg.dMlp! }, (_, index): Neuron => {
      const byPosition = prompt.ids.map((_, pos) => product.get(pos, index));
      const saliency = byPosition.reduce((sum, x) => sum + x, 0);
      return { name: neuronName(layer, index), layer, index, saliency, byPosition, direct: direct.get(index) };
    });
  });
  const rows = neurons.map(({ layer, index, saliency, direct }): NeuronSaliencyRow => {
    return { layer, d_mlp: index, saliency, direct };
  });
  return Measured.of(rows, { neurons, metric: number.item() });
}

function check(model: Model): void {
  const { cfg } = model;
  if (!hasMlps(model)) {
    throw new ArgumentError(
      `${cfg.modelName} has only attention layers, so there are no neurons to attribute to: choose a model with MLPs.`,
      { asked: "mlp", found: cfg.modelName },
    );
  }
  needNeurons(model);
  needSum(model);
  needFoldedNorms("Direct attribution", model);
}

/** The metric minus its value with one neuron set to zero at all positions, for each neuron, with as many in one run as fit. */
export async function ablateNeurons(
  model: Model,
  { prompt, metric }: Answer,
  neurons: readonly Pick<Neuron, "layer" | "index">[],
  signal?: AbortSignal,
): Promise<number[]> {
  const dMlp = model.cfg.dMlp!;
  const graph = model.graph(prompt.input);
  const whole = metric(graph.output, graph);
  const ablated = (some: typeof neurons) => {
    const layers = [...new Set(some.map(({ layer }) => layer))];
    return graph.with(
      layers.map((layer) => {
        const data = new Uint8Array(some.length * dMlp);
        some.forEach((neuron, cell) => {
          if (neuron.layer === layer) data[cell * dMlp + neuron.index] = 1;
        });
        const mask = Tensor.leaf(ndarray("bool", [some.length, 1, 1, dMlp], data), ["cell", "batch", "pos", "d_mlp"]);
        return [`blocks.${layer}.mlp.hook_post`, (x: Tensor) => x.constant(0).where(mask, x)] as const;
      }),
    );
  };
  const [clean] = await model.compute([whole], { signal });
  const [each] = await computeInParts(
    model,
    neurons.length,
    (from, to) => [ablated(neurons.slice(from, to)).follow(whole)],
    { ...{ signal }, most: passBytes(model), varies: true },
  );
  return Array.from(each.data, (value) => clean.item() - value);
}
