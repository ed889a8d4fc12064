/** One run of a model: from its options to the graph, and from the engine's numbers to what was asked for. */
import type { Engine } from "../engine/engine.ts";
import { showShape } from "../graph/axes.ts";
import type { Sized } from "../graph/evaluate.ts";
import { Tensor } from "../graph/tensor.ts";
import type { HookedTransformerConfig } from "../models/config.ts";
import { type ForwardInputs, forward } from "../models/forward.ts";
import { lossPerToken, meanLoss } from "../models/loss.ts";
import type { Weights } from "../models/weights.ts";
import { ArgumentError, InputError, ShapeError } from "../tensor/errors.ts";
import type { TokenRules } from "../text/index.ts";
import { gradientsOf } from "./backward.ts";
import { type NamesFilter, resolveFilter } from "./hook-names.ts";
import { type Hook, type HookContexts, type PlacedHook, traceHooks } from "./hooks.ts";
import type { KeyValueCache } from "./key-value-cache.ts";
import { type InputOptions, layerIndex, type ModelInput, prepareInput } from "./model-input.ts";
import { type PosSlice, slicePositions } from "./pos-slice.ts";

/** What a run returns: logits, the loss in nats, both, or nothing. */
export type ReturnType = "logits" | "loss" | "both" | null;

/** What `forward` gives for a `returnType`. */
export type Output<R extends ReturnType> = R extends "logits" | "loss"
  ? Tensor
  : R extends "both"
    ? { readonly logits: Tensor; readonly loss: Tensor }
    : undefined;

/** Where a run starts and ends. */
export interface RunBounds {
  /** First block to run; the input is then a residual stream [batch pos d_model]. Negative counts from the end. */
  readonly startAtLayer?: number;
  /** First block not to run; the residual stream before it is returned, not logits. Negative counts from the end. */
  readonly stopAtLayer?: number;
  /** The tokens, for a loss, where the input is a residual stream. */
  readonly tokens?: ModelInput;
  /**
   * Shortformer models: what queries and keys get added, [batch pos d_model], in place of the position embeddings; null
   * for nothing, as TransformerLens does when it starts at a layer.
   */
  readonly shortformerPosEmbed?: Tensor | null;
}

/** What a run starts from, where it stops and what it returns. */
export interface ForwardOptions<R extends ReturnType = ReturnType> extends InputOptions, RunBounds {
  /** Logits [batch pos d_vocab] (the default), the loss in nats, both, or nothing. */
  readonly returnType?: R;
  /** The loss of each token, [batch pos-1], instead of their mean. */
  readonly lossPerToken?: boolean;
  /** Which positions' logits to return; all unless given. The others are not computed. */
  readonly logitsPos?: PosSlice;
  /** Told to hooks as `hook.step`: which step of a generation this is. */
  readonly step?: number;
  /** Keys and values of earlier positions, which this run's go after; it gets them too, unless frozen. */
  readonly pastKvCache?: KeyValueCache;
  readonly signal?: AbortSignal;
}

/** The hooks of one run, or of a view of the model. */
export interface HookOptions {
  readonly fwdHooks?: readonly Hook[];
  /** Hooks on gradients, from the gradient at a point to what goes on in its place; of runs with `inclBwd`. */
  readonly bwdHooks?: readonly Hook[];
}

/** Which hook points a cached run keeps, and of which positions. */
export interface CacheOptions extends HookOptions {
  /** Which hook points to keep: all that TransformerLens computes without flags, unless given. */
  readonly namesFilter?: NamesFilter;
  /** Which positions to keep. */
  readonly posSlice?: PosSlice;
  /** Drop the batch axis, which must be of size 1. */
  readonly removeBatchDim?: boolean;
  /** Keep gradients too, each under its point's name with `_grad` behind it: of the loss, or of `metric`. */
  readonly inclBwd?: boolean;
  /** What gradients are of: one number, from logits [batch pos d_vocab]. */
  readonly metric?: (logits: Tensor) => Tensor;
  /** With `inclBwd`, what a gradient is where what it is of does not matter: an error unless `"zero"` is asked for. */
  readonly unused?: "error" | "zero";
}

/** The model that a run is of. */
export interface RunSource {
  readonly cfg: HookedTransformerConfig;
  readonly weights: Weights;
  readonly text: TokenRules | undefined;
  readonly engine: Engine;
  readonly hookNames: readonly string[];
  /** Hooks that stay, in order: on values, and on gradients. */
  readonly standing: readonly PlacedHook[];
  readonly standingBwd: readonly PlacedHook[];
  readonly contexts: HookContexts;
}

/** A run, traced: its outputs are the heads (logits, loss), then the named values, then new keys and values. */
interface Traced {
  readonly heads: readonly Tensor[];
  readonly values: ReadonlyMap<string, Tensor>;
  readonly keysValues: readonly Tensor[];
}

