/** "What makes a neuron fire, and which tokens does it then promote?" */

import { mean, median, quantile } from "simple-statistics";
import { type Finding, finding } from "../finding/finding.ts";
import type { PictureSpec, RankedToken } from "../finding/picture.ts";
import type { Column, Scalar, PositionalTable as Table } from "../finding/table.ts";
import { Tensor } from "../graph/tensor.ts";
import { components, neuronName } from "../lens/components.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { hasMlps, needNeurons, needReadStream } from "../lens/model-has.ts";
import { unscaled } from "../lens/output-norm.ts";
import { batchOf, readTokens } from "../lens/tokens.ts";
import { getActName } from "../models/act-name.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { TEXT } from "../tensor/kinds.ts";
import { checkArgument } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { quoted } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { capCaveat } from "./caps.ts";
import { type AnalysisOptions, type FileText, type GivenOptions, layerOption, seedOption, settled } from "./options.ts";
import { PASSAGE, PASSAGE_NAME } from "./passage.ts";
import { checkWhole, modelFacts, tokenText } from "./prompt.ts";
import { Random } from "./statistics/random.ts";
import { largestIndices } from "./top-tokens.ts";

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
}

/** The result of `measureNeuron`. */
export interface NeuronMeasurement {
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

/** The options of `neuronTokens`. */
export type NeuronTokensOptions = GivenOptions<typeof OPTIONS, "text">;

/** The text is read in pieces of this many tokens, BOS included: enough context for each word, and fast. */
const PIECE = 128;
const TOKENS_AT_A_TIME = 4096;
/** The most bytes of activations that are read at a time. */
const NUMBERS_AT_A_TIME = 16e6;
const OTHER_NEURONS = 100;

/**
 * The tokens that a neuron promotes and suppresses, and where in a text it is most active (`hook_post`).
 * @throws ArgumentError for a layer or neuron that does not exist, or a model without MLPs; InputError for a text without
 * tokens or a model without a tokenizer.
 */
export async function measureNeuron(
  model: HookedTransformer,
  text: string,
  options: NeuronTokensOptions = {},
): Promise<NeuronMeasurement> {
  const asked = settled("neuronTokens", model, options, OPTIONS, "text");
  checkArgument("The text of neuronTokens", text, TEXT);
  needReadStream("neuronTokens", model);
  const { top, around, seed, layer, signal, onProgress } = asked;
  const { cfg } = model;
  if (!hasMlps(model))
    throw new ArgumentError("This model is attention-only and has no neurons.", { found: cfg.modelName });
  const width = cfg.dMlp!;
  needNeurons(model, layer);
  if (options.neuron !== undefined) checkWhole("neuron", options.neuron, 0, width - 1);
  const pieces = piecesOf(model, text);
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
      onProgress?.({ done, total });
    }
    return activations;
  };
  if (options.neuron === undefined) await read(undefined);
  const neuron = options.neuron ?? loudest(W_out, largestOfEach);
  const activations = await read(neuron);

  const others = [...new Random(seed).sample(width, Math.min(OTHER_NEURONS + 1, width))]
    .filter((n) => n !== neuron)
    .slice(0, OTHER_NEURONS);
  const rows = Tensor.leaf(ndarray("int32", [1 + others.length], Int32Array.from([neuron, ...others])), ["neuron"]);
  const norm = model.weights.find("ln_final.w");
  const mlp = components(model).additions.find((one) => one.kind === "mlp" && one.layer === layer);
  const written = unscaled(W_out.gather(0, rows), mlp?.output?.norm, model.weights);
  const effects = (norm ? written.mul(norm) : written).matmul(model.W_U);
  const [own, ends] = await model.compute([effects.slice(0, 0, 1), effects.abs().max(-1)], { signal });
  return {
    layer,
    neuron,
    name: neuronName(layer, neuron),
    effects: own.data as Float32Array,
    otherEffects: Array.from(ends.data).slice(1),
    activations,
    largestOfEach,
    examples: examplesOf(model, ids, activations, top, around),
  };
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
    return {
      activation: activations[at],
      at,
      token: tokenText(model, ids[at]),
      next: at + 1 < ids.length ? tokenText(model, ids[at + 1]) : null,
      nextId: ids[at + 1] ?? null,
      tokens: ids.slice(from, to).map((id) => tokenText(model, id)),
      activations: activations.slice(from, to),
      marked: at - from,
    };
  });
}

const QUESTION = "What makes a neuron fire, and which tokens does it then promote?";
const NEURONS = "all neurons in the layer";
const RANDOM = "random neurons";
const CHANCE = "next token by chance";

