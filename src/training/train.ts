/** The training loop: batches in, a trained model and its losses out. */

import { checkModel } from "../lens/check.ts";
import { HookedTransformer } from "../lens/hooked-transformer.ts";
import { openDefault } from "../load/open.ts";
import { untilAborted } from "../tensor/abort.ts";
import type { NDArray } from "../tensor/array.ts";
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { keptOf } from "../tensor/kept.ts";
import type { Tokenizer } from "../text/index.ts";
import { type Checkpoint, checkpointFiles, checkpointName, readCheckpoint } from "./checkpoint.ts";
import type { CheckpointStore } from "./checkpoint-store.ts";
import { type Batches, checkedTokens, makeBatches, needTwo } from "./data/batches.ts";
import { evaluateLoss, type HeldOutLoss } from "./evaluate.ts";
import { makeOptimizer } from "./optimizer.ts";
import { checkTrainOptions, settle, stepsInAll, type TrainControls, type TrainOptions } from "./options.ts";
import { learningRate } from "./schedule.ts";
import { freshMemory, makeStep, meanLoss, type Step, type StepSource, type StepState } from "./step.ts";
import { storeOf } from "./store-of.ts";
import { TrainingError } from "./training-error.ts";
import { needTraining } from "./training-memory.ts";

/** The result of a training run. */
export interface TrainResult {
  /** The trained model, with the engine and tokenizer of the original, which is unchanged. */
  readonly model: HookedTransformer;
  /** The loss of each step's batch before the step, from the very first step on, even if training was resumed. */
  readonly losses: readonly number[];
  /** The loss on `heldOut`, each time it was measured. */
  readonly heldOut: readonly HeldOutLoss[];
  /** The last checkpoint; `undefined` without `saveDir`. */
  readonly checkpoint: string | undefined;
}

/**
 * Trains a model: forward, backward, clipping and the optimizer are one graph and one compiled session, fed with each
 * step's batch and what the last step returned. Hooks that were added to the model are ignored.
 *
 * The same model, data and options give the same numbers; a resumed training run gives the same as one that was not
 * interrupted. Source: TransformerLens' `train`, PyTorch's optimizers.
 * @throws MemoryError, before the first step, if a step needs more memory than there is; TrainingError if the loss or the gradient becomes infinite or NaN; ArgumentError, InputError, ShapeError for
 * invalid options and data; ConfigError, WeightsError for a checkpoint of another model. Once `signal` is aborted,
 * its reason.
 */
export async function train(
  model: HookedTransformer,
  options: TrainOptions,
  controls: TrainControls = {},
): Promise<TrainResult> {
  checkModel("train", model);
  checkTrainOptions(options, controls);
  if (model.splices) {
    throw new ArgumentError(
      "train updates a model's own weights, but this view has parts spliced in at hook points: train the model without them.",
      { asked: [...model.splices.weights.keys()] },
    );
  }
  const { signal } = controls;
  signal?.throwIfAborted();
  const store = options.saveDir === undefined ? undefined : storeOf(options.saveDir);
  const holding = store?.hold?.();
  let release: (() => Promise<void>) | undefined;
  try {
    release = await untilAborted(holding, signal);
    return await trainInto(store, model, options, controls);
  } finally {
    if (release) await untilAborted(release(), signal, TIME_TO_KEEP);
    // A lock that is only acquired after the signal is released, too.
    else holding?.then((late) => late()).catch(() => {});
  }
}

/** @throws ArgumentError for a model whose weights are kept in fewer bits, which small steps would not change */
function needFloat32(model: HookedTransformer): void {
  for (const [name, { array }] of model.weights.entries()) {
    const kept = keptOf(array);
    if (!kept) continue;
    throw new ArgumentError(
      `Training needs weights in float32, but ${name} is kept as ${kept.dtype}: open the model with dtype "float32".`,
      { asked: "train", found: kept.dtype },
    );
  }
}

