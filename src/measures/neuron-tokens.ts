/** The tokens that a neuron writes, and where in a text it is most active. */

import { Tensor } from "../graph/tensor.ts";
import { components, neuronName } from "../lens/components.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { hasMlps, needNeurons, needReadStream } from "../lens/model-has.ts";
import { unscaled } from "../lens/output-norm.ts";
import { batchOf, readTokens } from "../lens/tokens.ts";
import { getActName } from "../models/act-name.ts";
import { checkWhole } from "../options/checks.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, layerOption, seedOption, settled } from "./options.ts";
import { PASSAGE, PASSAGE_NAME } from "./passage.ts";
import { tokenText, tokenTextAt, tokenTexts } from "./prompt.ts";
import { Random } from "./statistics/random.ts";

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

/** A place in the text where a neuron fires. */
export interface NeuronExample {
  readonly activation: number;
  /** The position among the text's tokens. */
  readonly at: number;
  readonly token: string;
  readonly next: string | null;
  readonly nextId: number | null;
  /** The tokens around it with the neuron's activations; `marked` is its index among them. */
  readonly tokens: readonly string[];
  readonly activations: readonly number[];
  readonly marked: number;
  /** The text up to it, at most six tokens before. */
  readonly leading: string;
}

/** A token of the text and the neuron's activation at it. */
export interface NeuronTokensRow {
  /** The position among the text's tokens. */
  readonly pos: number;
  readonly token: string;
  readonly activation: number;
}

/** A token of the vocabulary, and what one unit of the neuron's activation adds to its logit. */
export interface NeuronEffectRow {
  readonly id: number;
  readonly token: string;
  readonly effect: number;
}

/** The result of `measureNeuronTokens`: a row for each token of the text. */
export interface NeuronTokensMeasurement extends Measured<NeuronTokensRow> {
  /** A row for each token of the vocabulary. */
  readonly vocabulary: Measured<NeuronEffectRow>;
  /** What the text is called. */
  readonly text: string;
  readonly layer: number;
  readonly neuron: number;
  readonly name: string;
  /** `W_out[neuron] · W_U`: what one unit of activation adds to each token's logit, [d_vocab], before the last norm's scale. */
  readonly effects: Float32Array;
  /** The largest |effect| of random other neurons in the layer. */
  readonly otherEffects: readonly number[];
  /** The activation at each token of the text. */
  readonly activations: readonly number[];
  /** The largest activation of each neuron in the layer on the text, [d_mlp]. */
  readonly largestOfEach: readonly number[];
  /** The strongest first; no two overlap. */
  readonly examples: readonly NeuronExample[];
}

/** The text is read in pieces of this many tokens, BOS included: enough context for each word, and fast. */
export const PIECE = 128;
const TOKENS_AT_A_TIME = 4096;
/** The most bytes of activations that are read at a time. */
const NUMBERS_AT_A_TIME = 16e6;
const OTHER_NEURONS = 100;

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

  const { effects, otherEffects } = await effectsOf(model, layer, neuron, seed, signal);
  const tokenRow = (pos: number): NeuronTokensRow => {
    return { pos, token: tokenTextAt(model, ids, pos), activation: activations[pos] };
  };
  const effectRow = (id: number): NeuronEffectRow => ({ id, token: tokenText(model, id), effect: effects[id] });
  const rows = { length: ids.length, columns: ["pos", "token", "activation"], row: tokenRow };
  return Measured.of(rows, {
    vocabulary: new Measured({ length: effects.length, columns: ["id", "token", "effect"], row: effectRow }),
    text: text.name,
    layer,
    neuron,
    name: neuronName(layer, neuron),
    effects,
    otherEffects,
    activations,
    largestOfEach,
    examples: examplesOf(model, ids, activations, top, around),
  });
}

/** What one unit of a neuron's activation adds to each token's logit, and the largest that random others add to any. */
async function effectsOf(
  model: HookedTransformer,
  layer: number,
  neuron: number,
  seed: number,
  signal: AbortSignal | undefined,
): Promise<Pick<NeuronTokensMeasurement, "effects" | "otherEffects">> {
  const W_out = model.weights.get(`blocks.${layer}.mlp.W_out`);
  const [width] = W_out.shape;
  const others = [...new Random(seed).sample(width, Math.min(OTHER_NEURONS + 1, width))]
    .filter((n) => n !== neuron)
    .slice(0, OTHER_NEURONS);
  const rows = Tensor.leaf(ndarray("int32", [1 + others.length], Int32Array.from([neuron, ...others])), ["neuron"]);
  const norm = model.weights.find("ln_final.w");
  const mlp = components(model).additions.find((one) => one.kind === "mlp" && one.layer === layer);
  const written = unscaled(W_out.gather(0, rows), mlp?.output?.norm, model.weights);
  const effects = (norm ? written.mul(norm) : written).matmul(model.W_U);
  const [own, ends] = await model.compute([effects.slice(0, 0, 1), effects.abs().max(-1)], { signal });
  return { effects: own.data as Float32Array, otherEffects: Array.from(ends.data).slice(1) };
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

function examplesOf(
  model: HookedTransformer,
  ids: readonly number[],
  activations: readonly number[],
  count: number,
  around: number,
): readonly NeuronExample[] {
  const order = activations.map((_, i) => i).sort((a, b) => activations[b] - activations[a]);
  const chosen: number[] = [];
  for (const at of order) {
    if (chosen.length === count) break;
    if (chosen.every((other) => Math.abs(other - at) > around)) chosen.push(at);
  }
  return chosen.map((at) => {
    const from = Math.max(0, at - around);
    const to = Math.min(ids.length, at + around + 1);
    // With a few more on both sides, which may be parts of the same characters.
    const before = Math.max(0, from - 4);
    const tokens = tokenTexts(model, ids.slice(before, Math.max(to, at + 2) + 4));
    return {
      activation: activations[at],
      at,
      token: tokens[at - before],
      next: tokens[at - before + 1] ?? null,
      nextId: ids[at + 1] ?? null,
      tokens: tokens.slice(from - before, to - before),
      leading: leadingText(model, ids.slice(Math.max(from, at - 6), at + 1)),
      activations: activations.slice(from, to),
      marked: at - from,
    };
  });
}

/** The text of tokens, without a part of a character at an end. */
function leadingText(model: HookedTransformer, ids: readonly number[]): string {
  return model.text?.decode(ids).replace(/^\ufffd+|\ufffd+$/g, "") ?? tokenTexts(model, ids).join("");
}
