/** One run of a model: from its options to the graph, and from the engine's numbers to its results. */
import type { Engine } from "../engine/engine.ts";
import { showShape } from "../graph/axes.ts";
import type { Sized } from "../graph/runner.ts";
import { Tensor } from "../graph/tensor.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import type { ForwardInputs } from "../models/forward.ts";
import { lossPerToken, meanLoss } from "../models/loss.ts";
import { ArgumentError, InputError, ShapeError } from "../tensor/errors.ts";
import type { TokenRules } from "../text/token-rules.ts";
import { cutAxis } from "./axis-slice.ts";
import { gradientsOf } from "./backward.ts";
import { predicted } from "./decoder-input.ts";
import type { HookContexts } from "./hook-contexts.ts";
import { resolveFilter } from "./hook-names.ts";
import { type Hook, type PlacedHook, traceHooks } from "./hooks.ts";
import { type CacheTurn, checkRows } from "./key-value-cache.ts";
import { checkCounted } from "./losses.ts";
import { numberOf } from "./metric.ts";
import { givenMask, type InputOptions, layerIndex, prepareInput } from "./model-input.ts";
import { slicePositions } from "./pos-slice.ts";
import type { CacheOptions, ForwardOptions, Output, ReturnType, RunBounds } from "./run-options.ts";
import type { ModelInput } from "./tokens.ts";
import { type PassSource, tracePass } from "./trace-pass.ts";