async function trainInto(
  store: CheckpointStore | undefined,
  model: HookedTransformer,
  options: TrainOptions,
  { signal, onProgress }: TrainControls,
): Promise<TrainResult> {
  needFloat32(model);
  const initial = new Map([...model.weights.entries()].map(([name, leaf]): [string, NDArray] => [name, leaf.array!]));
  const settled = settle(options, [...initial.keys()]);
  const { optimizer: name, lr, schedule, warmupSteps } = settled;
  const batches = makeBatches(settled.data, { ...settled, nCtx: model.cfg.nCtx, dVocab: model.cfg.dVocab });
  const steps = stepsInAll(options, batches.stepsPerEpoch);
  if (typeof settled.data !== "function") {
    const [rows, pos] = settled.data.shape;
    if (!options.loss) needTwo(pos);
    const shape = [Math.min(rows, settled.batchSize), pos];
    needTraining({ cfg: model.cfg, engine: model.engine, options, shape, hasWeights: true });
  }
  const optimizer = makeOptimizer(name, settled);
  await untilAborted(store?.check(), signal);

  let state: StepState = { weights: initial, memory: freshMemory(optimizer, initial) };
  let losses: number[] = [];
  let heldOut: HeldOutLoss[] = [];
  let resumed: string | undefined;
  if (options.resume !== undefined) {
    const files =
      typeof options.resume === "string"
        ? await untilAborted(
            openDefault(options.resume, (path) => path, {}),
            signal,
          )
        : options.resume;
    const reading = readCheckpoint(files, model.cfg, initial, name, optimizer.memory);
    const stored = await untilAborted(reading, signal);
    state = stored.state;
    losses = [...stored.losses];
    heldOut = [...stored.heldOut];
    resumed = stored.place;
    if (losses.length > steps) {
      throw new ArgumentError(`The checkpoint is at step ${losses.length}, beyond the total of ${steps} steps.`, {
        asked: steps,
        found: losses.length,
      });
    }
  }

  const stepOn = stepsByShape({
    cfg: model.cfg,
    hookNames: model.hookNames,
    engine: model.engine,
    optimizer,
    loss: options.loss ?? meanLoss,
    maxGradNorm: options.maxGradNorm,
    frozen: settled.frozen,
  });
  const keeper = new Keeper(store, model.text?.tokenizer, signal);
  const now = (): Checkpoint => ({
    ...{ cfg: model.cfg, state, optimizer: name, losses, heldOut },
    about: options.about,
  });
  if (options.heldOut) checkHeldOut(options, model);
  const evalEvery = options.evalEvery ?? Math.ceil(steps / 10);
  const rate = startRate();
  /** Saves what has been done, and ends the training run with the signal's reason. */
  const stopped = async () => {
    if (losses.length > 0 && !whatBroke(0, 0, state)) await keeper.keep(now());
    signal?.throwIfAborted();
  };
  /** Waits no longer than the signal allows; then the finished steps are saved. */
  const unlessStopped = async <T>(promised: Promise<T> | T): Promise<T> => {
    try {
      return await untilAborted(promised, signal);
    } catch (error) {
      if (signal?.aborted && error === signal.reason) await stopped();
      throw error;
    }
  };
  for (let step = losses.length; step < steps; step++) {
    if (signal?.aborted) await stopped();
    const batch = batchOf(batches, step, options);
    const stepLr = learningRate(step, { lr, schedule, warmupSteps, steps });
    const {
      loss,
      gradNorm,
      state: after,
    } = await unlessStopped(stepOn(state, batch).then((run) => run(state, batch, stepLr, step + 1)));
    const keeps = step + 1 === steps || (options.saveEvery !== undefined && (step + 1) % options.saveEvery === 0);
    const broken = whatBroke(loss, gradNorm, keeps ? after : undefined);
    if (broken) throw new TrainingError(broken, { step, loss, lr: stepLr }, keeper.last);
    const asks = options.heldOut && (step + 1 === steps || (step + 1) % evalEvery === 0);
    const seen = rate(batch.data.length);
    if (asks) {
      const as = withWeights(model, after.weights);
      const heldOutLoss = await unlessStopped(evaluateLoss(as, options.heldOut!, { loss: options.loss, signal }));
      if (!Number.isFinite(heldOutLoss)) {
        throw new TrainingError(`The held-out loss became ${heldOutLoss}`, { step, loss, lr: stepLr }, keeper.last);
      }
      heldOut.push({ step: step + 1, loss: heldOutLoss });
    }
    // Only now is the step done: a training run that is stopped while it measures the held-out loss measures it again when resumed.
    state = after;
    losses.push(loss);
    const saved = keeps ? await keeper.keep(now()) : undefined;
    const told = onProgress?.({
      ...{ step: step + 1, steps, loss, gradNorm, lr: stepLr },
      ...seen,
      ...(asks ? { heldOut: heldOut.at(-1)!.loss } : {}),
      checkpoint: saved,
      model: () => withWeights(model, after.weights),
    });
    await unlessStopped(told);
  }
  // If there was nothing left to do, the saved checkpoint stays as it is.
  const done = options.resume !== undefined && options.resume === options.saveDir && keeper.last === undefined;
  const checkpoint = done ? resumed : await keeper.keep(now());
  return { model: withWeights(model, state.weights), losses, heldOut, checkpoint };
}

