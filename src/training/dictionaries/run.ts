/** A run that trains a dictionary, or transcoders across layers, on a model's activations. */
import { resolveName } from "../../lens/hook-names.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import { openDefault } from "../../load/open.ts";
import { recordingOf } from "../../models/recording.ts";
import { ndarray } from "../../tensor/array.ts";
import { ArgumentError } from "../../tensor/errors.ts";
import { checkpointName } from "../checkpoint.ts";
import type { CheckpointStore } from "../checkpoint-store.ts";
import { checkedTokens } from "../data/batches.ts";
import { fingerprint } from "../data/fingerprint.ts";
import { makeOptimizer } from "../optimizer.ts";
import { freshMemory } from "../step.ts";
import { storeOf } from "../store-of.ts";
import { TrainingError } from "../training-error.ts";
import { type ActivationBatch, ActivationStream } from "./activations.ts";
import { addNorms, scaled, variances } from "./batch.ts";
import { type DictionaryState, dictionaryCheckpoint, readDictionaryCheckpoint } from "./checkpoint.ts";
import type { DictionaryRunOptions, DictionarySettings, TrainDictionaryControls } from "./run-options.ts";
import { coefficientAt, dictionaryRate, Firing } from "./schedules.ts";
import { type DictionaryStepResult, makeDictionaryStep } from "./step.ts";
import { StoredActivations, StoredStream } from "./stored-activations.ts";
import type { Trainee } from "./trainee.ts";

/** What a run gives. */
export interface Ended<Result> {
  readonly result: Result;
  /** The measures of each step, from the first one on. */
  readonly history: readonly Readonly<Record<string, number>>[];
  /** The last checkpoint. */
  readonly checkpoint: string | undefined;
}

/** How many numbers a hook point of the model's holds for a token. @throws UnknownNameError, ArgumentError for one that holds something else */
export function tokenPoint(model: HookedTransformer, name: string): { readonly name: string; readonly width: number } {
  const known = resolveName(name, model.hookNames);
  const point = recordingOf(model.cfg).points.get(known);
  if (point && point.axes[0] === "batch" && point.axes[1] === "pos" && point.dtype === "float32") {
    return { name: known, width: point.shape.slice(2).reduce((a, b) => a * b, 1) };
  }
  throw new ArgumentError(
    `A dictionary reads numbers for each token, [batch pos …], but ${known} is [${point?.axes ?? "not the model's own"}].`,
    { asked: known, found: point?.axes },
  );
}

/** Batches whose mean norm is the input's scale. */
const SCALE_BATCHES = 16;
/** Rows that the model runs at a time. */
const ROWS_AT_ONCE = 32;

/** What is run: on which model, what is trained, and the hook points that each of its layers reads and makes. */
export interface Planned<Result> {
  readonly model: HookedTransformer;
  readonly trainee: Trainee<Result>;
  readonly reads: readonly string[];
  readonly makes: readonly string[];
  readonly settled: DictionarySettings;
  readonly options: DictionaryRunOptions;
  readonly controls: TrainDictionaryControls;
}

/** Trains what is planned. @throws ArgumentError for data or a checkpoint that does not fit, MemoryError, TrainingError */
export async function trained<Result>(planned: Planned<Result>): Promise<Ended<Result>> {
  const run = await new Run(planned).start();
  return run.toTheEnd();
}

/** A run: what does not change, and what it has come to. */
class Run<Result> {
  private readonly planned: Planned<Result>;
  private readonly optimizer = makeOptimizer("adam", { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, momentum: 0 });
  private readonly stream: ActivationStream | StoredStream;
  private readonly store: CheckpointStore | undefined;
  private readonly firing: Firing;
  private readonly history: Readonly<Record<string, number>>[] = [];
  private state!: Omit<DictionaryState, "stepsSince" | "counts" | "history">;
  private checkpoint: string | undefined;

