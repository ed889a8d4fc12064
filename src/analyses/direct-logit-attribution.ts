/** "Which parts of the model write the answer?" */

import { mean, quantile } from "simple-statistics";
import { type Baseline, type Finding, finding } from "../finding/finding.ts";
import type { PictureSpec } from "../finding/picture.ts";
import type { Column, Scalar, PositionalTable as Table } from "../finding/table.ts";
import type { Tensor } from "../graph/tensor.ts";
import { ActivationCache } from "../lens/activation-cache.ts";
import { components } from "../lens/components.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import type { ModelGraph } from "../lens/model-graph.ts";
import { hasNeurons, lastStream } from "../lens/model-has.ts";
import type { ResidualStack } from "../lens/residual-stack.ts";
import { uncappedLogits } from "../lens/unembed.ts";
import { residualDirections } from "../lens/weight-views.ts";
import { compose } from "../models/compose.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { percent, quoted, signed } from "../tensor/words.ts";
import type { TokenIds } from "../text/index.ts";
import { analysis } from "./analysis.ts";
import { capCaveat } from "./caps.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled, topOption } from "./options.ts";
import { answerToken, modelFacts, type Prompt, readPrompt, tokenText } from "./prompt.ts";
import { Random } from "./statistics/random.ts";
import { largestIndices } from "./top-tokens.ts";

/** A component of the residual stream and what it adds, in logits. */
export interface Attribution {
  readonly label: string;
  readonly value: number;
}

/** One decomposition of the stream, and what it gives for random tokens in place of the answers. */
export interface AttributionGroup {
  readonly attributions: readonly Attribution[];
  /** The share of Σ |attribution| that belongs to its largest component, or to its largest `top` neurons together. */
  readonly share: number;
  /** The same share for each random token or pair. */
  readonly nullShares: readonly number[];
}

/** The result of `measureDirectLogitAttribution`. */
export interface DirectLogitAttributionMeasurement {
  readonly prompt: Prompt;
  readonly answer: number;
  readonly against: number | null;
  /** The model's logit of the answer at the last position, or its lead over the other answer's. */
  readonly logit: number;
  /** The part that belongs to no component: the bias of the unembedding and of the last norm. */
  readonly bias: number;
  /** `logit` minus the sum of embeddings, layers and biases: rounding error. */
  readonly error: number;
  /** Embeddings and layers; together with the bias they sum to the logit. */
  readonly layers: AttributionGroup;
  readonly heads: AttributionGroup;
  /** All neurons; absent in a model without MLPs. */
  readonly neurons: AttributionGroup | null;
}

/** The options of `directLogitAttribution`. */
export type DirectLogitAttributionOptions = GivenOptions<typeof OPTIONS, "prompt">;

/**
 * What each layer, head and neuron adds to a token's logit at the last position, or to its lead over another's:
 * `norm(component) · (W_U[:, answer] − W_U[:, against])` with the last norm's scale held fixed, in logits. One run gives
 * the same for random tokens in place of the answers, too.
 * @throws InputError for an answer that is not one token; ArgumentError for two equal answers or an option out of range.
 */