/**
 * A neuron from both ends: the tokens it promotes and suppresses, and the places in a text where it is most active, compared with
 * all other neurons in its layer. @see measureNeuron
 * @param text a text, or that of a file (default: a short passage)
 */
export async function neuronTokens(
  model: HookedTransformer,
  text: string | FileText = { name: PASSAGE_NAME, text: PASSAGE },
  options: NeuronTokensOptions = {},
): Promise<Finding> {
  const file = typeof text === "string" ? { name: "a text", text } : text;
  if (typeof file?.text !== "string" || typeof file.name !== "string") {
    throw new InputError(`neuronTokens takes a text, or { name, text }, not ${shown(text)}.`, { asked: text });
  }
  const measured = await measureNeuron(model, file.text, options);
  const { name, effects, otherEffects, activations, largestOfEach, examples } = measured;
  const { top = 10, seed = 0 } = options;
  const ranked = (sign: 1 | -1): RankedToken[] =>
    largestIndices(sign === 1 ? effects : effects.map((x) => -x), top).map((id) => ({
      token: tokenText(model, id),
      value: effects[id],
    }));
  const [up, down] = [ranked(1), ranked(-1)];
  const largest = Math.max(up[0].value, -down[0].value);
  const best = examples[0];
  const above = largestOfEach.filter((x) => x > best.activation).length;
  const promoted = examples.flatMap(({ nextId }) => (nextId === null ? [] : [effects[nextId]]));
  const helped = promoted.filter((e) => e > 0).length;
  const positive = effects.reduce((n, e) => n + (e > 0 ? 1 : 0), 0) / effects.length;
  return finding({
    analysis: "neuron-tokens",
    question: QUESTION,
    summary: [
      {
        text: `${name} is most active at ${quoted(best.token)}, in “${context(best)}”, with ${best.activation.toFixed(3)}; ${above} of the ${largestOfEach.length} neurons in the layer reach a higher activation on this text.`,
        figure: { value: best.activation, unit: "", comparedWith: [NEURONS] },
      },
      {
        text: `It promotes ${listed(up)} and suppresses ${listed(down)}: one unit of activation changes a token's logit by at most ${largest.toFixed(3)}.`,
        figure: { value: largest, unit: "logits", comparedWith: [RANDOM] },
      },
      ...(promoted.length > 0
        ? [
            {
              text: `In ${helped} of its ${promoted.length} strongest places it promotes the token that actually comes next.`,
              figure: { value: (100 * helped) / promoted.length, unit: "%", comparedWith: [CHANCE] as [string] },
            },
          ]
        : []),
    ],
    method: {
      text:
        `The text is cut into pieces of at most ${PIECE - 1} tokens, each read after a BOS. The neuron's activation is hook_post at each token; BOS itself is left out, and so are places that overlap with a stronger one.\n\n` +
        "What it writes is read by the unembedding: W_out[neuron] · W_U is what one unit of its activation adds to each token's logit on the direct path, before the final norm (and any norm behind the MLP) divides by its scale.",
      references: [
        {
          title: "Softmax Linear Units",
          url: "https://transformer-circuits.pub/2022/solu/index.html",
          paper: "Elhage et al., 2022",
        },
        {
          title: "Transformer Feed-Forward Layers Are Key-Value Memories",
          url: "https://arxiv.org/abs/2012.14913",
          paper: "Geva et al., 2021",
        },
      ],
    },
    model: modelFacts(model),
    settings: { neuron: name, text: file.name, tokens: activations.length, examples: examples.length, seed },
    pictures: pictures(measured, up, down),
    tables: tables(measured, up, down),
    baselines: [
      {
        name: NEURONS,
        kind: "control",
        text: "The largest activation on the same text of each neuron in the layer: the median, and what 95 % of them reach.",
        value: median([...largestOfEach]),
        interval: [quantile([...largestOfEach], 0.025), quantile([...largestOfEach], 0.975)],
        level: 0.95,
        samples: largestOfEach.length,
      },
      ...(otherEffects.length > 0
        ? [
            {
              name: RANDOM,
              kind: "control" as const,
              text: "The largest effect on any token of one unit of activation, for random other neurons in the layer: the mean, and the range of 95 % of them.",
              value: mean([...otherEffects]),
              interval: [quantile([...otherEffects], 0.025), quantile([...otherEffects], 0.975)] as const,
              level: 0.95,
              samples: otherEffects.length,
              seed,
              unit: "logits",
            },
          ]
        : []),
      {
        name: CHANCE,
        kind: "reference value",
        text: "The share of the vocabulary that the neuron promotes: how often it would promote the next token if that were drawn at random.",
        value: 100 * positive,
        unit: "%",
      },
    ],
    caveats: [
      "The strongest examples show a neuron at its extreme. What it does most of the time, at lower activations, can be different; look at the histogram too.",
      `Examples come from ${activations.length} tokens of ${file.name}: another text has other examples, and a short one may contain nothing that the neuron responds to.`,
      "Only the direct path to the logits is read; in all but the last layer, later layers also use what a neuron writes.",
      "A negative activation writes the opposite of what is listed.",
      ...capCaveat(model),
      ...model.notes,
    ],
  });
}

