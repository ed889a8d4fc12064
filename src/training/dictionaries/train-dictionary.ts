/** Trains a sparse dictionary on a model's activations. */
import type { Dictionary } from "../../dictionaries/dictionary.ts";
import { checkModel } from "../../lens/check.ts";
import { resolveName } from "../../lens/hook-names.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import type { ModelFiles } from "../../load/files.ts";
import { openDefault } from "../../load/open.ts";
import { recordingOf } from "../../models/recording.ts";
import { kindsOf } from "../../options/kinds.ts";
import { type Given, type Settled, settle } from "../../options/settle.ts";
import { type NDArray, ndarray } from "../../tensor/array.ts";
import { ArgumentError } from "../../tensor/errors.ts";
import { ANYTHING, COUNT, either, FLAG, FUNCTION, listOf, OBJECT, SIGNAL, TEXT } from "../../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../../tensor/options.ts";
import { checkpointName } from "../checkpoint.ts";
import type { CheckpointStore } from "../checkpoint-store.ts";
import { checkedTokens } from "../data/batches.ts";
import { fingerprint } from "../data/fingerprint.ts";
import { makeOptimizer } from "../optimizer.ts";
import { freshMemory } from "../step.ts";
import { storeOf } from "../store-of.ts";
import { TrainingError } from "../training-error.ts";
import { type ActivationBatch, ActivationStream } from "./activations.ts";
import { type DictionaryState, dictionaryCheckpoint, readDictionaryCheckpoint } from "./checkpoint.ts";
import { configWhileTrained } from "./config.ts";
import { finished } from "./finish.ts";
import { initDictionary } from "./init.ts";
import type { TrainingKindName } from "./kinds.ts";
import { DICTIONARY_OPTIONS } from "./options.ts";
import { coefficientAt, dictionaryRate, Firing } from "./schedules.ts";
import { LOSS_DEFAULTS, type LossSettings } from "./settings.ts";
import { type DictionaryStepResult, type DictionaryTraining, makeDictionaryStep } from "./step.ts";

/** What a dictionary is trained on, and how; the rest are SAELens' settings in camelCase, with its defaults. */
export interface TrainDictionaryOptions extends Given<typeof DICTIONARY_OPTIONS> {
  /** Rows of tokens, int32 [row pos]; they are gone through again as often as the steps need. */
  readonly data: NDArray<"int32">;
  /** The hook point that the dictionary reads, and, unless `makes` says another one, stands at. */
  readonly at: string;
  /** The hook point that a transcoder makes, such as `blocks.0.hook_mlp_out`. */
  readonly makes?: string | undefined;
  /** Whether a transcoder's input also goes to its output through a matrix, `W_skip`. Default: no. */
  readonly skip?: boolean | undefined;
  /** Whether `b_dec` is subtracted from the input. Default: yes, but never in a transcoder. */
  readonly applyBDecToInput?: boolean | undefined;
  /** The numbers of features that reconstruct alone, of `matryoshka_batchtopk`. Default: an eighth, a quarter and a half of them. */
  readonly matryoshkaWidths?: readonly number[] | undefined;
  /** What else its `cfg.json` is to say, as SAELens' metadata: `dataset_path`, `context_size`, `prepend_bos`, … */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  /** Where to save checkpoints, one folder each, in SAELens' format: a folder's path in Node, or a store. The last step is always saved. */
  readonly saveDir?: string | CheckpointStore | undefined;
  /** Also save a checkpoint every this many steps. */
  readonly saveEvery?: number | undefined;
  /** A folder of checkpoints, whose last one is continued: the result is that of a run that was not interrupted. */
  readonly resume?: string | ModelFiles | undefined;
}

/** The measures of a step. */
export interface DictionaryProgress {
  /** Steps done, and the total number. */
  readonly step: number;
  readonly steps: number;
  readonly lr: number;
  /** Losses by SAELens' names, `loss` the sum of the others; features per token; the share of features that are dead; explained variance. */
  readonly measures: Readonly<Record<string, number>>;
  /** The checkpoint that was just written. */
  readonly checkpoint: string | undefined;
}

/** What to do while training. */
export interface TrainDictionaryControls {
  /** Stops between two steps; what has been done is saved in `saveDir`, if there is one. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each step; if it returns a promise, the next step waits for it. */
  readonly onProgress?: ((progress: DictionaryProgress) => unknown) | undefined;
}