export async function measureDirectLogitAttribution(
  model: HookedTransformer,
  text: string | TokenIds,
  options: DirectLogitAttributionOptions = {},
): Promise<DirectLogitAttributionMeasurement> {
  const asked = settled("directLogitAttribution", model, options, OPTIONS, "prompt");
  const { top, samples, seed, signal } = asked;
  const prompt = readPrompt(model, text);
  const { answer, against } = await answersOf(model, prompt, asked);

  const graph = model.graph(prompt.input);
  const written = components(model).additions.flatMap(({ point, output }) => [
    point,
    ...(output ? [output.point] : []),
    ...(output?.norm ? [`${output.norm.where}.hook_scale`] : []),
  ]);
  const names = [...written, "ln_final.hook_scale"].filter((name) => graph.has(name));
  const cache = new ActivationCache(new Map(names.map((name) => [name, graph.at(name)])), model);
  const last = cache.at({ pos: prompt.ids.length - 1 });
  // Row 0 is the answer in question, the others are the null model: they take the place of a batch.
  const directions = directionsOf(model, answer, against, samples, new Random(seed));
  const norm = cache.normBefore({});
  const attributions = (stack: ResidualStack) => stack.normalized(norm).dot(directions);
  const layers = last.decomposeResid();
  const heads = last.stackHeadResults();
  const neurons = hasNeurons(model) ? last.stackNeuronResults() : undefined;
  const [logits, ...found] = await model.compute(
    [
      uncapped(model, graph, cache).at({ batch: 0, pos: prompt.ids.length - 1 }),
      ...[layers, heads, neurons].filter((s) => s !== undefined).map(attributions),
    ],
    { signal },
  );
  const group = (stack: ResidualStack, values: Tensor, count: number): AttributionGroup => {
    const rows = values.shape[1];
    const column = (row: number) => stack.labels.map((_, i) => values.data[i * rows + row] as number);
    const own = column(0);
    return {
      attributions: stack.labels.map((label, i) => ({ label, value: own[i] })),
      share: largestShare(own, count),
      nullShares: Array.from({ length: samples }, (_, i) => largestShare(column(i + 1), count)),
    };
  };
  const lead = (numbers: ArrayLike<number>) => numbers[answer] - (against === null ? 0 : numbers[against]);
  const logit = lead(logits.data);
  const bias = lead(model.b_U.data) + normBias(model, answer) - (against === null ? 0 : normBias(model, against));
  const byLayer = group(layers, found[0], 1);
  return {
    prompt,
    answer,
    against,
    logit,
    bias,
    error: logit - bias - byLayer.attributions.reduce((sum, { value }) => sum + value, 0),
    layers: byLayer,
    heads: group(heads, found[1], 1),
    neurons: neurons ? group(neurons, found[2], top) : null,
  };
}

/** The model's logits before any cap, [batch pos d_vocab]. */
function uncapped(model: HookedTransformer, graph: ModelGraph, cache: ActivationCache): Tensor {
  if (compose(model.cfg).logitsCap === null) return graph.output;
  const stream = graph.at(lastStream(model));
  return uncappedLogits(model, cache.normBefore({ recomputeLn: true })?.apply(stream, cache) ?? stream);
}

/** The tokens in question. */
async function answersOf(
  model: HookedTransformer,
  prompt: Prompt,
  { answer, against, single, signal }: DirectLogitAttributionOptions,
): Promise<{ readonly answer: number; readonly against: number | null }> {
  const answerId = answer === undefined ? undefined : answerToken(model, answer);
  if (single && against !== undefined) {
    throw new ArgumentError(
      "The option single subtracts nothing, but against is a token to subtract: give only one of them.",
      { asked: against },
    );
  }
  const none = single ? null : undefined;
  const other = against === undefined ? none : answerToken(model, against);
  if (answerId !== undefined && other !== undefined) return different(model, answerId, other);
  const { data } = await model.forward(prompt.input, { logitsPos: -1, signal });
  const best = largestIndices(data, 3);
  const first = answerId ?? best.find((id) => id !== other)!;
  return different(model, first, other === undefined ? best.find((id) => id !== first)! : other);
}

function different(model: HookedTransformer, answer: number, against: number | null) {
  if (answer !== against) return { answer, against };
  throw new ArgumentError(
    `Both answers are the token ${quoted(tokenText(model, answer))}, so their logits are equal: give two different ones.`,
    { asked: answer },
  );
}

/** Directions [batch d_model] from the last norm to the logits: the answer's, then the random ones. */
function directionsOf(
  model: HookedTransformer,
  answer: number,
  against: number | null,
  samples: number,
  random: Random,
): Tensor {
  const vocabulary = model.cfg.dVocabOut;
  const pairs = Array.from({ length: samples }, () => random.sample(vocabulary, 2));
  const of = (ids: readonly number[]) => residualDirections(model, ids).rename(["batch", "d_model"]);
  const right = of([answer, ...pairs.map((pair) => pair[0])]);
  return against === null ? right : right.sub(of([against, ...pairs.map((pair) => pair[1])]));
}

