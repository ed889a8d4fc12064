/** The values at a run's hook points, and what they are made of. */
import { Tensor } from "../graph/tensor.ts";
import { getActName } from "../models/act-name.ts";
import { compose } from "../models/compose.ts";
import { showAs } from "../tensor/display.ts";
import { ArgumentError, ShapeError, UnknownNameError } from "../tensor/errors.ts";
import { ANYTHING, FLAG, listOf, TEXT, WHOLE } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { counted } from "../tensor/words.ts";
import { type AxisSlice, cutAxis, indicesOf } from "./axis-slice.ts";
import { cacheLines } from "./cache-lines.ts";
import type { Cached, CachedModel, Cut, NormPlace, StackNorm } from "./cached.ts";
import { checkTensor } from "./check-tensor.ts";
import { components } from "./components.ts";
import { type HookNameLike, resolveName } from "./hook-names.ts";
import type { LogitAttrsOptions } from "./logit-directions.ts";
import { needOneStack } from "./model-has.ts";
import { AXIS_SLICE } from "./option-kinds.ts";
import { posAxis } from "./pos-slice.ts";
import {
  type AccumulatedResidOptions,
  accumulatedResid,
  type DecomposeResidOptions,
  decomposeResid,
  type FullResidDecompositionOptions,
  getFullResidDecomposition,
  givenStack,
  type StackHeadResultsOptions,
  type StackNeuronResultsOptions,
  stackHeadResults,
  stackNeuronResults,
} from "./residual-decompositions.ts";
import { ResidualStack } from "./residual-stack.ts";
import { frozenNorm, ownNorm } from "./stack-norm.ts";
import { stackOf } from "./stack-parts.ts";
import { layerBefore } from "./stream-place.ts";
import { headResults, neuronResults } from "./stream-writers.ts";
import type { TokenChoice } from "./weight-views.ts";

/** `"blocks.0.mlp.hook_mid"`, `"mid0"`, or name, layer (negative: from the end) and kind separately: `["normalized", 0, "ln2"]`. */
export type CacheKey = HookNameLike | readonly [name: string, layer: number, type?: string];

export interface ApplyLnOptions extends NormPlace, Pick<LogitAttrsOptions, "batchSlice" | "posSlice"> {}

const NAMES = listOf(TEXT, "names");
const CUT: OptionKinds<Cut> = { batch: AXIS_SLICE, pos: AXIS_SLICE };
// The error for tokens is better; it is thrown where they are read.
const LOGIT_ATTRS: OptionKinds<LogitAttrsOptions> = {
  incorrectTokens: ANYTHING,
  batchSlice: AXIS_SLICE,
  posSlice: AXIS_SLICE,
};
const APPLY_LN: OptionKinds<ApplyLnOptions> = {
  ...{ batchSlice: AXIS_SLICE, posSlice: AXIS_SLICE },
  ...{ layer: WHOLE, mlpInput: FLAG, recomputeLn: FLAG },
};
const STACK_ACTIVATION = { layer: WHOLE, sublayerType: TEXT };
const NEURON_RESULTS = { neuronSlice: AXIS_SLICE, posSlice: AXIS_SLICE };

/**
 * Values by hook name, each its own tensor that nothing else changes. The methods that take the residual stream apart
 * only describe what is to be computed: `compute()` on their result, or `model.compute([...])` on several, runs it.
 * They also work on a cache of values that are still to be computed (`model.graph(...)`), all in one run.
 * Source: TransformerLens' `ActivationCache`.
 */
export class ActivationCache implements Cached {
  readonly model: CachedModel;
  private readonly values: ReadonlyMap<string, Tensor>;
  private readonly cuts: readonly Cut[];
  /** Values after the cuts. */
  private readonly made = new Map<string, Tensor>();
  private whole: ReadonlyMap<string, number> | undefined;

  constructor(values: ReadonlyMap<string, Tensor>, model: CachedModel, cuts: readonly Cut[] = []) {
    if (!(values instanceof Map) || [...values.values()].some((value) => !(value instanceof Tensor))) {
      throw new ArgumentError(
        `An ActivationCache is made from a Map of Tensors by hook name, not from ${shown(values)}.`,
        {
          asked: values,
        },
      );
    }
    if (!model?.cfg || !Array.isArray(model.hookNames)) {
      throw new ArgumentError(`An ActivationCache needs a model, not ${shown(model)}.`, { asked: model });
    }
    this.values = values;
    this.model = model;
    this.cuts = cuts;
  }

