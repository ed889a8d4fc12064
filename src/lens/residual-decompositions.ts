/**
 * The ways to take a residual stream apart. Each sums to the stream it decomposes, unless a hook changed a sum along
 * the way; what has no such sum is an error. Source: TransformerLens' `ActivationCache`.
 */
import { showShape } from "../graph/axes.ts";
import type { Tensor } from "../graph/tensor.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { FLAG, oneOf, WHOLE } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import type { AxisSlice } from "./axis-slice.ts";
import type { Cached } from "./cached.ts";
import { additionsBefore } from "./components.ts";
import { lastStream, needMid, needNeurons } from "./model-has.ts";
import { AXIS_SLICE } from "./option-kinds.ts";
import { ResidualStack } from "./residual-stack.ts";
import { remainder, type StackPart, slab, values } from "./stack-parts.ts";
import { layerBefore } from "./stream-place.ts";
import { added, biasesOf, headParts, named, neuronParts } from "./stream-writers.ts";
import { accumulatedBias } from "./weight-views.ts";

/** Options of all decompositions. */
export interface StackOptions {
  /** The stream before that layer, from 0; the number of layers (or -1, the default) means before the unembedding. */
  readonly layer?: number | undefined;
  /** Which positions: a single one drops the axis, a list or a range keeps it. */
  readonly posSlice?: AxisSlice | undefined;
  /** Pass the components through the norm that reads the stream, with the scale that it had in the run. */
  readonly applyLn?: boolean | undefined;
}

interface WithMlpInput {
  /** The stream before that layer's MLP instead of before its attention. */
  readonly mlpInput?: boolean | undefined;
}

interface WithRemainder {
  /** Add a last component `remainder`: the rest of the stream. */
  readonly inclRemainder?: boolean | undefined;
}

export interface AccumulatedResidOptions extends StackOptions, WithMlpInput {
  /** Also between attention and MLP of each layer. */
  readonly inclMid?: boolean | undefined;
}

const STACK: OptionKinds<StackOptions> = { layer: WHOLE, posSlice: AXIS_SLICE, applyLn: FLAG };
const ACCUMULATED: OptionKinds<AccumulatedResidOptions> = { ...STACK, mlpInput: FLAG, inclMid: FLAG };
const DECOMPOSE: OptionKinds<DecomposeResidOptions> = {
  ...STACK,
  mlpInput: FLAG,
  mode: oneOf(["all", "attn", "mlp"]),
  inclEmbeds: FLAG,
};
const HEAD_RESULTS: OptionKinds<StackHeadResultsOptions> = { ...STACK, inclRemainder: FLAG };
const NEURON_RESULTS: OptionKinds<StackNeuronResultsOptions> = { ...HEAD_RESULTS, neuronSlice: AXIS_SLICE };
const FULL: OptionKinds<FullResidDecompositionOptions> = { ...STACK, mlpInput: FLAG, expandNeurons: FLAG };

/**
 * The residual stream before each layer up to `layer`, [component ... d_model]: `0_pre`, `0_mid`, ..., `final_post`.
 * `applyLn` puts each through the norm before `layer`: through the last norm as if it were the end of the model, with its
 * own scale (the logit lens, nostalgebraist 2020); through an earlier one with that norm's scale in the run.
 */
export function accumulatedResid(cache: Cached, options: AccumulatedResidOptions): ResidualStack {
  checkOptions("accumulatedResid", options, ACCUMULATED);
  const { inclMid = false, mlpInput = false } = options;
  const { cfg } = cache.model;
  const layer = layerBefore(options.layer, mlpInput, cache.model);
  if (inclMid) needMid("inclMid", cache.model);
  const names: [label: string, name: string][] = [];
  for (let l = 0; l <= layer; l++) {
    if (l === cfg.nLayers) names.push(["final_post", lastStream(cache.model)]);
    else names.push([`${l}_pre`, `blocks.${l}.hook_resid_pre`]);
    if ((inclMid && l < layer) || (mlpInput && l === layer)) names.push([`${l}_mid`, `blocks.${l}.hook_resid_mid`]);
  }
  const build = (from: Cached) => [named(from, "accumulatedResid", names)];
  return finished(cache, build, { ...options, recomputeLn: layer === cfg.nLayers });
}

export interface DecomposeResidOptions extends StackOptions, WithMlpInput {
  /** Attention layers, MLPs, or both (the default). */
  readonly mode?: "all" | "attn" | "mlp" | undefined;
  /** With the embeddings. Default true. */
  readonly inclEmbeds?: boolean | undefined;
}

/**
 * What embeddings, attention layers and MLPs before `layer` wrote, biases included, [component ... d_model]: `embed`,
 * `pos_embed`, `0_attn_out`, `0_mlp_out`, ... All together they sum to the stream. Shortformer position embeddings never
 * enter the stream, and are not a component.
 */
export function decomposeResid(cache: Cached, options: DecomposeResidOptions): ResidualStack {
  checkOptions("decomposeResid", options, DECOMPOSE);
  const { mode = "all", mlpInput = false, inclEmbeds = true } = options;
  const layer = layerBefore(options.layer, mlpInput, cache.model);
  const kinds = { all: ["attention", "mlp"], attn: ["attention"], mlp: ["mlp"] }[mode];
  const parts = additionsBefore(cache.model, layer, mlpInput).filter(({ kind }) =>
    kind === "embedding" ? inclEmbeds : kinds.includes(kind),
  );
  if (parts.length === 0) {
    throw new ArgumentError(`In mode "${mode}" nothing writes to the stream before layer ${layer}.`, { asked: mode });
  }
  return finished(cache, (from) => [added(from, "decomposeResid", parts)], options);
}

