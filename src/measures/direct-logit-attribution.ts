/** What each layer, head and neuron adds to a token's logit, and to those of random tokens. */

import type { Tensor } from "../graph/tensor.ts";
import { ActivationCache } from "../lens/activation-cache.ts";
import { components } from "../lens/components.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import type { ModelGraph } from "../lens/model-graph.ts";
import { hasNeurons, lastStream } from "../lens/model-has.ts";
import type { ResidualStack } from "../lens/residual-stack.ts";
import { residualDirections } from "../lens/weight-views.ts";
import { compose } from "../models/compose.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { quoted } from "../tensor/words.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled, topOf } from "./options.ts";
import { answerToken, type Prompt, readPrompt, tokenText } from "./prompt.ts";
import { Random } from "./statistics/random.ts";
import { largestIndices } from "./top-tokens.ts";
import { uncappedLogits } from "./unembed.ts";

/** The options of `measureDirectLogitAttribution` and `directLogitAttribution`. */
export type DirectLogitAttributionOptions = GivenOptions<typeof ATTRIBUTION_OPTIONS>;

const DEFAULT_PROMPT = "Elizabeth said that she had not seen Jane, and she asked whether";

export const ATTRIBUTION_OPTIONS = {
  prompt: { type: "prompt", description: "the text whose next token is in question", default: DEFAULT_PROMPT },
  answer: {
    type: "answer",
    placeholder: "token",
    description: "the token in question",
    defaultText: "the most probable",
  },
  wrong: {
    type: "answer",
    placeholder: "token",
    description: "the token whose logit is subtracted",
    defaultText: "the second most probable",
  },
  single: { type: "flag", description: "subtract no other token's logit" },
  top: topOf("neurons"),
  samples: {
    type: "integer",
    placeholder: "N",
    description: "how many random tokens for the null model",
    default: 100,
    least: 2,
  },
  seed: seedOption("the random tokens"),
} as const satisfies AnalysisOptions;

/** A component and what it adds. The rows of each decomposition sum to the logit, together with the biases that it leaves out. */
export interface DirectLogitAttributionRow {
  readonly decomposition: "layers" | "heads" | "neurons";
  /** `embed`, `0_attn_out`; `L0H3`; `L0N17`. */
  readonly component: string;
  /** Of a head or a neuron: where it is. */
  readonly layer: number | null;
  readonly head: number | null;
  readonly d_mlp: number | null;
  /** In logits. */
  readonly attribution: number;
  /** Its share of Σ |attribution| of its decomposition; null if all are 0. */
  readonly share: number | null;
}

/** One decomposition of the stream, and what it gives for random tokens in place of the answers. */
export interface AttributionGroup extends Measured<DirectLogitAttributionRow> {
  /** How many are the largest: one, and of neurons `top`. */
  readonly count: number;
  /** The share of Σ |attribution| that belongs to the largest together. */
  readonly largestShare: number;
  /** The same share for each random token or pair. */
  readonly nullShares: readonly number[];
}

/** The result of `measureDirectLogitAttribution`: a row for each component of each decomposition. */
export interface DirectLogitAttributionMeasurement extends Measured<DirectLogitAttributionRow> {
  readonly prompt: Prompt;
  readonly answer: number;
  readonly wrong: number | null;
  /** The model's logit of the answer at the last position, or its lead over the other answer's. */
  readonly logit: number;
  /** The part that belongs to no component: the bias of the unembedding and of the last norm. */
  readonly bias: number;
  /** `logit` minus the sum of embeddings, layers and biases: rounding error. */
  readonly error: number;
  /** Embeddings and layers; together with the bias they sum to the logit. */
  readonly layers: AttributionGroup;
  readonly heads: AttributionGroup;
  /** All neurons; null in a model without MLPs. */
  readonly neurons: AttributionGroup | null;
}

/**
 * What each layer, head and neuron adds to a token's logit at the last position, or to its lead over another's:
 * `norm(component) · (W_U[:, answer] − W_U[:, wrong])` with the last norm's scale held fixed, in logits. One run gives
 * the same for random tokens in place of the answers, too.
 * @throws InputError for an answer that is not one token; ArgumentError for two equal answers or an option out of range.
 */
