/** The options of a model's run, and their checks. */
import { Tensor } from "../graph/tensor.ts";
import { TENSOR } from "../graph/tensor-kind.ts";
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
import { needNextToken, needOneStack } from "./model-has.ts";
import type { InputOptions } from "./model-input.ts";
import { AXIS_SLICE, INPUT } from "./option-kinds.ts";
import type { PosSlice } from "./pos-slice.ts";
import type { ModelInput } from "./tokens.ts";

/** The result of a run: logits, the loss in nats, both, or nothing. */
export type ReturnType = "logits" | "loss" | "both" | null;

/** What `forward` returns for a `returnType`. */
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
  /** The tokens, for a loss, if the input is a residual stream. */
  readonly tokens?: ModelInput | undefined;
  /**
   * Shortformer models: what is added to queries and keys, [batch pos d_model], instead of the position embeddings; null
   * for nothing, as in TransformerLens when a run starts at a layer.
   */
  readonly shortformerPosEmbed?: Tensor | null | undefined;
}

/** What a run starts from, where it stops and what it returns. */
export interface ForwardOptions<R extends ReturnType = ReturnType> extends InputOptions, RunBounds {
  /** Logits [batch pos d_vocab] (the default), the loss in nats, both, or nothing. */
  readonly returnType?: R | undefined;
  /** Return the loss of each token, [batch pos-1], instead of the mean. */
  readonly lossPerToken?: boolean | undefined;
  /**
   * Which positions' logits to return; default: all. The others are not computed. Texts of different lengths end at the
   * same position only if they are padded on the left.
   */
  readonly logitsPos?: PosSlice | undefined;
  /** Which step of a generation this is; hooks see it as `hook.step`. */
  readonly step?: number | undefined;
  /**
   * Keys and values of earlier positions, which this run's follow. Unless it is frozen, this run's are added to it once the
   * run has succeeded.
   */
  readonly pastKvCache?: KeyValueCache | undefined;
  /** Ends the run once it is aborted, with its reason; a pending hook is no longer waited for. */
  readonly signal?: AbortSignal | undefined;
}

/** The hooks of one run, or of a view of the model. */
export interface HookOptions {
  readonly fwdHooks?: readonly Hook[] | undefined;
  /** Hooks on gradients, from the gradient at a point to what replaces it; for runs with `inclBwd`. */
  readonly bwdHooks?: readonly Hook[] | undefined;
}

/** Which hook points a cached run keeps, and of which positions. */
export interface CacheOptions extends HookOptions {
  /** Which hook points to keep; default: all that TransformerLens computes without flags. */
  readonly namesFilter?: NamesFilter | undefined;
  /** Which positions to keep. */
  readonly posSlice?: PosSlice | undefined;
  /** Drop the batch axis, which must be of size 1. */
  readonly removeBatchDim?: boolean | undefined;
  /** Also keep gradients of the loss, or of `metric`, each under its point's name with `_grad` appended. */
  readonly inclBwd?: boolean | undefined;
  /** What to take gradients of: one number, computed from logits [batch pos d_vocab]. */
  readonly metric?: NumberOf<[logits: Tensor]> | undefined;
  /** With `inclBwd`, what to do if the metric does not depend on a point: an error (the default), or a gradient of zero. */
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

/** The kinds of `HookOptions`; each hook is checked where it is placed. */
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
 * Checks the options of a run.
 * @throws ArgumentError for an option that does not exist, has the wrong kind of value, or means nothing in this run
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
  if (options.posSlice !== undefined) needOneStack("posSlice", { cfg });
  if (pastKvCache !== undefined) needOneStack("pastKvCache", { cfg });
  if (loss) needNextToken(`returnType "${returnType}"`, { cfg });
  if (inclBwd && options.metric === undefined && stopAtLayer === undefined)
    needNextToken("inclBwd without a metric", { cfg });
  refuse(
    loss && stopAtLayer !== undefined,
    of,
    "returnType",
    `"${returnType}" needs the logits, but a run with stopAtLayer ends before them`,
  );
  refuse(
    options.lossPerToken && !loss,
    of,
    "lossPerToken",
    'is about a loss: ask for one with returnType "loss" or "both"',
  );
  refuse(
    logitsPos !== undefined && (returnType === "loss" || returnType === null),
    of,
    "logitsPos",
    `is about logits, but this run returns ${returnType === null ? "nothing" : "the loss of all positions"}`,
  );
  refuse(
    pastKvCache !== undefined && startAtLayer !== undefined,
    of,
    "pastKvCache",
    "is for runs from the first layer, not for one with startAtLayer",
  );
  refuse(
    pastKvCache !== undefined && stopAtLayer !== undefined && !pastKvCache.frozen,
    of,
    "pastKvCache",
    "gets keys and values of all layers, but a run with stopAtLayer does not compute them: freeze it so that it is only read",
  );
  refuse(
    options.metric !== undefined && !inclBwd,
    of,
    "metric",
    "is the number to take gradients of: ask for them with inclBwd",
  );
  refuse(options.unused !== undefined && !inclBwd, of, "unused", "is about gradients: ask for them with inclBwd");
}

/** @throws ArgumentError for bounds that mean nothing together, or in this model */
export function checkBounds(of: string, options: RunBounds, cfg: HookedTransformerConfig): void {
  const { nLayers } = cfg;
  const { startAtLayer, stopAtLayer, tokens, shortformerPosEmbed } = options;
  if (startAtLayer !== undefined || stopAtLayer !== undefined) {
    needOneStack(startAtLayer === undefined ? "stopAtLayer" : "startAtLayer", { cfg });
  }
  const from0 = (layer: number) => (layer < 0 ? layer + nLayers : layer);
  refuse(
    tokens !== undefined && startAtLayer === undefined,
    of,
    "tokens",
    "is for runs from a residual stream, with startAtLayer, but here the input is the tokens",
  );
  refuse(
    shortformerPosEmbed instanceof Tensor && !compose(cfg).positions.besideStream,
    of,
    "shortformerPosEmbed",
    "is for shortformer models, which add position embeddings to queries and keys; this model does not",
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