const listed = (tokens: readonly RankedToken[]) =>
  tokens
    .slice(0, 3)
    .map(({ token }) => quoted(token))
    .join(", ");

/** The words up to a place. */
function context({ tokens, marked }: NeuronExample): string {
  return tokens
    .slice(Math.max(0, marked - 6), marked + 1)
    .join("")
    .replace(/\s+/g, " ")
    .trim();
}

function pictures(
  { name, examples, activations, largestOfEach }: NeuronMeasurement,
  up: readonly RankedToken[],
  down: readonly RankedToken[],
): readonly PictureSpec[] {
  return [
    {
      kind: "tokens",
      name: "examples",
      title: `Where ${name} is most active`,
      caption: "The strongest place of each example is framed.",
      rows: [{ title: "activation" }],
      texts: examples.map(({ tokens, activations: values, marked }, i) => ({
        label: String(i),
        tokens,
        values: [values],
        marked: [marked],
      })),
      marks: "most active",
    },
    {
      kind: "topk",
      name: "tokens",
      title: `What ${name} writes`,
      caption: "What one unit of its activation adds to a token's logit.",
      of: "neuron",
      columns: [{ name, top: up, bottom: down.toReversed() }],
      color: { label: "effect", unit: "logits" },
    },
    {
      kind: "hist",
      name: "activations",
      title: `${name}'s activation at all tokens`,
      series: [{ name, values: activations }],
      x: { label: "activation" },
      of: "tokens",
    },
    {
      kind: "hist",
      name: "neurons",
      title: "The largest activation of each neuron in the layer",
      series: [{ name: "neurons", values: largestOfEach }],
      x: { label: "largest activation" },
      of: "neurons",
      references: [{ kind: "x", at: examples[0].activation, label: name }],
    },
  ];
}

function tables(
  { examples }: NeuronMeasurement,
  up: readonly RankedToken[],
  down: readonly RankedToken[],
): readonly Table[] {
  const exampleColumns: readonly Column[] = [
    { name: "activation", title: "activation", format: { digits: 3 }, description: "The neuron's activation there." },
    { name: "at", title: "at", axis: "pos", format: "integer", description: "The position among the text's tokens." },
    { name: "before", title: "before", description: "The words before it." },
    { name: "token", title: "token", format: "token", description: "The token there." },
    { name: "next", title: "next", format: "token", description: "The token that comes next." },
  ];
  const tokenColumns: readonly Column[] = [
    { name: "token_up", title: "promotes", format: "token", description: "A token that it promotes." },
    {
      name: "effect_up",
      title: "adds",
      unit: "logits",
      format: { digits: 3 },
      description: "For one unit of activation.",
    },
    { name: "token_down", title: "suppresses", format: "token", description: "A token that it suppresses." },
    {
      name: "effect_down",
      title: "adds",
      unit: "logits",
      format: { digits: 3 },
      description: "For one unit of activation.",
    },
  ];
  return [
    {
      name: "examples",
      title: "Where it is most active",
      comparedWith: [NEURONS],
      columns: exampleColumns,
      rows: examples.map((example): readonly Scalar[] => [
        example.activation,
        example.at,
        context({ ...example, tokens: example.tokens.slice(0, example.marked), marked: example.marked - 1 }),
        example.token,
        example.next,
      ]),
    },
    {
      name: "tokens",
      title: "What it writes",
      columns: tokenColumns,
      rows: up.map((token, i): readonly Scalar[] => [token.token, token.value, down[i].token, down[i].value]),
    },
  ];
}

const OPTIONS = {
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

/** `neuronTokens` for the index. */
export const neuronTokensAnalysis = analysis({
  name: "neuron-tokens",
  question: QUESTION,
  description:
    "A neuron's top and bottom tokens by W_out · W_U, and the places in a text where it is most active, compared with all neurons in its layer.",
  example: "--layer 0 --neuron 830 --out neuron.html",
  counts: "tokens",
  options: OPTIONS,
  run: (model, { text, ...options }, context) => neuronTokens(model, text, { ...options, ...context }),
});
