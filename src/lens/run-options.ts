/** What a run of a model can be told, and whether what it was told can be. */
import { Tensor } from "../graph/tensor.ts";
import { compose } from "../models/compose.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import { ArgumentError } from "../tensor/errors.ts";
import {
  ANYTHING,
  FLAG,
  FUNCTION,
  instanceOf,
  NOT_NEGATIVE_WHOLE,
  oneOf,
  orNull,
  SIGNAL,
  WHOLE,
} from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import type { NamesFilter } from "./hook-names.ts";
import type { Hook } from "./hooks.ts";
import { KeyValueCache } from "./key-value-cache.ts";
import type { NumberOf } from "./metric.ts";
import type { InputOptions } from "./model-input.ts";
import { AXIS_SLICE, INPUT, TENSOR } from "./option-kinds.ts";
import type { PosSlice } from "./pos-slice.ts";
import type { ModelInput } from "./tokens.ts";

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
  readonly startAtLayer?: number | undefined;
  /** First block not to run; the residual stream before it is returned, not logits. Negative counts from the end. */
  readonly stopAtLayer?: number | undefined;
  /** The tokens, for a loss, where the input is a residual stream. */
  readonly tokens?: ModelInput | undefined;
  /**
   * Shortformer models: what queries and keys get added, [batch pos d_model], in place of the position embeddings; null
   * for nothing, as TransformerLens does when it starts at a layer.
   */
  readonly shortformerPosEmbed?: Tensor | null | undefined;
}

/** What a run starts from, where it stops and what it returns. */
export interface ForwardOptions<R extends ReturnType = ReturnType> extends InputOptions, RunBounds {
  /** Logits [batch pos d_vocab] (the default), the loss in nats, both, or nothing. */
  readonly returnType?: R | undefined;
  /** The loss of each token, [batch pos-1], instead of their mean. */
  readonly lossPerToken?: boolean | undefined;
  /**
   * Which positions' logits to return; all unless given. The others are not computed. Texts of different lengths end at the
   * same position only where they are padded on the left.
   */
  readonly logitsPos?: PosSlice | undefined;
  /** Told to hooks as `hook.step`: which step of a generation this is. */
  readonly step?: number | undefined;
  /**
   * Keys and values of earlier positions, which this run's go after; it gets them too once the run has succeeded, unless
   * frozen.
   */
  readonly pastKvCache?: KeyValueCache | undefined;
  /** Ends the run once it is aborted, with its reason; a hook that is waited for then is waited for no longer. */
  readonly signal?: AbortSignal | undefined;
}

/** The hooks of one run, or of a view of the model. */
export interface HookOptions {
  readonly fwdHooks?: readonly Hook[] | undefined;
  /** Hooks on gradients, from the gradient at a point to what goes on in its place; of runs with `inclBwd`. */
  readonly bwdHooks?: readonly Hook[] | undefined;
}

/** Which hook points a cached run keeps, and of which positions. */
export interface CacheOptions extends HookOptions {
  /** Which hook points to keep: all that TransformerLens computes without flags, unless given. */
  readonly namesFilter?: NamesFilter | undefined;
  /** Which positions to keep. */
  readonly posSlice?: PosSlice | undefined;
  /** Drop the batch axis, which must be of size 1. */
  readonly removeBatchDim?: boolean | undefined;
  /** Keep gradients too, each under its point's name with `_grad` behind it: of the loss, or of `metric`. */
  readonly inclBwd?: boolean | undefined;
  /** What gradients are of: one number, from logits [batch pos d_vocab]. */
  readonly metric?: NumberOf<[logits: Tensor]> | undefined;
  /** With `inclBwd`, what a gradient is where what it is of does not matter: an error unless `"zero"` is asked for. */
  readonly unused?: "error" | "zero" | undefined;
}

const BOUNDS: OptionKinds<RunBounds> = {
  startAtLayer: WHOLE,
  stopAtLayer: WHOLE,
  tokens: ANYTHING,
  shortformerPosEmbed: orNull(TENSOR),
};

/** The kinds of `model.graph`'s options. */
export const GRAPH: OptionKinds<InputOptions & RunBounds> = { ...INPUT, ...BOUNDS };