/** What the last norm's bias adds to a token's logit; 0 where it is folded into the unembedding. */
function normBias(model: HookedTransformer, token: number): number {
  const bias = model.weights.find("ln_final.b")?.data;
  if (!bias) return 0;
  const { data, shape } = model.W_U;
  return Array.from(bias).reduce((sum, b, i) => sum + b * data[i * shape[1] + token], 0);
}

function largestShare(values: readonly number[], count: number): number {
  const sizes = values.map(Math.abs);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total === 0) return 0;
  return largestIndices(sizes, count).reduce((sum, i) => sum + sizes[i], 0) / total;
}

const QUESTION = "Which parts of the model write the answer?";
const SUM = "the model's logit";
const LAYERS = "random tokens: largest layer";
const HEADS = "random tokens: largest head";
const NEURONS = "random tokens: largest neurons";

/**
 * Direct logit attribution at a prompt's last position: what each layer, head and neuron adds to the logit of a token, or
 * to its lead over another, with random tokens in their place as a null model. @see measureDirectLogitAttribution
 */
export async function directLogitAttribution(
  model: HookedTransformer,
  text: string | TokenIds = DEFAULT_PROMPT,
  options: DirectLogitAttributionOptions = {},
): Promise<Finding> {
  const measured = await measureDirectLogitAttribution(model, text, options);
  const { prompt, answer, against, logit, error, layers, heads, neurons } = measured;
  const { top = 10, samples = 100, seed = 0 } = options;
  const name = (id: number) => quoted(tokenText(model, id));
  const asked = against === null ? `the logit of ${name(answer)}` : `the lead of ${name(answer)} over ${name(against)}`;
  const strongest = (group: AttributionGroup) =>
    group.attributions.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value))[0];
  const layer = strongest(layers);
  const head = strongest(heads);
  const drawn = against === null ? "tokens" : "pairs of tokens";
  return finding({
    analysis: "direct-logit-attribution",
    question: QUESTION,
    summary: [
      {
        text: `Of ${asked}, ${logit.toFixed(3)} logits, ${layer.label} contributes most: ${signed(layer.value)}, ${percent(layers.share)} of everything that embeddings and layers add or subtract.`,
        figure: { value: 100 * layers.share, unit: "%", comparedWith: [LAYERS] },
      },
      {
        text: `Of the heads, ${head.label} contributes most: ${signed(head.value)} logits, ${percent(heads.share)} of what all heads add or subtract.`,
        figure: { value: 100 * heads.share, unit: "%", comparedWith: [HEADS] },
      },
      ...(neurons
        ? [
            {
              text: `Of the ${neurons.attributions.length} neurons, ${strongest(neurons).label} contributes most: ${signed(strongest(neurons).value)} logits; the ${Math.min(top, neurons.attributions.length)} largest together have ${percent(neurons.share)} of what all neurons add or subtract.`,
              figure: { value: 100 * neurons.share, unit: "%", comparedWith: [NEURONS] as [string] },
            },
          ]
        : []),
      {
        text: `Embeddings, layers and the unembedding's bias sum to ${(logit - error).toFixed(4)} logits, the model's own logit to within ${Math.abs(error).toExponential(0)}.`,
        figure: { value: logit - error, unit: "logits", comparedWith: [SUM] },
      },
    ],
    method: {
      text:
        "The last residual stream is the sum of what embeddings, attention layers and MLPs wrote; an attention layer's part is the sum of its heads and b_O, an MLP's the sum of its neurons and b_out. With the final norm's scale held fixed, the logit of a token is linear in the stream, so each component x has its own term: norm(x) · W_U[:, token], in logits" +
        (against === null
          ? "."
          : ", and the difference of two tokens' logits likewise with the difference of their columns.") +
        "\n\nThe share of the largest is max |a| / Σ |a| over the components of its kind. The null model asks the same about random " +
        `${drawn} in place of the answers, at the same position of the same prompt: what is large for every direction says nothing about the answer.`,
      references: [
        {
          title: "A Mathematical Framework for Transformer Circuits",
          url: "https://transformer-circuits.pub/2021/framework/index.html",
          paper: "Elhage et al., 2021",
        },
        {
          title: "Interpretability in the Wild: a Circuit for Indirect Object Identification in GPT-2 small",
          url: "https://arxiv.org/abs/2211.00593",
          paper: "Wang et al., 2022",
        },
      ],
    },
    model: modelFacts(model),
    settings: {
      prompt: prompt.tokens.join(""),
      answer: tokenText(model, answer),
      against: against === null ? null : tokenText(model, against),
      samples,
      seed,
    },
    pictures: pictures(model, measured, top),
    tables: tables(measured, top),
    baselines: [
      {
        name: SUM,
        kind: "control",
        text: `The model's own value of ${asked}.`,
        value: logit,
        unit: "logits",
      },
      nullModel(LAYERS, "the largest of embeddings and layers", layers, drawn, seed),
      nullModel(HEADS, "the largest head", heads, drawn, seed),
      ...(neurons ? [nullModel(NEURONS, `the ${top} largest neurons`, neurons, drawn, seed)] : []),
    ],
    caveats: [
      ...capCaveat(model),
      "Only direct paths to the logits are counted. A component's number does not include what it does through later layers; ablate or patch it to see that.",
      "The final norm's scale is held at its value in this run: without a component it would be different.",
      ...(against === null
        ? [
            "Where the unembedding is centred, a token's logit is measured from the mean over the vocabulary; only differences between tokens change probabilities.",
          ]
        : []),
      `This is one prompt and one position: nothing here says that the parts work the same way elsewhere.`,
      ...model.notes,
    ],
  });
}