type Compute = (outputs: readonly Tensor[]) => Promise<Tensor[]>;

/** Runs a model, and captures hook points if `capture` says so. */
export async function run(
  source: RunSource,
  input: ModelInput,
  options: ForwardOptions & CacheOptions,
  capture: boolean,
): Promise<[Output<ReturnType>, Map<string, Tensor>]> {
  const { signal } = options;
  const sized = sizedRun(options, capture);
  const compute: Compute = (outputs) => source.engine.run(outputs, signal ? { signal, sized } : { sized });
  const { heads, values, keysValues } = await traceRun(source, input, options, capture, compute);
  const results = await compute([...heads, ...values.values(), ...keysValues]);
  options.pastKvCache?.append(results.slice(heads.length + values.size));
  const named = new Map([...values.keys()].map((name, i) => [name, results[heads.length + i]]));
  const both = options.returnType === "both" && options.stopAtLayer === undefined;
  const output = both ? { logits: results[0], loss: results[1] } : heads.length > 0 ? results[0] : undefined;
  return [output as Output<ReturnType>, named];
}

/** A run in words, and what would take less memory, for the error where it does not fit. */
function sizedRun(
  { namesFilter, inclBwd, logitsPos, returnType }: ForwardOptions & CacheOptions,
  capture: boolean,
): Sized {
  const less = ["give fewer texts at a time"];
  if (capture && namesFilter === undefined) less.push("name the hook points that are needed in namesFilter");
  else if (capture) less.push("keep fewer hook points or positions (namesFilter, posSlice)");
  if (inclBwd) less.push("take gradients of fewer points");
  else if (logitsPos === undefined && (returnType ?? "logits") !== null && returnType !== "loss") {
    less.push("ask for the last position's logits alone (logitsPos: -1)");
  }
  return { what: "This run", advice: less.join(", or ") };
}

/** Builds a run's graph, with its hooks traced into it. Only what an async hook awaits is computed here. */
export async function traceRun(
  source: RunSource,
  input: ModelInput,
  options: ForwardOptions & CacheOptions,
  capture: boolean,
  compute: Compute,
): Promise<Traced> {
  const inputs = runInputs(source, input, options);
  const asked = options.namesFilter === undefined ? [] : resolveFilter(options.namesFilter, source.hookNames);
  const own = placeHooks(options.fwdHooks ?? [], source.hookNames);
  const backward = placeHooks(options.bwdHooks ?? [], source.hookNames);
  if (backward.length > 0 && !options.inclBwd) {
    throw new ArgumentError("bwdHooks change gradients, and this run has none: runWithCache with inclBwd has them.", {
      asked: backward[0].name,
    });
  }
  // A gradient is of a value that the output is computed from, not of one that stands beside.
  const onGradients = [...backward, ...source.standingBwd].map((h) => h.name);
  const differentiated = options.inclBwd ? [...asked, ...onGradients] : [];
  const changed = new Set([...source.standing, ...own].map((h) => h.name).concat(differentiated));
  const built = forward(source.cfg, source.weights, inputs, {
    reads: (name) => asked.includes(name),
    hooks: (name) => changed.has(name),
  });
  const point = (name: string) => built.points.get(name) ?? unreached(name, inputs, built.points);
  for (const { name } of [...own, ...backward.filter(({ byTest }) => !byTest)]) point(name);

  const names = !capture ? [] : asked.length > 0 ? asked : [...built.points.keys()];
  const clean = [...names.map(point), built.output];
  const rewrite = await traceHooks(built.points, clean, [...source.standing, ...own], {
    contexts: source.contexts,
    step: options.step,
    run: compute,
    whole: options.inclBwd === true,
  });
  const output = rewrite.get(built.output);
  const values = new Map(names.map((name) => [name, rewrite.get(point(name))]));
  const gradients = !options.inclBwd
    ? []
    : gradientsOf({
        metric: options.metric ? options.metric(output) : wholeLoss(output, inputs),
        values,
        hooks: backward,
        standing: source.standingBwd,
        at: (name) => (built.points.has(name) ? rewrite.get(point(name)) : undefined),
        unused: options.unused,
        contexts: source.contexts,
        step: options.step,
      });
  const sliced = (v: Tensor) => (options.posSlice === undefined ? v : slicePositions(v, options.posSlice));
  const layers = Array.from({ length: source.cfg.nLayers }, (_, layer) => layer);
  const keeps = options.pastKvCache && !options.pastKvCache.frozen;
  return {
    heads: headsOf(output, inputs, options),
    values: new Map([...values, ...gradients].map(([name, value]) => [name, sliced(value)])),
    keysValues: keeps
      ? layers.flatMap((layer) => ["k", "v"].map((x) => rewrite.get(point(`blocks.${layer}.attn.hook_${x}`))))
      : [],
  };
}

