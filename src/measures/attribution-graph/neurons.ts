/**
 * Neurons as features: what one writes is its activation times its row of W_out, and it reads what its MLP reads in the direction
 * of its column of W_in. Nothing is left over, so there are no errors but what neurons that are left out write.
 */
import { grad } from "../../graph/rewrite/grad.ts";
import { Tensor } from "../../graph/tensor.ts";
import type { Model } from "../../lens/model.ts";
import type { ModelGraph } from "../../lens/model-graph.ts";
import { hasMlps, needNeurons } from "../../lens/model-has.ts";
import { getActName } from "../../models/act-name.ts";
import { recordingOf } from "../../models/recording.ts";
import { bare } from "../../models/structure.ts";
import { ArgumentError } from "../../tensor/errors.ts";
import type { Features } from "./features.ts";
import { normed, type Reading } from "./linear-pass.ts";
import type { FeatureKind, FeaturePass } from "./trace.ts";

/** @throws ArgumentError for mixtures of experts, and for gates behind a norm of their own */
export function neuronKind(of: string, model: Model): FeatureKind {
  return { points: [], pass: (graph) => neuronPass(of, model, graph) };
}

function neuronPass(of: string, model: Model, graph: ModelGraph): FeaturePass {
  if (!hasMlps(model)) return { values: [], features: () => noFeatures(model) };
  needNeurons(model);
  const layers = Array.from({ length: model.cfg.nLayers }, (_, layer) => layer);
  const posts = layers.map((layer) => graph.at(getActName("post", layer)));
  const gates = layers.map((layer) => gatesOf(of, model, graph, layer));
  const values = [...posts, ...gates.flatMap((gate) => gate?.slopes ?? [])];
  return {
    values,
    features: (computed) => {
      const slopes = computed.slice(layers.length);
      const ofLayer = (layer: number) => (gates[layer] ? slopes.splice(0, 2) : undefined);
      const perLayer = layers.map(ofLayer);
      return neurons(model, graph, posts, { activations: computed.slice(0, layers.length), slopes: perLayer });
    },
  };
}

interface NeuronRun {
  /** [1 pos d_mlp], by layer. */
  readonly activations: readonly Tensor[];
  /** How much activations change with gates and with what these multiply, each [1 pos d_mlp], by layer. */
  readonly slopes: readonly (readonly Tensor[] | undefined)[];
}

function neurons(
  model: Model,
  graph: ModelGraph,
  posts: readonly Tensor[],
  { activations, slopes }: NeuronRun,
): Features {
  const [, pos, each] = activations[0].shape;
  const perLayer = pos * each;
  const at = (feature: number) => {
    const within = feature % perLayer;
    return { layer: Math.floor(feature / perLayer), pos: Math.floor(within / each), feature: within % each };
  };
  const weight = (layer: number, name: string) => model.weights.get(`blocks.${layer}.mlp.${name}`);
  const places = Uint32Array.from({ length: perLayer }, (_, i) => i);
  return {
    active: {
      count: posts.length * perLayer,
      starts: Array.from({ length: posts.length + 1 }, (_, layer) => layer * perLayer),
      node: (i) => ({ kind: "feature", ...at(i), activation: activations[at(i).layer].data[i % perLayer] }),
    },
    perLayer: each,
    writings: posts.map((point) => ({ point })),
    constants: posts.map(() => undefined),
    errors: undefined,
    readings: posts.map((_, layer) => mlpReading(model, graph, layer)),
    directions: (layer, features) => {
      const columns = indexOf(features.map((i) => at(i).feature));
      const column = (name: string) =>
        weight(layer, name).gather("d_mlp", columns).transpose().rename(["row", "d_model"]);
      const own = slopes[layer];
      if (!own) return column("W_in");
      const [gate, linear] = own.map(({ data }) => numbersOf(features.map((i) => data[i % perLayer])));
      return column("W_gate").mul(gate).add(column("W_in").mul(linear));
    },
    bias: (i) => (slopes[at(i).layer] ? 0 : weight(at(i).layer, "b_in").data[at(i).feature]),
    sent: (layer, [gradient]) => gradient.mul(activations[layer]),
    sentPlaces: () => places,
    prepare: async () => {},
    heldAt: (layer) => activations[layer],
    changed: (layer, value, changes) => {
      const here = changes.filter((change) => change.layer === layer);
      if (here.length === 0) return value;
      const [kept, put] = [new Float32Array(perLayer).fill(1), new Float32Array(perLayer)];
      for (const change of here) {
        const place = change.pos * each + change.feature;
        kept[place] = 0;
        put[place] = change.value;
      }
      const leaf = (data: Float32Array) => Tensor.leaf({ dtype: "float32", shape: [1, pos, each], data }, value.axes);
      return value.mul(leaf(kept)).add(leaf(put));
    },
    preActivations: (layer, passAt) => passAt(graph.at(getActName("pre", layer))),
    writtenBy: (i) => {
      const { layer, feature } = at(i);
      const values = new Float32Array(each);
      values[feature] = activations[layer].data[i % perLayer];
      return [{ layer, values }];
    },
    writtenByOthers: (layer, position, some) => {
      const values = activations[layer].data.slice(position * each, (position + 1) * each) as Float32Array;
      for (let n = 0; n < each; n++) if (some.has(layer * perLayer + position * each + n)) values[n] = 0;
      return values;
    },
  };
}

