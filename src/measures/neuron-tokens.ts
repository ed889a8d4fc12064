/** The tokens that a neuron writes, and where in a text it is most active. */

import { Tensor } from "../graph/tensor.ts";
import { components, neuronName } from "../lens/components.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { hasMlps, needNeurons, needReadStream } from "../lens/model-has.ts";
import { unscaled } from "../lens/output-norm.ts";
import { getActName } from "../models/act-name.ts";
import { checkWhole } from "../options/checks.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { type ContextRow, type ExampleRow, examplesOf } from "./in-text/examples.ts";
import { batches, piecesOf } from "./in-text/pieces.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, layerOption, seedOption, settled } from "./options.ts";
import { PASSAGE, PASSAGE_NAME } from "./passage.ts";
import { tokenTexts } from "./prompt.ts";
import { type WrittenTokens, withOthers, writtenTokens } from "./written-tokens.ts";

/** The options of `measureNeuronTokens` and `neuronTokens`. */
export type NeuronTokensOptions = GivenOptions<typeof NEURON_OPTIONS>;

export const NEURON_OPTIONS = {
  layer: layerOption(),
  neuron: {
    type: "integer",
    placeholder: "N",
    description: "the neuron",
    defaultText: "the one that writes most at any one place in the text",
    least: 0,
  },
  text: { type: "file", description: "a text file to look for examples in", defaultText: PASSAGE_NAME },
  top: {
    type: "integer",
    placeholder: "K",
    description: "how many tokens and examples",
    default: 10,
    least: 1,
    most: ({ cfg }) => Math.floor(cfg.dVocabOut / 2),
  },
  around: {
    type: "integer",
    placeholder: "N",
    description: "tokens to show on each side of an example",
    default: 12,
    least: 0,
  },
  seed: seedOption("the random neurons"),
} as const satisfies AnalysisOptions;

const DEFAULT_TEXT = { name: PASSAGE_NAME, text: PASSAGE };

/** A neuron of the layer. */
export interface LargestActivationRow {
  readonly d_mlp: number;
  /** Its largest activation on the text. */
  readonly largest: number;
}

/** A token of the text and the neuron's activation at it. */
export interface NeuronTokensRow {
  /** The position among the text's tokens. */
  readonly pos: number;
  readonly token: string;
  readonly activation: number;
}

/** The result of `measureNeuronTokens`: a row for each token of the text. */
export interface NeuronTokensMeasurement extends Measured<NeuronTokensRow>, WrittenTokens {
  /** What the text is called. */
  readonly text: string;
  readonly layer: number;
  readonly neuron: number;
  /** `L0N17` */
  readonly component: string;
  /** Every neuron in the layer. */
  readonly neurons: Measured<LargestActivationRow>;
  /** Where the neuron is most active, the strongest first; no two overlap. */
  readonly examples: Measured<ExampleRow>;
  /** The examples, token by token. */
  readonly contexts: Measured<ContextRow>;
}

/**
 * The tokens that a neuron promotes and suppresses, and where in a text it is most active (`hook_post`).
 * @throws ArgumentError for a layer or neuron that does not exist, or a model without MLPs; InputError for a text without
 * tokens or a model without a tokenizer.
 */
export async function measureNeuronTokens(
  model: HookedTransformer,
  options: NeuronTokensOptions = {},
): Promise<NeuronTokensMeasurement> {
  const asked = settled("measureNeuronTokens", model, options, NEURON_OPTIONS);
  needReadStream("measureNeuronTokens", model);
  const { text = DEFAULT_TEXT, top, around, seed, layer, signal, onProgress } = asked;
  const { cfg } = model;
  if (!hasMlps(model))
    throw new ArgumentError("This model is attention-only and has no neurons.", { found: cfg.modelName });
  const width = cfg.dMlp!;
  needNeurons(model, layer);
  if (options.neuron !== undefined) checkWhole("neuron", options.neuron, 0, width - 1);
  const pieces = piecesOf(model, text.text);
  const ids = pieces.flat();
  const W_out = model.weights.get(`blocks.${layer}.mlp.W_out`);

  const largestOfEach = new Array<number>(width).fill(-Infinity);
  const passes = options.neuron === undefined ? 2 : 1;
  const total = passes * ids.length;
  let done = 0;
  const read = async (neuron: number | undefined): Promise<number[]> => {
    const activations: number[] = [];
    for (const { input, skip, tokens } of batches(model, pieces, width)) {
      const post = model.graph(input).at(getActName("post", layer)).slice("pos", skip);
      const wanted = neuron === undefined ? [] : [post.at({ d_mlp: neuron })];
      const [most, own] = await model.compute([post.max(["batch", "pos"]), ...wanted], { signal });
      for (let i = 0; i < width; i++) largestOfEach[i] = Math.max(largestOfEach[i], most.data[i]);
      if (own) activations.push(...own.data);
      done += tokens;
      onProgress?.({ done, total, unit: "tokens" });
    }
    return activations;
  };
  if (options.neuron === undefined) await read(undefined);
  const neuron = options.neuron ?? loudest(W_out, largestOfEach);
  const activations = await read(neuron);

  const { found, effects } = await writtenTokens(model, writtenBy(model, layer, withOthers(neuron, width, seed)), {
    ...{ top, signal },
  });
  const texts = tokenTexts(model, ids);
  const rows = activations.map((activation, pos): NeuronTokensRow => ({ pos, token: texts[pos], activation }));
  return Measured.of(rows, {
    ...found,
    ...{ text: text.name, layer, neuron, component: neuronName(layer, neuron) },
    neurons: new Measured(largestOfEach.map((largest, d_mlp) => ({ d_mlp, largest }))),
    ...examplesOf(model, ids, rows, top, around, (id) => effects[id]),
  });
}

/** What neurons of a layer add to the residual stream for one unit of activation, [neuron d_model]. */
function writtenBy(model: HookedTransformer, layer: number, neurons: Int32Array<ArrayBuffer>): Tensor {
  const rows = Tensor.leaf(ndarray("int32", [neurons.length], neurons), ["neuron"]);
  const mlp = components(model).additions.find((one) => one.kind === "mlp" && one.layer === layer);
  const written = model.weights.get(`blocks.${layer}.mlp.W_out`).gather(0, rows);
  return unscaled(written, mlp?.output?.norm, model.weights);
}

/** The neuron that writes most at any one place: its largest activation times the norm of what it writes. */
function loudest(W_out: Tensor, largestOfEach: readonly number[]): number {
  const [, dModel] = W_out.shape;
  const loudness = largestOfEach.map((activation, n) => {
    const row = W_out.data.subarray(n * dModel, (n + 1) * dModel);
    return activation * Math.hypot(...row);
  });
  return loudness.indexOf(Math.max(...loudness));
}