/** What a run gives. */
export interface TrainedDictionary {
  readonly dictionary: Dictionary;
  /** The measures of each step, from the first one on. */
  readonly history: readonly Readonly<Record<string, number>>[];
  /** The last checkpoint. */
  readonly checkpoint: string | undefined;
}

const OPTIONS: OptionKinds<TrainDictionaryOptions> = {
  ...kindsOf(DICTIONARY_OPTIONS),
  ...{ data: ANYTHING, at: TEXT, makes: TEXT, skip: FLAG, applyBDecToInput: FLAG, metadata: OBJECT },
  matryoshkaWidths: listOf(COUNT, "numbers"),
  saveDir: either(TEXT, OBJECT),
  saveEvery: COUNT,
  resume: either(TEXT, OBJECT),
};
const CONTROLS: OptionKinds<TrainDictionaryControls> = { signal: SIGNAL, onProgress: FUNCTION };

/** Batches whose mean norm is the input's scale. */
const SCALE_BATCHES = 16;

/**
 * Trains a sparse autoencoder, or with `makes` a transcoder, on what a model's hook point holds over rows of tokens:
 * `Σ_d (x̂ - x)²`, the mean over tokens, plus what its kind adds, by Adam. The result is as SAELens saves dictionaries for use: norms
 * folded where features are compared times them, thresholds in place of comparing batches. The same seed gives the same dictionary.
 * @throws ArgumentError for options that do not go together, UnknownNameError for an unknown hook point, ConfigError for sizes that
 * cannot be, MemoryError for a step that does not fit, TrainingError if the loss is no longer a number
 * Source: SAELens' `SAETrainer`.
 */
export async function trainDictionary(
  model: HookedTransformer,
  options: TrainDictionaryOptions,
  controls: TrainDictionaryControls = {},
): Promise<TrainedDictionary> {
  checkModel("trainDictionary", model);
  checkOptions("trainDictionary", options, OPTIONS);
  checkOptions("trainDictionary's controls", controls, CONTROLS);
  const run = await new Run(model, options, controls).start();
  return run.toTheEnd();
}

/** A run: what does not change, and what it has come to. */
class Run {
  private readonly options: TrainDictionaryOptions;
  private readonly settled: Settled<typeof DICTIONARY_OPTIONS>;
  private readonly controls: TrainDictionaryControls;
  private readonly training: DictionaryTraining;
  private readonly stream: ActivationStream;
  private readonly store: CheckpointStore | undefined;
  private readonly model: HookedTransformer;
  private readonly firing: Firing;
  private readonly history: Readonly<Record<string, number>>[] = [];
  private state!: Omit<DictionaryState, "stepsSince" | "counts" | "history">;
  private checkpoint: string | undefined;

  constructor(model: HookedTransformer, options: TrainDictionaryOptions, controls: TrainDictionaryControls) {
    const settled = settle(options, DICTIONARY_OPTIONS, { model });
    this.settled = settled;
    this.model = model;
    this.options = options;
    this.controls = controls;
    this.store = options.saveDir === undefined ? undefined : storeOf(options.saveDir);
    const reads = resolveName(options.at, model.hookNames);
    const makes = options.makes === undefined ? reads : resolveName(options.makes, model.hookNames);
    const [dIn, dOut] = [reads, makes].map((name) => widthAt(model, name));
    this.training = trainingOf(options, settled, { reads, makes, dIn, dOut, modelName: model.cfg.modelName });
    const { batchSize, mixedBatches, fromPosition, seed } = settled;
    const rows = checkedTokens(options.data, model.cfg.nCtx, model.cfg.dVocab);
    if (fromPosition! >= rows.shape[1]) {
      throw new ArgumentError(
        `fromPosition is ${fromPosition}, but the rows have ${rows.shape[1]} tokens: nothing would be left of them.`,
        { asked: fromPosition, found: rows.shape[1] },
      );
    }
    this.stream = new ActivationStream(model, {
      ...{ rows, reads, makes, dIn, dOut, seed: seed! },
      ...{ batchSize: batchSize!, mixedBatches: mixedBatches!, fromPosition: fromPosition!, rowsAtOnce: ROWS_AT_ONCE },
    });
    this.firing = new Firing(settled.dSae!, settled.deadFeatureWindow!);
  }