export interface StackHeadResultsOptions extends StackOptions, WithRemainder {}

/** What each head before `layer` wrote, without the layer's bias, [component ... d_model]: `L0H0`, `L0H1`, ... */
export function stackHeadResults(cache: Cached, options: StackHeadResultsOptions): ResidualStack {
  checkOptions("stackHeadResults", options, HEAD_RESULTS);
  const layer = layerBefore(options.layer, false, cache.model);
  const parts = additionsBefore(cache.model, layer);
  const build = (from: Cached) => withRemainder(from, "stackHeadResults", layer, headParts(from, parts), options);
  return finished(cache, build, options);
}

export interface StackNeuronResultsOptions extends StackOptions, WithRemainder {
  /** Which neurons of each layer. */
  readonly neuronSlice?: AxisSlice | undefined;
}

/** What each neuron before `layer` wrote, without the layer's bias, [component ... d_model]: `L0N0`, `L0N1`, ... */
export function stackNeuronResults(cache: Cached, options: StackNeuronResultsOptions): ResidualStack {
  checkOptions("stackNeuronResults", options, NEURON_RESULTS);
  const layer = layerBefore(options.layer, false, cache.model);
  needNeurons(cache.model);
  const parts = additionsBefore(cache.model, layer);
  const build = (from: Cached) =>
    withRemainder(from, "stackNeuronResults", layer, neuronParts(from, parts, options.neuronSlice), options);
  return finished(cache, build, options);
}

export interface FullResidDecompositionOptions extends StackOptions, WithMlpInput {
  /** Each neuron instead of each MLP. Default true. */
  readonly expandNeurons?: boolean | undefined;
}

/**
 * The stream as heads, neurons (or MLPs, with their biases), embeddings, and one component `bias` for all other biases,
 * [component ... d_model]. They sum to the stream.
 */
export function getFullResidDecomposition(cache: Cached, options: FullResidDecompositionOptions): ResidualStack {
  checkOptions("getFullResidDecomposition", options, FULL);
  const { expandNeurons = true, mlpInput = false } = options;
  const layer = layerBefore(options.layer, mlpInput, cache.model);
  const parts = additionsBefore(cache.model, layer, mlpInput);
  const [embeddings, mlps] = (["embedding", "mlp"] as const).map((kind) => parts.filter((part) => part.kind === kind));
  const what = "getFullResidDecomposition";
  const build = (from: Cached): StackPart[] => {
    const [embed] = from.need(what, [embeddings[0].point]);
    const bias = parts.some(({ output }) => output?.norm)
      ? (biasesOf(from, parts, expandNeurons) ?? embed.constant(0))
      : accumulatedBias(cache.model, layer, { mlpInput, includeMlpBiases: expandNeurons });
    return [
      ...headParts(from, parts),
      ...(expandNeurons ? neuronParts(from, mlps, undefined) : mlps.map((mlp) => added(from, what, [mlp]))),
      added(from, what, embeddings),
      values(["bias"], [bias.expandLike(embed)]),
    ];
  };
  return finished(cache, build, options);
}

/** A tensor [component ... d_model] as a stack; `cut` is the cache as the stack's axes may be cut already. */
export function givenStack(cache: Cached, stack: Tensor, cut: Cached): ResidualStack {
  const leads = [[...cache.lead.keys()], [...cut.lead.keys()]];
  const lead = leads.find((axes) => axes.length === stack.shape.length - 2);
  if (!lead || stack.shape.at(-1) !== cache.model.cfg.dModel) {
    throw new ShapeError(
      `A stack must be [component, ${leads[0].join(", ")}, d_model ${cache.model.cfg.dModel}], but got ${showShape(stack)}.`,
      { asked: leads[0], found: stack.shape },
    );
  }
  const whole = stack.rename(["component", ...lead, "d_model"]);
  const labels = Array.from({ length: stack.shape[0] }, (_, i) => String(i));
  return new ResidualStack(cache, (from) => [slab(labels, from.cut(whole))]);
}

function withRemainder(
  from: Cached,
  what: string,
  layer: number,
  parts: readonly StackPart[],
  { inclRemainder = false }: WithRemainder,
): readonly StackPart[] {
  if (!inclRemainder) {
    if (parts.length > 0) return parts;
    throw new ArgumentError(`${what} has nothing to return: there is no layer before layer 0.`, { asked: layer });
  }
  const [total] = from.need(what, [layer === 0 ? "blocks.0.hook_resid_pre" : `blocks.${layer - 1}.hook_resid_post`]);
  return [...parts, remainder(total, parts)];
}

function finished(
  cache: Cached,
  build: (from: Cached) => readonly StackPart[],
  options: StackOptions & WithMlpInput & { readonly recomputeLn?: boolean | undefined },
): ResidualStack {
  const { posSlice, applyLn = false } = options;
  const from = posSlice === undefined ? cache : cache.at({ pos: posSlice });
  const stack = new ResidualStack(from, build);
  if (!applyLn) return stack;
  const { layer, mlpInput, recomputeLn } = options;
  const norm = cache.normBefore({ layer, mlpInput, recomputeLn });
  if (norm && !recomputeLn) cache.need("applyLn", [`${norm.where}.hook_scale`]);
  return stack.normalized(norm);
}
