/** How each neuron affects an answer: by its gradient, directly, and by ablation. */

import { Tensor } from "../graph/tensor.ts";
import { components, needSum, neuronName } from "../lens/components.ts";
import type { Model } from "../lens/model.ts";
import { hasMlps, needFoldedNorms, needNeurons } from "../lens/model-has.ts";
import { asAdded } from "../lens/output-norm.ts";
import { compose } from "../models/compose.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { answerOptions, readAnswer } from "./answer.ts";
import { Measured } from "./measured.ts";
import { metricGradients } from "./metric-gradients.ts";
import { type GivenOptions, settled } from "./options.ts";
import { largestIndices } from "./top-tokens.ts";

/** The options of `measureNeuronSaliency`. */
export type MeasureNeuronSaliencyOptions = GivenOptions<typeof answerOptions>;

/** A neuron and its numbers, in logits. */
export interface NeuronSaliencyRow {
  readonly layer: number;
  readonly d_mlp: number;
  /** `L0N424` */
  readonly component: string;
  /** activation · gradient, summed over positions. */
  readonly saliency: number;
  /** Direct logit attribution at the last position. */
  readonly direct: number;
  /** Where activation · gradient is largest, and the token there. */
  readonly pos: number;
  readonly token: string;
}

/** The result of `measureNeuronSaliency`: a row for each neuron of the model. */
export interface NeuronSaliencyMeasurement extends Measured<NeuronSaliencyRow> {
  /** activation · gradient at each position, [layer pos d_mlp]. */
  readonly products: Tensor;
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
  const [byLayer, direct] = [computed.slice(0, mlps.length), computed.slice(mlps.length)];
  const count = cfg.dMlp!;
  const rows = Array.from({ length: mlps.length * count }, (_, i): NeuronSaliencyRow => {
    const [at, d_mlp] = [Math.floor(i / count), i % count];
    const { layer } = mlps[at];
    const here = prompt.ids.map((_, pos) => byLayer[at].get(pos, d_mlp));
    const [pos] = largestIndices(here.map(Math.abs), 1);
    const saliency = here.reduce((sum, x) => sum + x, 0);
    const numbers = { saliency, direct: direct[at].get(d_mlp) };
    return { layer, d_mlp, component: neuronName(layer, d_mlp), ...numbers, pos, token: prompt.tokens[pos] };
  });
  return Measured.of(rows, { products: stacked(byLayer), metric: number.item() });
}

/** Numbers of layers [pos d_mlp] as one tensor. */
function stacked(byLayer: readonly Tensor[]): Tensor {
  const [{ shape, data }] = byLayer;
  const all = new Float32Array(byLayer.length * data.length);
  for (const [i, layer] of byLayer.entries()) all.set(layer.data as Float32Array, i * data.length);
  return Tensor.leaf(ndarray("float32", [byLayer.length, ...shape], all), ["layer", "pos", "d_mlp"]);
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