  /** Reads or makes what the first step starts from. */
  async start(): Promise<this> {
    await this.store?.check();
    const { resume } = this.options;
    if (resume !== undefined) {
      const files = typeof resume === "string" ? await openDefault(resume, (path) => path, {}) : resume;
      const { stepsSince, counts, history, ...state } = await readDictionaryCheckpoint(files, this.about);
      const steps = this.settled.steps!;
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
    const { cfg, settings, optimizer } = this.training;
    const weights = initDictionary(cfg, settings, this.settled.seed!);
    const step = { weights, memory: freshMemory(optimizer, weights) };
    this.state = { step, threshold: 0, inputScale: await this.scale() };
    return this;
  }

  async toTheEnd(): Promise<TrainedDictionary> {
    const { batchSize, steps } = this.settled;
    const step = await makeDictionaryStep(this.training, this.model.engine, batchSize!);
    for (let i = this.history.length; i < steps!; i++) {
      if (this.controls.signal?.aborted) await this.stopped();
      const batch = scaled(
        await this.stream.batch(i, this.controls.signal).catch((error) => this.stopped(error)),
        this.state.inputScale,
      );
      const lr = this.rate(i);
      const dSae = this.settled.dSae!;
      const result = await step(this.state.step, {
        ...{ ...batch, lr, number: i + 1 },
        dead: this.firing.deadCount > 0 ? ndarray("float32", [dSae], this.firing.dead()) : null,
        coefficient: coefficientAt(i, this.training.kind, this.training.settings),
      });
      this.take(i, batch, result);
      const keeps = i + 1 === steps || (i + 1) % (this.options.saveEvery ?? Infinity) === 0;
      const checkpoint = keeps ? await this.save() : undefined;
      const measures = this.history[i];
      await this.controls.onProgress?.({ step: i + 1, steps: steps!, lr, measures, checkpoint });
    }
    return { dictionary: this.dictionary(), history: this.history, checkpoint: this.checkpoint };
  }

  private rate(step: number): number {
    const { lr, schedule, lrWarmUpSteps, lrDecaySteps, steps } = this.settled;
    return dictionaryRate(step, {
      ...{ lr: lr!, schedule: schedule as "constant", steps: steps! },
      ...{ warmUpSteps: lrWarmUpSteps!, decaySteps: lrDecaySteps! },
    });
  }

  /** What a step has changed. @throws TrainingError if it is no longer numbers */
  private take(i: number, { target }: ActivationBatch, result: DictionaryStepResult): void {
    const { losses, fired, least, gradNorm, state } = result;
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
    const rate = this.training.settings.topkThresholdLr;
    const { threshold } = this.state;
    const measures = { ...losses, l0, dead, explained_variance: 1 - losses.mse_loss / variance(target) };
    this.history.push(measures);
    this.state = {
      ...this.state,
      step: state,
      threshold: Number.isFinite(least) ? (1 - rate) * threshold + rate * least : threshold,
    };
  }

  private dictionary(): Dictionary {
    const { step, threshold, inputScale } = this.state;
    return finished(this.training, { weights: step.weights, threshold, inputScale });
  }

  /** What a resumed run must agree with. */
  private get about(): Readonly<Record<string, unknown>> {
    const { cfg, settings, kind } = this.training;
    const { metadata: _, ...sizes } = cfg;
    return { ...this.settled, kind, ...sizes, ...settings, data: fingerprint(this.options.data) };
  }

  private async save(): Promise<string | undefined> {
    if (!this.store || this.history.length === 0) return undefined;
    const { stepsSince, counts } = this.firing;
    const files = dictionaryCheckpoint(
      this.dictionary(),
      { ...this.state, stepsSince, counts, history: this.history },
      this.about,
    );
    this.checkpoint = await this.store.write(checkpointName(this.history.length), files);
    return this.checkpoint;
  }

  /** Saves what has been done, and ends with the signal's reason. */
  private async stopped(error?: unknown): Promise<never> {
    const { signal } = this.controls;
    if (signal?.aborted) await this.save();
    throw signal?.aborted ? signal.reason : error;
  }

  /** `sqrt(d_in)` over the mean norm of the first batches; 1 without normalisation. */
  private async scale(): Promise<number> {
    if (this.settled.normalizeActivations === "none") return 1;
    let [sum, tokens] = [0, 0];
    const { dIn } = this.training.cfg;
    for (let i = 0; i < Math.min(SCALE_BATCHES, this.settled.mixedBatches!); i++) {
      const { x } = await this.stream.batch(i, this.controls.signal);
      for (let at = 0; at < x.data.length; at += dIn) sum += Math.hypot(...x.data.subarray(at, at + dIn));
      tokens += x.shape[0];
    }
    return Math.sqrt(dIn) / (sum / tokens);
  }
}

/** Rows that the model runs at a time. */
const ROWS_AT_ONCE = 32;

/** Which dictionary is trained, and how. */
function trainingOf(
  options: TrainDictionaryOptions,
  settled: Settled<typeof DICTIONARY_OPTIONS>,
  place: { reads: string; makes: string; dIn: number; dOut: number; modelName: string },
): DictionaryTraining {
  const { reads, makes, dIn, dOut, modelName } = place;
  const transcoder = options.makes !== undefined;
  const { kind, dSae } = settled as { kind: TrainingKindName; dSae: number };
  const isZ = reads.endsWith("hook_z") && !transcoder;
  const cfg = configWhileTrained({
    ...{ kind, dIn, dOut, dSae, transcoder, skip: options.skip, modelName },
    ...{ hookName: reads, hookNameOut: transcoder ? makes : null, reshapeActivations: isZ ? "hook_z" : "none" },
    applyBDecToInput: options.applyBDecToInput ?? !transcoder,
    metadata: options.metadata ?? {},
    k: settled.k ?? null,
  });
  const given = Object.fromEntries(
    Object.entries(settled).filter(([name, v]) => name in LOSS_DEFAULTS && v !== undefined),
  );
  const settings: LossSettings = {
    ...LOSS_DEFAULTS,
    ...given,
    matryoshkaWidths: widthsOf(options.matryoshkaWidths, kind, dSae),
  };
  const optimizer = makeOptimizer("adam", { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, momentum: 0 });
  return { kind, cfg, settings, optimizer, maxGradNorm: settled.maxGradNorm };
}

/** @throws ArgumentError for widths that do not rise, or of another kind than has any */
function widthsOf(given: readonly number[] | undefined, kind: TrainingKindName, dSae: number): readonly number[] {
  if (given === undefined) return [8, 4, 2].map((part) => Math.ceil(dSae / part));
  if (kind !== "matryoshka_batchtopk") {
    throw new ArgumentError(`matryoshkaWidths only applies with kind: "matryoshka_batchtopk": leave it out.`, {
      asked: given,
      found: kind,
    });
  }
  if (given.every((width, i) => width > (given[i - 1] ?? 0) && width <= dSae)) return given;
  throw new ArgumentError(`matryoshkaWidths must rise, up to the ${dSae} features, but are ${given.join(", ")}.`, {
    asked: given,
    found: dSae,
  });
}

/** How many numbers a hook point holds for a token. @throws ArgumentError for one that holds something else */
function widthAt(model: HookedTransformer, name: string): number {
  const point = recordingOf(model.cfg).points.get(name);
  if (point && point.axes[0] === "batch" && point.axes[1] === "pos" && point.dtype === "float32") {
    return point.shape.slice(2).reduce((a, b) => a * b, 1);
  }
  throw new ArgumentError(
    `A dictionary reads numbers for each token, [batch pos …], but ${name} is [${point?.axes ?? "not the model's own"}].`,
    { asked: name, found: point?.axes },
  );
}

/** A batch with its input scaled, and, of an autoencoder, what it is to make. */
function scaled(batch: ActivationBatch, scale: number): ActivationBatch {
  if (scale === 1) return batch;
  const x = ndarray(
    "float32",
    batch.x.shape,
    batch.x.data.map((v) => v * scale),
  );
  return { x, target: batch.target === batch.x ? x : batch.target };
}

/** The mean over tokens of the squared distance from the mean. */
function variance({ shape: [tokens, width], data }: NDArray<"float32">): number {
  const sums = new Float64Array(width);
  let squares = 0;
  for (let at = 0; at < data.length; at += width) {
    for (let i = 0; i < width; i++) {
      const x = data[at + i];
      sums[i] += x;
      squares += x * x;
    }
  }
  return squares / tokens - sums.reduce((sum, x) => sum + (x / tokens) ** 2, 0);
}
