/** The memory that a training run needs, known from the sizes of its model and of a batch before there are weights or data. */
import type { Engine } from "../engine/engine.ts";
import { largestValue } from "../graph/largest-value.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import { recordingOf, weightBytes } from "../models/recording.ts";
import { MemoryError } from "../tensor/errors.ts";
import { needMemory, showBytes } from "../tensor/free-memory.ts";
import { makeOptimizer } from "./optimizer.ts";
import { settle, type TrainOptions } from "./options.ts";
import { sizedStep, traceStep } from "./step.ts";
import type { Sizes } from "./update.ts";

/** A planned training run. */
export interface PlannedTraining {
  readonly cfg: HookedTransformerConfig;
  readonly engine: Engine;
  readonly options: TrainOptions;
  /** The shape of a batch: [rows, tokens]. */
  readonly shape: readonly number[];
  /** Whether the weights are already in memory, and need not be counted. */
  readonly hasWeights: boolean;
}

/**
 * Refuses a training run whose steps do not fit: the values of a step, the optimizer's state, and the weights.
 * @throws MemoryError, and the errors of invalid options and losses
 */
export function needTraining({ cfg, engine, options, shape, hasWeights }: PlannedTraining): void {
  const sizes = new Map(
    [...recordingOf(cfg).weights].map(([name, { shape }]): [string, Sizes] => [name, floats(shape)]),
  );
  const settled = settle(options, [...sizes.keys()]);
  const optimizer = makeOptimizer(settled.optimizer, settled);
  const weights = weightBytes(cfg);
  const state = weights * (optimizer.memory.length + (hasWeights ? 0 : 1));
  const { what, advice } = sizedStep(shape);
  const need = (bytes: number, largest: () => string) =>
    needMemory({ what, bytes, advice, largest, limit: engine.memoryBytes });
  need(state, () => `the model's weights alone are ${showBytes(weights)}`);
  const source = {
    ...{ cfg, optimizer, hookNames: recordingOf(cfg).hookNames },
    loss: options.loss ?? ((graph) => graph.loss()),
    ...{ maxGradNorm: options.maxGradNorm, frozen: settled.frozen },
  } satisfies Parameters<typeof traceStep>[0];
  const outputs = outputsOf(source, sizes, shape, advice);
  need(state + engine.plannedBytes(outputs), () => largestValue(outputs));
}

/** @throws MemoryError that says what would need less, if a step is too large even to be traced */
function outputsOf(
  source: Parameters<typeof traceStep>[0],
  weights: ReadonlyMap<string, Sizes>,
  shape: readonly number[],
  advice: string,
) {
  try {
    return traceStep(source, weights, { dtype: "int32", shape }).outputs;
  } catch (error) {
    if (!(error instanceof MemoryError)) throw error;
    const { asked, found } = error;
    throw new MemoryError(`${error.message} When training: ${advice}.`, { asked, found, cause: error });
  }
}

const floats = (shape: readonly number[]): Sizes => ({ dtype: "float32", shape });