  // Values.

  /** The value at a hook point. @throws UnknownNameError with the closest match among cached ones. */
  get(key: CacheKey): Tensor {
    const name = this.nameOf(key);
    const known = this.made.get(name) ?? this.cut(this.values.get(name)!);
    this.made.set(name, known);
    return known;
  }

  /** Whether there is a value at a hook point. */
  has(key: CacheKey): boolean {
    return this.values.has(this.written(key));
  }

  /** The hook points that have a value, in firing order. */
  keys(): string[] {
    return [...this.values.keys()];
  }

  /** Every value with its name, in firing order. */
  items(): [string, Tensor][] {
    return this.keys().map((name) => [name, this.get(name)]);
  }

  /** How many values there are. */
  get size(): number {
    return this.values.size;
  }

  /** Every value with its name. */
  [Symbol.iterator](): IterableIterator<[string, Tensor]> {
    return this.items()[Symbol.iterator]();
  }

  toString(): string {
    return `ActivationCache of ${this.model.cfg.modelName}: ${counted(this.size, "value")}`;
  }

  /** Several values. @throws ArgumentError that names those that were not captured, and `what` they are for. */
  need(what: string, names: readonly string[]): Tensor[] {
    if (!NAMES.accepts(names)) {
      throw new ArgumentError(`The names of the values must be ${NAMES.describe}, not ${shown(names)}.`, {
        asked: names,
      });
    }
    const missing = names.filter((name) => !this.values.has(name));
    if (missing.length === 0) return names.map((name) => this.get(name));
    const listed =
      missing.length > 4
        ? `"${missing.slice(0, 3).join('", "')}" and ${missing.length - 3} more`
        : `"${missing.join('", "')}"`;
    throw new ArgumentError(
      `${what} needs ${listed}, which this cache does not hold: name them in namesFilter too, or run without one.`,
      { asked: missing, found: this.keys() },
    );
  }

  private written(key: CacheKey): string {
    if (typeof key === "string") return this.values.has(key) ? key : getActName(key);
    if (!Array.isArray(key)) {
      throw new ArgumentError(
        `The name of a cached value must be a string, "blocks.0.attn.hook_z", or [name, layer, kind], not ${shown(key)}.`,
        { asked: key },
      );
    }
    const [name, layer, type] = key as readonly [string, number, string?];
    return getActName(name, layer < 0 ? layer + this.model.cfg.nLayers : layer, type);
  }

  private nameOf(key: CacheKey): string {
    const name = this.written(key);
    if (!this.values.has(name) && this.model.hookNames.includes(name)) {
      const advice = "The model has this hook point, but the run did not keep it: name it in namesFilter.";
      throw new UnknownNameError("cached value", name, this.keys(), advice);
    }
    return resolveName(name, this.keys());
  }

  // Prompts and positions.

  /** The same values of fewer prompts or positions (of patterns and scores: query positions). */
  at(cut: Cut): ActivationCache {
    checkOptions("at", cut, CUT);
    for (const axis of ["batch", "pos"] as const) {
      const slice = cut[axis];
      if (slice === undefined) continue;
      if (axis === "pos") needOneStack("A choice of positions", this.model);
      const size = this.lead.get(axis);
      if (size === undefined) {
        throw new ShapeError(`The cached values have no axis ${axis} to take ${shown(slice)} of.`, {
          asked: slice,
          found: [...this.lead.keys()],
        });
      }
      indicesOf(slice, size, axis);
    }
    return new ActivationCache(this.values, this.model, [...this.cuts, cut]);
  }

  /** The same values of fewer prompts; an index drops the batch axis. @throws ShapeError if there is none. */
  applySliceToBatchDim(slice: AxisSlice): ActivationCache {
    return this.at({ batch: slice });
  }

  /** The same values without the batch axis. @throws ShapeError if there is more than one row. */
  removeBatchDim(): ActivationCache {
    for (const [name, value] of this.values) {
      const rows = this.cut(value).shape[value.axes.indexOf("batch")];
      if (rows === 1 || !value.axes.includes("batch")) continue;
      throw new ShapeError(
        `removeBatchDim needs a batch of one, but "${name}" has ${rows} rows: slice the batch first.`,
        { asked: 1, found: rows },
      );
    }
    return this.at({ batch: 0 });
  }