/** Of a model without MLPs. */
function noFeatures({ cfg }: Model): Features {
  const starts = new Array<number>(cfg.nLayers + 1).fill(0);
  const none = (): never => {
    throw new ArgumentError(`${cfg.modelName} has no neurons: it is attention-only.`, { asked: "neurons" });
  };
  return {
    active: { count: 0, starts, node: none },
    perLayer: 0,
    ...{ writings: [], constants: [], errors: undefined, readings: [], directions: none, bias: none },
    ...{ sent: none, sentPlaces: none, writtenBy: none, writtenByOthers: none },
    ...{ prepare: async () => {}, heldAt: none, changed: none, preActivations: none },
  };
}

/** What the MLP of a layer reads. */
export function mlpReading(model: Model, graph: ModelGraph, layer: number): Reading {
  const { structure } = recordingOf(model.cfg);
  const product = structure.products.find(({ weight }) => weight.label === `blocks.${layer}.mlp.W_in`)!;
  const input = bare(product.input);
  const norm = structure.norms.find(({ result }) => bare(result) === input);
  if (norm) return normed(model, graph, norm.where);
  const [name] = [...recordingOf(model.cfg).points].find(([, value]) => bare(value) === input)!;
  const point = graph.at(name);
  return (at) => at(point);
}

/** How much gated neurons change with each of the two that they are products of; `undefined` for neurons without gates. */
function gatesOf(
  of: string,
  model: Model,
  graph: ModelGraph,
  layer: number,
): { readonly slopes: readonly Tensor[] } | undefined {
  const { weights, hookNames } = recordingOf(model.cfg);
  if (!weights.has(`blocks.${layer}.mlp.W_gate`)) return undefined;
  if (hookNames.includes(`blocks.${layer}.mlp.ln.hook_scale`)) {
    throw new ArgumentError(
      `${of} cannot follow what the neurons of layer ${layer} of ${model.cfg.modelName} read: their gates pass through a norm of all gates.`,
      { asked: of },
    );
  }
  const [post, pre, linear] = ["hook_post", "hook_pre", "hook_pre_linear"].map((name) =>
    graph.at(`blocks.${layer}.mlp.${name}`),
  );
  return { slopes: grad(post.sum(), [pre, linear]) };
}

/** int32 [row] */
function indexOf(indices: readonly number[]): Tensor {
  return Tensor.leaf({ dtype: "int32", shape: [indices.length], data: Int32Array.from(indices) }, ["row"]);
}

/** float32 [row 1] */
function numbersOf(numbers: readonly number[]): Tensor {
  return Tensor.leaf({ dtype: "float32", shape: [numbers.length, 1], data: Float32Array.from(numbers) }, ["row", ""]);
}
