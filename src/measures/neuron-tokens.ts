/** The tokens that a neuron writes, and where in a text it is most active. */

import type { Tensor } from "../graph/tensor.ts";
import { neuronName } from "../lens/components.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { hasMlps, needNeurons, needReadStream } from "../lens/model-has.ts";
import { batchOf, readTokens } from "../lens/tokens.ts";
import { getActName } from "../models/act-name.ts";
import { checkWhole } from "../options/checks.ts";
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { Measured } from "./measured.ts";
import { effectsOf, type NeuronEffects } from "./neuron-tokens/effects.ts";
import { examplesOf, type NeuronContextRow, type NeuronExampleRow } from "./neuron-tokens/examples.ts";
import { type AnalysisOptions, type GivenOptions, layerOption, seedOption, settled } from "./options.ts";
import { PASSAGE, PASSAGE_NAME } from "./passage.ts";
import { tokenTexts } from "./prompt.ts";

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
export interface NeuronTokensMeasurement extends Measured<NeuronTokensRow>, NeuronEffects {
  /** What the text is called. */
  readonly text: string;
  readonly layer: number;
  readonly neuron: number;
  /** `L0N17` */
  readonly component: string;
  /** Every neuron in the layer. */
  readonly neurons: Measured<LargestActivationRow>;
  /** Where the neuron is most active, the strongest first; no two overlap. */
  readonly examples: Measured<NeuronExampleRow>;
  /** The examples, token by token. */
  readonly contexts: Measured<NeuronContextRow>;
}

/** The text is read in pieces of this many tokens, BOS included: enough context for each word, and fast. */
export const PIECE = 128;
const TOKENS_AT_A_TIME = 4096;
/** The most bytes of activations that are read at a time. */
const NUMBERS_AT_A_TIME = 16e6;

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
    for (const { input, skip, tokens } of batches(model, pieces)) {
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

  const { found, effects } = await effectsOf(model, layer, neuron, { seed, top, signal });
  const texts = tokenTexts(model, ids);
  const rows = activations.map((activation, pos): NeuronTokensRow => ({ pos, token: texts[pos], activation }));
  return Measured.of(rows, {
    ...found,
    ...{ text: text.name, layer, neuron, component: neuronName(layer, neuron) },
    neurons: new Measured(largestOfEach.map((largest, d_mlp) => ({ d_mlp, largest }))),
    ...examplesOf(model, ids, rows, top, around, (id) => effects[id]),
  });
}

/** The text's tokens in pieces that fit after a BOS. */
function piecesOf(model: HookedTransformer, text: string): readonly (readonly number[])[] {
  if (text.trim() === "") {
    throw new InputError("The text is empty: give at least a few sentences.", { asked: text });
  }
  const ids = Array.from(readTokens(text, model, { prependBos: false, truncate: false }).data);
  const size = Math.max(1, Math.min(PIECE, model.cfg.nCtx) - (bosOf(model) === undefined ? 0 : 1));
  return Array.from({ length: Math.ceil(ids.length / size) }, (_, i) => ids.slice(i * size, (i + 1) * size));
}

function bosOf(model: HookedTransformer): number | undefined {
  return model.cfg.defaultPrependBos ? model.text?.bosTokenId : undefined;
}

/** Runs pieces of equal length together, each after a BOS, whose own activations (`skip`) are left out. */
function* batches(model: HookedTransformer, pieces: readonly (readonly number[])[]) {
  const bos = bosOf(model);
  const skip = bos === undefined ? 0 : 1;
  const tokens = Math.min(TOKENS_AT_A_TIME, NUMBERS_AT_A_TIME / model.cfg.dMlp!);
  const most = Math.max(1, Math.floor(tokens / pieces[0].length));
  for (let start = 0; start < pieces.length; ) {
    const { length } = pieces[start];
    let end = start;
    while (end < pieces.length && end - start < most && pieces[end].length === length) end++;
    const rows = pieces.slice(start, end).map((piece) => (bos === undefined ? piece : [bos, ...piece]));
    yield { input: batchOf(rows, model), skip, tokens: rows.length * length };
    start = end;
  }
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