  /** How many prompts and positions there are: the sizes of the values' axes `batch` and `pos`. */
  get lead(): ReadonlyMap<string, number> {
    return this.cuts.reduce(afterCut, this.wholeLead);
  }

  private get wholeLead(): ReadonlyMap<string, number> {
    this.whole ??= leadOf(this.values.values());
    return this.whole;
  }

  /** A value of the whole run, cut as this cache is. One that has already been cut stays. */
  cut(value: Tensor): Tensor {
    checkTensor("The value to cut", value);
    let whole = this.wholeLead;
    let out = value;
    for (const cut of this.cuts) {
      const pos = posAxis(out);
      if (cut.batch !== undefined && sizeAlong(out, "batch") === whole.get("batch"))
        out = cutAxis(out, "batch", cut.batch);
      if (cut.pos !== undefined && pos && sizeAlong(out, pos) === whole.get("pos")) out = cutAxis(out, pos, cut.pos);
      whole = afterCut(whole, cut);
    }
    return out;
  }

  // The residual stream, taken apart. Labels and order are TransformerLens'.

  /** The residual stream before each layer: what the model believes so far. @see accumulatedResid */
  accumulatedResid(options: AccumulatedResidOptions = {}): ResidualStack {
    return accumulatedResid(this, options);
  }

  /** The residual stream as the sum of what embeddings, attention layers and MLPs wrote. @see decomposeResid */
  decomposeResid(options: DecomposeResidOptions = {}): ResidualStack {
    return decomposeResid(this, options);
  }

  /** What each head wrote. @see stackHeadResults */
  stackHeadResults(options: StackHeadResultsOptions = {}): ResidualStack {
    return stackHeadResults(this, options);
  }

  /** What each neuron wrote. @see stackNeuronResults */
  stackNeuronResults(options: StackNeuronResultsOptions = {}): ResidualStack {
    return stackNeuronResults(this, options);
  }

  /** The residual stream as the sum of heads, neurons (or MLPs), embeddings and biases. @see getFullResidDecomposition */
  getFullResidDecomposition(options: FullResidDecompositionOptions = {}): ResidualStack {
    return getFullResidDecomposition(this, options);
  }

  /**
   * What components add to tokens' logits, [component batch pos]: `norm(component) · W_U[:, token]`, with the last norm's
   * scale as it was in the run, in logits. With `incorrectTokens`, what they add to the logit difference. The stack's
   * components are not computed on the way. The unembedding's bias belongs to none. Of softly capped logits it is the ones before
   * the cap.
   * @param stack components before any norm (or after the last one), or a tensor [component ... d_model] of such
   * @param tokens texts of one token or ids: one for all, one for each prompt, or one for each prompt and position
   * @throws ArgumentError if the scale of the last norm was not captured; ShapeError for tokens that do not fit any axis
   */
  logitAttrs(stack: ResidualStack | Tensor, tokens: TokenChoice, options: LogitAttrsOptions = {}): Tensor {
    checkOptions("logitAttrs", options, LOGIT_ATTRS);
    const { incorrectTokens, batchSlice, posSlice } = options;
    return this.stackOf(stack, { batch: batchSlice, pos: posSlice }).logitAttrs(tokens, { incorrectTokens });
  }

  /**
   * Components as a norm of the run transforms them, `(x - mean(x)) / scale · w`: without the mean for an RMSNorm, with
   * the run's own scale, and without the norm's bias, which belongs to none of them. With `recomputeLn` each is
   * normalized as if it were the whole stream, bias included. A model without norms leaves them as they are.
   * @param stack components, or a tensor [component ... d_model] of such
   */
  applyLnToStack(stack: ResidualStack | Tensor, options: ApplyLnOptions = {}): ResidualStack {
    checkOptions("applyLnToStack", options, APPLY_LN);
    const norm = this.normBefore(options);
    return this.stackOf(stack, { batch: options.batchSlice, pos: options.posSlice }).normalized(norm);
  }

  /** The norm before a layer, its MLP, or the unembedding; `undefined` in a model without norms. */
  normBefore(options: ApplyLnOptions): StackNorm | undefined {
    checkOptions("normBefore", options, APPLY_LN);
    const { layer, mlpInput = false, recomputeLn = false } = options;
    const { cfg } = this.model;
    const at = layerBefore(layer, mlpInput, this.model);
    if (at === cfg.nLayers) {
      const { finalNorm } = compose(cfg);
      return finalNorm ? (recomputeLn ? ownNorm : frozenNorm)("ln_final", finalNorm) : undefined;
    }
    if (recomputeLn) {
      throw new ArgumentError(`recomputeLn is only for the last norm, but layer ${at} is before it.`, { asked: layer });
    }
    const { norm, normPlacement } = compose(cfg).blocks[at];
    return norm && normPlacement === "before" ? frozenNorm(`blocks.${at}.ln${mlpInput ? 2 : 1}`, norm) : undefined;
  }