/** @throws InputError, ShapeError for rows that the model cannot read: before the first step, not at the first evaluation */
function checkHeldOut({ heldOut, loss }: TrainOptions, { cfg }: HookedTransformer): void {
  if (heldOut!.shape?.[0] === 0)
    throw new InputError("heldOut has no rows: leave it out, or hold some rows out.", { found: 0 });
  const { shape } = checkedTokens(heldOut!, cfg.nCtx, cfg.dVocab);
  if (!loss) needTwo(shape[1]);
}

/** What is not a number any more, in words. Weights are checked when they are about to be saved. */
function whatBroke(loss: number, gradNorm: number, kept: StepState | undefined): string | undefined {
  if (!Number.isFinite(loss)) return `The loss became ${loss}`;
  if (!Number.isFinite(gradNorm)) return `The gradient became ${gradNorm}`;
  for (const [name, { data }] of kept?.weights ?? []) {
    for (const x of data) if (!Number.isFinite(x)) return `The weight ${name} became ${x}`;
  }
  return undefined;
}

function batchOf(batches: Batches, step: number, options: TrainOptions): NDArray<"int32"> {
  const batch = batches.at(step);
  if (!options.loss) needTwo(batch.shape[1]);
  return batch;
}

/** A step for each batch shape: the last batch of an epoch may be smaller. */
function stepsByShape(source: StepSource): (state: StepState, batch: NDArray<"int32">) => Promise<Step> {
  const steps = new Map<string, Promise<Step>>();
  return (state, batch) => {
    const shape = batch.shape.join();
    const step = steps.get(shape) ?? makeStep(source, state, batch);
    steps.set(shape, step);
    return step;
  };
}

/** How many milliseconds a checkpoint may still take once a training run is stopped, so that a store that hangs cannot block forever. */
const TIME_TO_KEEP = 60_000;

/** Writes checkpoints, each once, and remembers the last. */
class Keeper {
  last: string | undefined;
  private steps = -1;
  private readonly store: CheckpointStore | undefined;
  private readonly tokenizer: Tokenizer | undefined;
  private readonly signal: AbortSignal | undefined;

  constructor(store: CheckpointStore | undefined, tokenizer: Tokenizer | undefined, signal: AbortSignal | undefined) {
    this.store = store;
    this.tokenizer = tokenizer;
    this.signal = signal;
  }

  async keep(checkpoint: Checkpoint): Promise<string | undefined> {
    const steps = checkpoint.losses.length;
    if (this.store && steps !== this.steps) {
      const written = this.store.write(checkpointName(steps), checkpointFiles(checkpoint, this.tokenizer));
      this.last = await untilAborted(written, this.signal, TIME_TO_KEEP);
      this.steps = steps;
    }
    return this.last;
  }
}

/** Counts tokens, and tokens per second. */
function startRate(): (tokens: number) => { tokens: number; tokensPerSecond: number } {
  const start = performance.now();
  let seen = 0;
  return (tokens) => {
    seen += tokens;
    return { tokens: seen, tokensPerSecond: (1000 * seen) / (performance.now() - start) };
  };
}

function withWeights(model: HookedTransformer, weights: ReadonlyMap<string, NDArray>): HookedTransformer {
  const { text } = model;
  return new HookedTransformer(model.cfg, weights, {
    tokenizer: text?.tokenizer,
    defaultPrependBos: text?.defaultPrependBos,
    defaultPaddingSide: text?.defaultPaddingSide,
    engine: model.engine,
    notes: model.notes,
  });
}