function nullModel(name: string, what: string, group: AttributionGroup, drawn: string, seed: number): Baseline {
  const { nullShares, share } = group;
  const beyond = nullShares.filter((s) => s >= share).length;
  return {
    name,
    kind: "null model",
    text: `The share of ${what} for random ${drawn}: the mean and the 95 % interval. p is how often it is at least as large as here.`,
    value: 100 * mean([...nullShares]),
    unit: "%",
    interval: [100 * quantile([...nullShares], 0.025), 100 * quantile([...nullShares], 0.975)],
    level: 0.95,
    p: (1 + beyond) / (1 + nullShares.length),
    samples: nullShares.length,
    seed,
  };
}

function tables({ layers, heads, neurons, bias }: DirectLogitAttributionMeasurement, top: number): readonly Table[] {
  const columns = (what: string): readonly Column[] => [
    { name: "component", title: what, description: "Its name." },
    { name: "attribution", title: "adds", unit: "logits", format: { digits: 4 }, description: "Its direct effect." },
    {
      name: "share",
      title: "share",
      format: "percent",
      description: "Its share of the sum of all absolute effects of its kind.",
    },
  ];
  const rows = ({ attributions }: AttributionGroup): (readonly Scalar[])[] => {
    const total = attributions.reduce((sum, { value }) => sum + Math.abs(value), 0);
    return attributions.map(({ label, value }) => [label, value, total > 0 ? Math.abs(value) / total : null]);
  };
  const sorted = (group: AttributionGroup) =>
    rows(group).sort((a, b) => Math.abs(b[1] as number) - Math.abs(a[1] as number));
  return [
    {
      name: "layers",
      title: "Embeddings and layers, in order, and the bias: they sum to the logit",
      comparedWith: [LAYERS],
      columns: columns("component"),
      rows: [...rows(layers), ["bias of the unembedding", bias, null]],
    },
    { name: "heads", title: "Heads", comparedWith: [HEADS], columns: columns("head"), rows: sorted(heads) },
    ...(neurons
      ? [
          {
            name: "neurons",
            title: `The ${Math.min(top, neurons.attributions.length)} neurons that add or subtract most`,
            comparedWith: [NEURONS],
            columns: columns("neuron"),
            rows: sorted(neurons).slice(0, top),
          },
        ]
      : []),
  ];
}