/** What a run returns besides captured values. */
function headsOf(output: Tensor, inputs: ForwardInputs, options: ForwardOptions): Tensor[] {
  const { returnType = "logits" } = options;
  if (returnType !== null && !["logits", "loss", "both"].includes(returnType)) {
    throw new ArgumentError(`returnType is "${returnType}", but it must be "logits", "loss", "both" or null.`, {
      asked: returnType,
    });
  }
  if (returnType === null) return [];
  const returned = options.logitsPos === undefined ? output : slicePositions(output, options.logitsPos);
  if (options.stopAtLayer !== undefined || returnType === "logits") return [returned];
  const loss = lossOf(output, inputs, options.lossPerToken ? lossPerToken : meanLoss);
  return returnType === "loss" ? [loss] : [returned, loss];
}

/** The loss that gradients are of where no metric says otherwise. */
function wholeLoss(output: Tensor, inputs: ForwardInputs): Tensor {
  if (inputs.stopAtLayer === undefined) return lossOf(output, inputs, meanLoss);
  throw new ArgumentError(
    "A run that stops at a layer has no loss for gradients to be of: give a `metric`, a single number of the residual stream.",
    { asked: "inclBwd", found: inputs.stopAtLayer },
  );
}

function lossOf(logits: Tensor, { tokens, attentionMask }: ForwardInputs, loss: typeof meanLoss): Tensor {
  if (!tokens) {
    throw new ArgumentError("A loss of a run that starts from a residual stream needs `tokens` beside it.", {
      asked: "loss",
    });
  }
  if (tokens.shape[1] < 2) {
    throw new InputError("A loss needs at least two tokens, one to predict from and one to predict.", {
      found: tokens.shape[1],
    });
  }
  return loss(logits, tokens, attentionMask);
}

function unreached(name: string, inputs: ForwardInputs, points: ReadonlyMap<string, Tensor>): never {
  throw new ArgumentError(
    `"${name}" is not reached by this run, which goes from layer ${inputs.startAtLayer ?? 0} to ${inputs.stopAtLayer ?? "the logits"}.`,
    { asked: name, found: [...points.keys()] },
  );
}

/** Hooks at the points that their names, or their tests for names, mean. @throws UnknownNameError, ArgumentError */
export function placeHooks(hooks: readonly Hook[], known: readonly string[]): PlacedHook[] {
  for (const hook of Array.isArray(hooks) ? hooks : [hooks]) {
    if (Array.isArray(hook) && typeof hook[1] === "function") continue;
    throw new ArgumentError("Each hook is a pair of a hook point's name and a function: [[name, (x) => x.mul(0)]].", {
      asked: hook,
    });
  }
  return hooks.flatMap(([at, f]) =>
    resolveFilter(at, known).map((name) => ({ name, f, ...(typeof at === "function" ? { byTest: true } : {}) })),
  );
}

/** What the forward pass is built from. @throws InputError, ShapeError, ArgumentError */
export function runInputs(
  { cfg, text }: Pick<RunSource, "cfg" | "text">,
  input: ModelInput,
  options: InputOptions & RunBounds & Pick<ForwardOptions, "pastKvCache">,
): ForwardInputs {
  const past = options.pastKvCache;
  const bound = (what: "startAtLayer" | "stopAtLayer") =>
    options[what] === undefined ? {} : { [what]: layerIndex(what, options[what], cfg) };
  const bounds = { ...bound("startAtLayer"), ...bound("stopAtLayer") };
  const { shortformerPosEmbed } = options;
  if (options.startAtLayer === undefined) {
    const prepared = prepareInput(input, options, cfg, text, past?.length);
    const attentionMask = past ? past.maskWith(prepared) : prepared.attentionMask;
    return { ...prepared, attentionMask, past: past?.layers, shortformerPosEmbed, ...bounds };
  }
  if (!(input instanceof Tensor) || input.dtype !== "float32" || input.shape.at(-1) !== cfg.dModel) {
    const found = input instanceof Tensor ? `${input.dtype} ${showShape(input)}` : "tokens or text";
    throw new ShapeError(
      `With startAtLayer the input is a residual stream, float32 [batch, pos, d_model ${cfg.dModel}], but got ${found}.`,
      { asked: options.startAtLayer, found },
    );
  }
  const residual = input.rename(["batch", "pos", "d_model"].slice(-input.shape.length));
  const prepared = options.tokens === undefined ? undefined : prepareInput(options.tokens, options, cfg, text);
  return { residual, ...prepared, shortformerPosEmbed, ...bounds };
}