  private stackOf(stack: ResidualStack | Tensor, { batch, pos }: Cut): ResidualStack {
    if (!(stack instanceof ResidualStack)) checkTensor("A stack", stack, ["component", "d_model"], "float32");
    const cut = { ...(batch === undefined ? {} : { batch }), ...(pos === undefined ? {} : { pos }) };
    const whole = stack instanceof ResidualStack ? stack : givenStack(this, stack, this.at(cut));
    return Object.keys(cut).length === 0 ? whole : whole.at(cut);
  }

  // Other values of every layer.

  /** One kind of value of the layers before `layer` (default: all), [layer ...]. */
  stackActivation(
    name: string,
    options: { readonly layer?: number | undefined; readonly sublayerType?: string | undefined } = {},
  ): Tensor {
    checkOptions("stackActivation", options, STACK_ACTIVATION);
    const { layer, sublayerType } = options;
    const layers = layerBefore(layer, false, this.model);
    const names = Array.from({ length: layers }, (_, l) => getActName(name, l, sublayerType));
    if (layers === 0) throw new ArgumentError(`There is no "${name}" before layer 0.`, { asked: layer });
    const known = this.model.hookNames;
    if (!known.includes(names[0])) throw new UnknownNameError("hook point", names[0], known);
    return stackOf(this.need("stackActivation", names)).rename(["layer", ...this.get(names[0]).axes]);
  }

  /** These values and each head's own output `hook_result`, z W_O [batch pos head d_model], of layers whose z is here. */
  computeHeadResults(): ActivationCache {
    const withResults = new Map<string, Tensor>();
    const { additions } = components(this.model);
    for (const [name, value] of this.values) {
      withResults.set(name, value);
      const heads = additions.find(({ kind, output }) => kind === "attention" && output?.point === name);
      const result = heads?.writers[0].point;
      if (!result || this.values.has(result)) continue;
      withResults.set(result, headResults(value, this.model.weights.get(heads.output!.weight)));
    }
    return new ActivationCache(withResults, this.model, this.cuts);
  }

  /** What each neuron of a layer wrote, [batch pos d_mlp d_model]: its activation times its row of W_out, through any norm behind. */
  getNeuronResults(
    layer: number,
    options: { readonly neuronSlice?: AxisSlice | undefined; readonly posSlice?: AxisSlice | undefined } = {},
  ): Tensor {
    checkOptions("getNeuronResults", options, NEURON_RESULTS);
    const { neuronSlice, posSlice } = options;
    if (!WHOLE.accepts(layer))
      throw new ArgumentError(`The layer must be a whole number, not ${shown(layer)}.`, { asked: layer });
    return neuronResults(posSlice === undefined ? this : this.at({ pos: posSlice }), layer, neuronSlice);
  }
}

showAs(ActivationCache.prototype, (cache, nested) =>
  nested ? `${cache}` : [`${cache}`, ...cacheLines(cache.items()).map((line) => `  ${line}`)].join("\n"),
);

function sizeAlong(value: Tensor, axis: string): number | undefined {
  return value.shape[value.axes.indexOf(axis)];
}

/** The sizes of `batch` and `pos` among values: the larger if a hook made the batch bigger on the way. */
function leadOf(values: Iterable<Tensor>): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const value of values) {
    for (const [axis, own] of [
      ["batch", "batch"],
      ["pos", posAxis(value)],
    ] as const) {
      const size = own && sizeAlong(value, own);
      if (size !== undefined) sizes.set(axis, Math.max(size, sizes.get(axis) ?? 0));
    }
  }
  return sizes;
}

function afterCut(lead: ReadonlyMap<string, number>, cut: Cut): ReadonlyMap<string, number> {
  const sizes = new Map(lead);
  for (const axis of ["batch", "pos"] as const) {
    const slice = cut[axis];
    if (slice === undefined) continue;
    if (typeof slice === "number") sizes.delete(axis);
    else sizes.set(axis, indicesOf(slice, sizes.get(axis)!, axis).length);
  }
  return sizes;
}