function pictures(
  { cfg }: HookedTransformer,
  { layers, heads, neurons, bias }: DirectLogitAttributionMeasurement,
  top: number,
): readonly PictureSpec[] {
  let sum = bias;
  const sums = [bias, ...layers.attributions.map(({ value }) => (sum += value))];
  const labels = ["bias", ...layers.attributions.map(({ label }) => label)];
  const ranked = neurons?.attributions.toSorted((a, b) => b.value - a.value) ?? [];
  const named = ({ label, value }: Attribution) => ({ token: label, value });
  return [
    {
      kind: "line",
      name: "sum",
      title: "How the logit builds up",
      caption: `The { signal } sum after ${labels.join(", ")}.`,
      x: { label: "components summed" },
      y: { label: "sum", unit: "logits" },
      series: [{ name: "sum", y: sums, titles: labels.map((label, i) => `after ${label}: ${sums[i].toFixed(3)}`) }],
      references: [{ kind: "y", at: 0, label: "nothing" }],
    },
    {
      kind: "imshow",
      name: "heads",
      title: "What each head adds",
      values: Array.from({ length: cfg.nLayers }, (_, l) =>
        heads.attributions.slice(l * cfg.nHeads, (l + 1) * cfg.nHeads).map(({ value }) => value),
      ),
      x: { label: "head" },
      y: { label: "layer" },
      color: { label: "attribution", unit: "logits" },
    },
    ...(neurons
      ? [
          {
            kind: "topk" as const,
            name: "neurons",
            title: "The neurons that add or subtract most",
            of: "neuron",
            color: { label: "attribution", unit: "logits" },
            columns: [
              {
                name: "",
                top: ranked.slice(0, top).map(named),
                bottom: ranked.slice(Math.max(top, ranked.length - top)).map(named),
              },
            ],
          },
          {
            kind: "hist" as const,
            name: "all-neurons",
            title: "All neurons' attributions",
            caption: "Most neurons have almost no direct effect.",
            series: [{ name: "neurons", values: ranked.map(({ value }) => value) }],
            x: { label: "attribution", unit: "logits" },
            of: "neurons",
          },
        ]
      : []),
  ];
}

const DEFAULT_PROMPT = "Elizabeth said that she had not seen Jane, and she asked whether";

const OPTIONS = {
  prompt: { type: "prompt", description: "the text whose next token is in question", default: DEFAULT_PROMPT },
  answer: {
    type: "answer",
    placeholder: "token",
    description: "the token in question",
    defaultText: "the most probable",
  },
  against: {
    type: "answer",
    placeholder: "token",
    description: "the token whose logit is subtracted",
    defaultText: "the second most probable",
  },
  single: { type: "flag", description: "subtract no other token's logit" },
  top: topOption("neurons"),
  samples: {
    type: "integer",
    placeholder: "N",
    description: "how many random tokens for the null model",
    default: 100,
    least: 2,
  },
  seed: seedOption("the random tokens"),
} as const satisfies AnalysisOptions;

/** `directLogitAttribution` for the index. */
export const directLogitAttributionAnalysis = analysis({
  name: "direct-logit-attribution",
  question: QUESTION,
  description:
    "What each layer, head and neuron contributes directly to the logit of a token at the last position, or to its lead over another token. " +
    "The sum is checked against the model's own logit; random tokens in place of the answers are the null model.",
  example: '--prompt "He shook his" --answer head --against hand --out attribution.html',
  options: OPTIONS,
  run: (model, { prompt, ...options }, { signal }) => directLogitAttribution(model, prompt, { ...options, signal }),
});