  constructor(planned: Planned<Result>) {
    const { trainee, settled, options } = planned;
    this.planned = planned;
    this.store = options.saveDir === undefined ? undefined : storeOf(options.saveDir);
    this.stream = streamOf(planned);
    this.firing = new Firing(trainee.layers * trainee.cfg.dSae, settled.deadFeatureWindow!);
  }

  /** Reads or makes what the first step starts from. */
  async start(): Promise<this> {
    await this.store?.check();
    const { trainee, settled, options } = this.planned;
    const { resume } = options;
    if (resume !== undefined) {
      const files = typeof resume === "string" ? await openDefault(resume, (path) => path, {}) : resume;
      const { stepsSince, counts, history, ...state } = await readDictionaryCheckpoint(files, this.about);
      const steps = settled.steps!;
      if (history.length > steps) {
        throw new ArgumentError(`The checkpoint is at step ${history.length}, beyond the total of ${steps} steps.`, {
          asked: steps,
          found: history.length,
        });
      }
      this.firing.stepsSince.set(stepsSince);
      this.firing.counts.set(counts);
      this.history.push(...history);
      this.state = state;
      return this;
    }
    const weights = trainee.init(settled.seed!);
    const step = { weights, memory: freshMemory(this.optimizer, weights) };
    this.state = { step, threshold: 0, inputScales: await this.scales() };
    return this;
  }

  async toTheEnd(): Promise<Ended<Result>> {
    const { model, trainee, settled, options, controls } = this.planned;
    const { batchSize, steps, maxGradNorm } = settled;
    const { kind, settings } = trainee;
    const step = await makeDictionaryStep(
      { trainee, optimizer: this.optimizer, maxGradNorm },
      model.engine,
      batchSize!,
    );
    for (let i = this.history.length; i < steps!; i++) {
      if (controls.signal?.aborted) await this.stopped();
      const batch = scaled(
        await this.stream.batch(i, controls.signal).catch((error) => this.stopped(error)),
        this.state.inputScales,
      );
      const lr = this.rate(i);
      const dead = this.firing.deadCount > 0 ? this.firing.dead() : null;
      const result = await step(this.state.step, {
        ...{ ...batch, lr, number: i + 1 },
        dead: dead && ndarray("float32", [dead.length], dead),
        coefficient: coefficientAt(i, kind, settings),
      });
      this.take(i, batch, result);
      const keeps = i + 1 === steps || (i + 1) % (options.saveEvery ?? Infinity) === 0;
      const checkpoint = keeps ? await this.save() : undefined;
      const measures = this.history[i];
      await controls.onProgress?.({ step: i + 1, steps: steps!, lr, measures, checkpoint });
    }
    return { result: this.result(), history: this.history, checkpoint: this.checkpoint };
  }

  private rate(step: number): number {
    const { lr, schedule, lrWarmUpSteps, lrDecaySteps, steps } = this.planned.settled;
    return dictionaryRate(step, {
      ...{ lr: lr!, schedule: schedule as "constant", steps: steps! },
      ...{ warmUpSteps: lrWarmUpSteps!, decaySteps: lrDecaySteps! },
    });
  }

  /** What a step has changed. @throws TrainingError if it is no longer numbers */
  private take(i: number, { target }: ActivationBatch, result: DictionaryStepResult): void {
    const { losses, errors, fired, least, gradNorm, state } = result;
    const { layers, settings } = this.planned.trainee;
    if (!Number.isFinite(losses.loss) || !Number.isFinite(gradNorm)) {
      throw new TrainingError(
        `The loss became ${losses.loss}`,
        { step: i, loss: losses.loss, lr: this.rate(i) },
        this.checkpoint,
      );
    }
    const [tokens] = target.shape;
    const dead = this.firing.deadCount / fired.length;
    const l0 = this.firing.add(fired, tokens);
    const rate = settings.topkThresholdLr;
    const { threshold } = this.state;
    const all = variances(target, layers);
    const explained = 1 - losses.mse_loss / all.reduce((a, b) => a + b);
    const byLayer = layers === 1 ? [] : all.map((one, layer) => [explainedBy(layer), 1 - errors[layer] / one] as const);
    this.history.push({ ...losses, l0, dead, explained_variance: explained, ...Object.fromEntries(byLayer) });
    this.state = {
      ...this.state,
      step: state,
      threshold: Number.isFinite(least) ? (1 - rate) * threshold + rate * least : threshold,
    };
  }