/** The kinds of `model.forward`'s options. */
export const FORWARD: OptionKinds<ForwardOptions> = {
  ...GRAPH,
  returnType: oneOf(["logits", "loss", "both", null]),
  lossPerToken: FLAG,
  logitsPos: AXIS_SLICE,
  step: NOT_NEGATIVE_WHOLE,
  pastKvCache: instanceOf(KeyValueCache, "a KeyValueCache"),
  signal: SIGNAL,
};

/** The kinds of `HookOptions`; each hook is looked at where it is placed. */
export const HOOKS: OptionKinds<HookOptions> = { fwdHooks: ANYTHING, bwdHooks: ANYTHING };

/** The kinds of `model.runWithHooks`'s options. */
export const RUN_WITH_HOOKS: OptionKinds<ForwardOptions & HookOptions> = { ...FORWARD, ...HOOKS };

/** The kinds of `model.runWithCache`'s options. */
export const RUN_WITH_CACHE: OptionKinds<ForwardOptions & CacheOptions> = {
  ...RUN_WITH_HOOKS,
  namesFilter: ANYTHING,
  posSlice: AXIS_SLICE,
  removeBatchDim: FLAG,
  inclBwd: FLAG,
  metric: FUNCTION,
  unused: oneOf(["error", "zero"]),
};

/**
 * Checks what a run was told.
 * @throws ArgumentError for an option that does not exist or has another kind of value, or that says nothing in this run
 */
export function checkRun<T extends ForwardOptions & CacheOptions>(
  of: string,
  options: T,
  kinds: OptionKinds<T>,
  cfg: HookedTransformerConfig,
): void {
  checkOptions(of, options, kinds);
  const { returnType = "logits", startAtLayer, stopAtLayer, logitsPos, pastKvCache, inclBwd } = options;
  const loss = returnType === "loss" || returnType === "both";
  checkBounds(of, options, cfg);
  refuse(
    loss && stopAtLayer !== undefined,
    of,
    "returnType",
    `"${returnType}" needs the logits, and a run with stopAtLayer ends before them`,
  );
  refuse(
    options.lossPerToken && !loss,
    of,
    "lossPerToken",
    'is of a loss: ask for one with returnType "loss" or "both"',
  );
  refuse(
    logitsPos !== undefined && (returnType === "loss" || returnType === null),
    of,
    "logitsPos",
    `is of logits, and this run returns ${returnType === null ? "nothing" : "the loss of all positions"}`,
  );
  refuse(
    pastKvCache !== undefined && startAtLayer !== undefined,
    of,
    "pastKvCache",
    "is of runs from the first layer on, not of one with startAtLayer",
  );
  refuse(
    pastKvCache !== undefined && stopAtLayer !== undefined && !pastKvCache.frozen,
    of,
    "pastKvCache",
    "gets keys and values of all layers, and a run with stopAtLayer does not make them: freeze it to have it read alone",
  );
  refuse(options.metric !== undefined && !inclBwd, of, "metric", "is what gradients are of: ask for them with inclBwd");
  refuse(options.unused !== undefined && !inclBwd, of, "unused", "is of gradients: ask for them with inclBwd");
}

/** @throws ArgumentError for bounds that say nothing together, or in this model */
export function checkBounds(of: string, options: RunBounds, cfg: HookedTransformerConfig): void {
  const { nLayers } = cfg;
  const { startAtLayer, stopAtLayer, tokens, shortformerPosEmbed } = options;
  const from0 = (layer: number) => (layer < 0 ? layer + nLayers : layer);
  refuse(
    tokens !== undefined && startAtLayer === undefined,
    of,
    "tokens",
    "is for runs from a residual stream, with startAtLayer: here the input is the tokens",
  );
  refuse(
    shortformerPosEmbed instanceof Tensor && !compose(cfg).positions.besideStream,
    of,
    "shortformerPosEmbed",
    "is for shortformer models, whose queries and keys see position embeddings beside the stream; this model has none there",
  );
  refuse(
    startAtLayer !== undefined && stopAtLayer !== undefined && from0(startAtLayer) > from0(stopAtLayer),
    of,
    "stopAtLayer",
    `${stopAtLayer} is before startAtLayer ${startAtLayer}`,
  );
}

function refuse(condition: boolean | undefined, of: string, option: string, why: string): void {
  if (condition) throw new ArgumentError(`The option ${option} of ${of} ${why}.`, { asked: option });
}