/** The model that a run is of. */
export interface RunSource extends PassSource {
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

/**
 * Runs a model, and captures hook points if `capture` says so. What outlasts the run (a key/value cache, what hooks
 * remember) is changed once it has succeeded, `finish` included.
 */
export async function run<T>(
  source: RunSource,
  input: ModelInput,
  options: ForwardOptions & CacheOptions,
  capture: boolean,
  finish: (output: Output<ReturnType>, values: Map<string, Tensor>) => T,
): Promise<T> {
  const { signal } = options;
  signal?.throwIfAborted();
  const sized = sizedRun(options, capture);
  const compute: Compute = (outputs) => source.engine.run(outputs, { signal, sized });
  const turn = options.pastKvCache?.turn(source);
  try {
    return await source.contexts.during(async () => {
      const { heads, values, keysValues } = await traceRun(source, input, options, capture, compute, turn);
      const results = await compute([...heads, ...values.values(), ...keysValues]);
      const named = new Map([...values.keys()].map((name, i) => [name, results[heads.length + i]]));
      const both = options.returnType === "both" && options.stopAtLayer === undefined;
      const output = both ? { logits: results[0], loss: results[1] } : heads.length > 0 ? results[0] : undefined;
      const finished = finish(output as Output<ReturnType>, named);
      turn?.commit(results.slice(heads.length + values.size));
      return finished;
    });
  } finally {
    turn?.end();
  }
}

/** A run in words, and what would take less memory, for the error where it does not fit. */
function sizedRun(
  { namesFilter, inclBwd, logitsPos, returnType }: ForwardOptions & CacheOptions,
  capture: boolean,
): Sized {
  const less = ["pass fewer texts at a time"];
  if (capture && namesFilter === undefined) less.push("name only the hook points you need in namesFilter");
  else if (capture) less.push("keep fewer hook points or positions (namesFilter, posSlice)");
  if (inclBwd) less.push("take gradients of fewer points");
  else if (logitsPos === undefined && (returnType ?? "logits") !== null && returnType !== "loss") {
    less.push("ask only for the last position's logits (logitsPos: -1)");
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
  turn: CacheTurn | undefined,
): Promise<Traced> {
  const inputs = runInputs(source, input, options, turn);
  const asked = options.namesFilter === undefined ? [] : resolveFilter(options.namesFilter, source.hookNames);
  const own = placeHooks(options.fwdHooks ?? [], source.hookNames);
  const backward = placeHooks(options.bwdHooks ?? [], source.hookNames);
  if (backward.length > 0 && !options.inclBwd) {
    throw new ArgumentError("bwdHooks change gradients, but this run has none: use runWithCache with inclBwd.", {
      asked: backward[0].name,
    });
  }
  // A gradient is of a value that the output is computed from, not of one that stands beside.
  const onGradients = [...backward, ...source.standingBwd].map((h) => h.name);
  const differentiated = options.inclBwd ? [...asked, ...onGradients] : [];
  const changes = [...source.standing, ...own].map((h) => h.name).concat(differentiated);
  const usual = !capture || asked.length > 0 ? undefined : options.inclBwd ? "gradients" : "values";
  const built = tracePass(source, inputs, { reads: asked, changes, usual });
  const point = (name: string) => built.points.get(name) ?? unreached(name, inputs, built.points);
  for (const { name } of [...own, ...backward.filter(({ byTest }) => !byTest)]) point(name);

  const names = !capture ? [] : asked.length > 0 ? asked : [...built.points.keys()];
  const clean = [...names.map(point), built.output];
  const rewrite = await traceHooks(built.points, clean, [...source.standing, ...own], {
    contexts: source.contexts,
    step: options.step,
    run: compute,
    signal: options.signal,
    whole: options.inclBwd === true,
  });
  const output = rewrite.get(built.output);
  const values = new Map(names.map((name) => [name, rewrite.get(point(name))]));
  const gradients = !options.inclBwd
    ? []
    : gradientsOf({
        metric: options.metric ? numberOf(options.metric, output) : wholeLoss(output, inputs),
        // What is an index has no gradient; one that was asked for by name is refused.
        values: asked.length > 0 ? values : new Map([...values].filter(([, value]) => value.dtype === "float32")),
        hooks: backward,
        standing: source.standingBwd,
        at: (name) => (built.points.has(name) ? rewrite.get(point(name)) : undefined),
        unused: options.unused,
        contexts: source.contexts,
        step: options.step,
      });
  const sliced = (v: Tensor) => (options.posSlice === undefined ? v : slicePositions(v, options.posSlice));
  const layers = Array.from({ length: source.cfg.nLayers }, (_, layer) => layer);
  const keysValues = turn?.keeps
    ? layers.flatMap((layer) => ["k", "v"].map((x) => rewrite.get(point(`blocks.${layer}.attn.hook_${x}`))))
    : [];
  const [batch, pos] = inputs.tokens?.shape ?? [];
  checkRows(keysValues, batch, pos);
  return {
    heads: headsOf(output, inputs, options),
    values: new Map([...values, ...gradients].map(([name, value]) => [name, sliced(value)])),
    keysValues,
  };
}

/** What a run returns besides captured values. */
function headsOf(output: Tensor, inputs: ForwardInputs, options: ForwardOptions): Tensor[] {
  const { returnType = "logits" } = options;
  if (returnType === null) return [];
  const returned = options.logitsPos === undefined ? output : slicePositions(output, options.logitsPos);
  if (options.stopAtLayer !== undefined || returnType === "logits") return [returned];
  const loss = lossOf(output, inputs, options.lossPerToken ? lossPerToken : meanLoss);
  return returnType === "loss" ? [loss] : [returned, loss];
}

/** The loss whose gradients are taken if there is no metric. */
function wholeLoss(output: Tensor, inputs: ForwardInputs): Tensor {
  if (inputs.stopAtLayer === undefined) return lossOf(output, inputs, meanLoss);
  throw new ArgumentError(
    "A run that stops at a layer has no loss to take gradients of: pass a `metric`, a single number computed from the residual stream.",
    { asked: "inclBwd", found: inputs.stopAtLayer },
  );
}

function lossOf(logits: Tensor, inputs: ForwardInputs, loss: typeof meanLoss): Tensor {
  const { tokens, attentionMask } = predicted(inputs);
  if (!tokens) {
    throw new ArgumentError("The loss of a run that starts from a residual stream also needs `tokens`.", {
      asked: "loss",
    });
  }
  if (tokens.shape[1] < 2) {
    throw new InputError("A loss needs at least two tokens: one to predict from and one to predict.", {
      found: tokens.shape[1],
    });
  }
  // With earlier positions in a cache, the mask is of those too.
  const mask =
    attentionMask &&
    cutAxis(attentionMask, attentionMask.axes[1], { start: -tokens.shape[1] }).rename(["batch", "pos"]);
  if (attentionMask) checkCounted(attentionMask, tokens.shape[1]);
  return loss(logits, tokens, mask);
}

function unreached(name: string, inputs: ForwardInputs, points: ReadonlyMap<string, Tensor>): never {
  throw new ArgumentError(
    `This run does not reach "${name}": it goes from layer ${inputs.startAtLayer ?? 0} to ${inputs.stopAtLayer ?? "the logits"}.`,
    { asked: name, found: [...points.keys()] },
  );
}

/** Hooks at the points that their names, or their tests for names, mean. @throws UnknownNameError, ArgumentError */
export function placeHooks(hooks: readonly Hook[], known: readonly string[]): PlacedHook[] {
  for (const hook of Array.isArray(hooks) ? hooks : [hooks]) {
    if (Array.isArray(hook) && typeof hook[1] === "function") continue;
    throw new ArgumentError(
      "Each hook must be a pair of a hook point's name and a function: [[name, (x) => x.mul(0)]].",
      {
        asked: hook,
      },
    );
  }
  return hooks.flatMap(([at, f]) =>
    resolveFilter(at, known).map((name) => ({ name, f, byTest: typeof at === "function" })),
  );
}

/** What the forward pass is built from. @throws InputError, ShapeError, ArgumentError */
export function runInputs(
  { cfg, text }: Pick<RunSource, "cfg" | "text">,
  input: ModelInput,
  options: InputOptions & RunBounds,
  turn?: CacheTurn,
): ForwardInputs {
  const bound = (what: "startAtLayer" | "stopAtLayer") =>
    options[what] === undefined ? {} : { [what]: layerIndex(what, options[what], cfg) };
  const bounds = { ...bound("startAtLayer"), ...bound("stopAtLayer") };
  const { shortformerPosEmbed } = options;
  if (options.startAtLayer === undefined) {
    const prepared = prepareInput(input, options, cfg, text, turn?.length);
    checkPosEmbed(shortformerPosEmbed, prepared.tokens, cfg);
    const attentionMask = turn ? turn.mask(prepared) : prepared.attentionMask;
    const held = turn && { past: turn.layers, earlier: turn.length };
    return { ...prepared, attentionMask, ...held, shortformerPosEmbed, ...bounds };
  }
  const isStream = input instanceof Tensor && input.dtype === "float32" && input.shape.at(-1) === cfg.dModel;
  if (!isStream || input.shape.length < 3) {
    const found = input instanceof Tensor ? `${input.dtype} ${showShape(input)}` : "tokens or text";
    throw new ShapeError(
      `With startAtLayer the input must be a residual stream, float32 [batch, pos, d_model ${cfg.dModel}], but got ${found}.`,
      { asked: options.startAtLayer, found },
    );
  }
  const residual = input.shape.length === 3 ? input.rename(["batch", "pos", "d_model"]) : input;
  checkPosEmbed(shortformerPosEmbed, residual, cfg);
  const { tokens, attentionMask } = options;
  const prepared =
    tokens !== undefined
      ? prepareInput(tokens, options, cfg, text)
      : { attentionMask: attentionMask === undefined ? undefined : givenMask(attentionMask, residual) };
  return { residual, ...prepared, shortformerPosEmbed, ...bounds };
}

/** @throws ShapeError for position embeddings that cannot be added to what queries and keys are made of */
function checkPosEmbed(given: Tensor | null | undefined, like: Tensor, { dModel }: HookedTransformerConfig): void {
  if (!given) return;
  const wanted = [...like.shape.slice(0, 2), dModel];
  const lead = wanted.length - given.shape.length;
  if (lead >= 0 && given.dtype === "float32" && given.shape.every((n, i) => n === 1 || n === wanted[lead + i])) return;
  throw new ShapeError(
    `shortformerPosEmbed must be float32 [batch, pos, d_model], here [${wanted.join(", ")}], but got ${given.dtype} ${showShape(given)}.`,
    { asked: wanted, found: given.shape },
  );
}