  private result(): Result {
    const { step, threshold, inputScales } = this.state;
    return this.planned.trainee.finished({ weights: step.weights, threshold, inputScales });
  }

  /** What a resumed run must agree with. */
  private get about(): Readonly<Record<string, unknown>> {
    const { trainee, settled, options } = this.planned;
    const { cfg, settings, kind } = trainee;
    const { metadata: _, ...sizes } = cfg;
    return {
      ...settled,
      kind,
      ...sizes,
      ...settings,
      data: options.data instanceof StoredActivations ? options.data.index.id : fingerprint(options.data),
    };
  }

  private async save(): Promise<string | undefined> {
    if (!this.store || this.history.length === 0) return undefined;
    const { stepsSince, counts } = this.firing;
    const files = dictionaryCheckpoint(
      await this.planned.trainee.files(this.result()),
      { ...this.state, stepsSince, counts, history: this.history },
      this.about,
    );
    this.checkpoint = await this.store.write(checkpointName(this.history.length), files);
    return this.checkpoint;
  }

  /** Saves what has been done, and ends with the signal's reason. */
  private async stopped(error?: unknown): Promise<never> {
    const { signal } = this.planned.controls;
    if (signal?.aborted) await this.save();
    throw signal?.aborted ? signal.reason : error;
  }

  /** For each layer `sqrt(d_in)` over the mean norm of the first batches; 1 without normalisation. */
  private async scales(): Promise<number[]> {
    const { trainee, settled, controls } = this.planned;
    const { layers, cfg } = trainee;
    if (settled.normalizeActivations === "none") return Array.from({ length: layers }, () => 1);
    const sums = new Float64Array(layers);
    let tokens = 0;
    for (let i = 0; i < Math.min(SCALE_BATCHES, settled.mixedBatches!); i++) {
      const { x } = await this.stream.batch(i, controls.signal);
      addNorms(x, sums);
      tokens += x.shape[0];
    }
    return [...sums].map((sum) => Math.sqrt(cfg.dIn) / (sum / tokens));
  }
}

/** What the explained variance of a layer is called among a run's measures. */
export const explainedBy = (layer: number): string => `explained_variance_${layer}`;

/** The activations that a run is of: stored ones, or the model's over rows of tokens. @throws ArgumentError for what does not fit */
function streamOf<Result>({ model, trainee, settled, options, reads, makes }: Planned<Result>) {
  const { batchSize, mixedBatches, fromPosition, seed } = settled;
  const mixing = { batchSize: batchSize!, mixedBatches: mixedBatches!, seed: seed! };
  const { data } = options;
  if (data instanceof StoredActivations) {
    if (fromPosition! > 0) {
      throw new ArgumentError(
        `fromPosition is ${fromPosition}, but ${data.name} has activations that are saved already: leave it out, and scan with --from-position ${fromPosition}.`,
        { asked: fromPosition },
      );
    }
    return new StoredStream(data, { reads, makes, ...mixing });
  }
  const rows = checkedTokens(data, model.cfg.nCtx, model.cfg.dVocab);
  if (fromPosition! >= rows.shape[1]) {
    throw new ArgumentError(
      `fromPosition is ${fromPosition}, but the rows have ${rows.shape[1]} tokens: nothing would be left of them.`,
      { asked: fromPosition, found: rows.shape[1] },
    );
  }
  const { dIn, dOut } = trainee.cfg;
  const reading = { rows, reads, makes, dIn, dOut, fromPosition: fromPosition!, rowsAtOnce: ROWS_AT_ONCE };
  return new ActivationStream(model, { ...reading, ...mixing });
}