export async function measureDirectLogitAttribution(
  model: HookedTransformer,
  options: DirectLogitAttributionOptions = {},
): Promise<DirectLogitAttributionMeasurement> {
  const asked = settled("measureDirectLogitAttribution", model, options, ATTRIBUTION_OPTIONS);
  const { top, samples, seed, signal } = asked;
  const prompt = readPrompt(model, asked.prompt);
  const { answer, wrong } = await answersOf(model, prompt, asked);

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
  const directions = directionsOf(model, answer, wrong, samples, new Random(seed));
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
  const lead = (numbers: ArrayLike<number>) => numbers[answer] - (wrong === null ? 0 : numbers[wrong]);
  const logit = lead(logits.data);
  const bias = lead(model.b_U.data) + normBias(model, answer) - (wrong === null ? 0 : normBias(model, wrong));
  const each = (count: number, axis: "head" | "d_mlp") => (i: number) => {
    return { layer: Math.floor(i / count), head: null, d_mlp: null, [axis]: i % count };
  };
  const byLayer = groupOf("layers", layers.labels, found[0], 1, () => ({ layer: null, head: null, d_mlp: null }));
  const byHead = groupOf("heads", heads.labels, found[1], 1, each(model.cfg.nHeads, "head"));
  const byNeuron = neurons && groupOf("neurons", neurons.labels, found[2], top, each(model.cfg.dMlp!, "d_mlp"));
  return Measured.of(
    [byLayer, byHead, ...(byNeuron ? [byNeuron] : [])].flatMap(({ rows }) => rows),
    {
      ...{ prompt, answer, wrong, logit, bias },
      error: logit - bias - byLayer.rows.reduce((sum, { attribution }) => sum + attribution, 0),
      ...{ layers: byLayer, heads: byHead, neurons: byNeuron ?? null },
    },
  );
}

/** @param values [component batch]: for the answer in question, then for the random ones @param count of the largest whose share is taken */
function groupOf(
  decomposition: DirectLogitAttributionRow["decomposition"],
  labels: readonly string[],
  { data, shape }: Tensor,
  count: number,
  place: (i: number) => Pick<DirectLogitAttributionRow, "layer" | "head" | "d_mlp">,
): AttributionGroup {
  const column = (batch: number) => labels.map((_, i) => data[i * shape[1] + batch] as number);
  const own = column(0);
  const total = own.reduce((sum, x) => sum + Math.abs(x), 0);
  const rows = labels.map((component, i): DirectLogitAttributionRow => {
    const share = total > 0 ? Math.abs(own[i]) / total : null;
    return { decomposition, component, ...place(i), attribution: own[i], share };
  });
  const nullShares = Array.from({ length: shape[1] - 1 }, (_, i) => largestShare(column(i + 1), count));
  return Measured.of(rows, { count: Math.min(count, rows.length), largestShare: largestShare(own, count), nullShares });
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
  { answer, wrong, single, signal }: DirectLogitAttributionOptions,
): Promise<{ readonly answer: number; readonly wrong: number | null }> {
  const answerId = answer === undefined ? undefined : answerToken(model, answer);
  if (single && wrong !== undefined) {
    throw new ArgumentError(
      "The option single subtracts nothing, but wrong names a token to subtract: give only one of them.",
      { asked: wrong },
    );
  }
  const none = single ? null : undefined;
  const other = wrong === undefined ? none : answerToken(model, wrong);
  if (answerId !== undefined && other !== undefined) return different(model, answerId, other);
  const { data } = await model.forward(prompt.input, { logitsPos: -1, signal });
  const best = largestIndices(data, 3);
  const first = answerId ?? best.find((id) => id !== other)!;
  return different(model, first, other === undefined ? best.find((id) => id !== first)! : other);
}

function different(model: HookedTransformer, answer: number, wrong: number | null) {
  if (answer !== wrong) return { answer, wrong };
  throw new ArgumentError(
    `Both answers are the token ${quoted(tokenText(model, answer))}, so their logits are equal: give two different ones.`,
    { asked: answer },
  );
}

/** Directions [batch d_model] from the last norm to the logits: the answer's, then the random ones. */
function directionsOf(
  model: HookedTransformer,
  answer: number,
  wrong: number | null,
  samples: number,
  random: Random,
): Tensor {
  const vocabulary = model.cfg.dVocabOut;
  const pairs = Array.from({ length: samples }, () => random.sample(vocabulary, 2));
  const of = (ids: readonly number[]) => residualDirections(model, ids).rename(["batch", "d_model"]);
  const right = of([answer, ...pairs.map((pair) => pair[0])]);
  return wrong === null ? right : right.sub(of([wrong, ...pairs.map((pair) => pair[1])]));
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
