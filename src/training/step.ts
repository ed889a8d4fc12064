/** A training step as one program: forward, backward, clipping and the optimizer in one graph, one session. */
import type { Engine } from "../engine/engine.ts";
import { showShape } from "../graph/axes.ts";
import { selectEarly } from "../graph/rewrite/select.ts";
import type { Sized } from "../graph/runner.ts";
import { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import type { Loss } from "../lens/metric.ts";
import { ModelGraph } from "../lens/model-graph.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import { Weights } from "../models/weights/weights.ts";
import { type NDArray, zeros } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import type { Optimizer } from "./optimizer.ts";
import { placeholder, type Sizes, scalar, updateOf } from "./update.ts";

/** Weights and the optimizer's state for each, by name. */
export interface StepState {
  readonly weights: ReadonlyMap<string, NDArray>;
  /** By kind of state ("exp_avg"), then by weight. */
  readonly memory: ReadonlyMap<string, ReadonlyMap<string, NDArray>>;
}

export interface StepResult {
  /** In nats, before the step. */
  readonly loss: number;
  /** The norm of the whole gradient, before clipping. */
  readonly gradNorm: number;
  readonly state: StepState;
}

export interface StepSource {
  readonly cfg: HookedTransformerConfig;
  readonly hookNames: readonly string[];
  readonly engine: Engine;
  readonly optimizer: Optimizer;
  readonly loss: Loss;
  readonly maxGradNorm: number | undefined;
  readonly frozen: (weight: string) => boolean;
}

/** A step on batches of one shape: from the state before it to the state after it. */
export type Step = (state: StepState, tokens: NDArray<"int32">, lr: number, number: number) => Promise<StepResult>;

/** A step as a graph, from what it is fed to what it returns: the loss, the gradient's norm, each weight and its optimizer state. */
interface TracedStep {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** The names of all weights, in the order in which they are fed, and of those that change. */
  readonly weights: readonly string[];
  readonly trained: readonly string[];
}

/**
 * Traces a step on batches of the shape of `tokens`. Weights that the loss does not depend on stay as they are, as in
 * PyTorch, where they have no gradient.
 * @throws ArgumentError for a loss that is not a single number, or that does not depend on anything that can be trained.
 */
export function traceStep(
  source: Omit<StepSource, "engine">,
  arrays: ReadonlyMap<string, Sizes>,
  tokens: Sizes,
): TracedStep {
  const { optimizer } = source;
  const weights = new Weights(
    source.cfg,
    new Map([...arrays].map(([name, array]) => [name, placeholder(array)])),
    "feed",
  );
  const fedTokens = Tensor.leaf(placeholder(tokens), ["batch", "pos"]);
  const lossOf = (rows: Tensor) =>
    singleNumber(
      source.loss(new ModelGraph({ cfg: source.cfg, weights, inputs: { tokens: rows }, hookNames: source.hookNames })),
    );
  // What the loss does not need is removed before the gradient is taken, because the gradient would need it.
  const [loss] = selectEarly([inParts(source, fedTokens, lossOf)]);
  const reached = new Set(topological([loss]));
  // In a fixed order, not that of a file, so that sums over all of them are always rounded the same way.
  const trained = [...weights.entries()]
    .filter(([name, leaf]) => reached.has(leaf) && !source.frozen(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (trained.length === 0) {
    throw new ArgumentError("There is nothing to train: the loss does not depend on any weight that is not frozen.", {
      asked: "loss",
    });
  }
  const leaves = trained.map(([, leaf]) => leaf);
  const { gradNorm, fed, memories, after } = updateOf(loss, leaves, optimizer, source.maxGradNorm);
  return {
    inputs: [fedTokens, ...fed, ...[...weights.entries()].map(([, leaf]) => leaf), ...memories.flat()],
    outputs: [loss, gradNorm, ...after.flatMap((a) => [a.weight, ...a.memory])],
    weights: [...weights.entries()].map(([name]) => name),
    trained: trained.map(([name]) => name),
  };
}

/** What a step minimises unless it is given something else: the mean next-token loss. */
export const meanLoss: Loss = (graph) => graph.loss();

/** The most numbers that a part's widest value may have: larger ones leave the processor's cache between one op and the next. */
const NUMBERS_IN_CACHE = 2 ** 22;

/**
 * The loss of a batch, of the mean over its rows part by part: rows have nothing to do with each other, and all have as many tokens, so that the mean is
 * the parts' means, weighed by how many rows they have; and so are gradients. Of any other loss nothing like it is known.
 */
function inParts(
  { cfg, loss }: Pick<StepSource, "cfg" | "loss">,
  tokens: Tensor,
  lossOf: (rows: Tensor) => Tensor,
): Tensor {
  const [rows, pos] = tokens.shape;
  const widest = pos * Math.max(cfg.dVocabOut, cfg.dMlp ?? 0, cfg.nHeads * pos);
  const together = loss === meanLoss ? Math.max(1, Math.floor(NUMBERS_IN_CACHE / widest)) : rows;
  const count = Math.ceil(rows / together);
  if (count === 1) return lossOf(tokens);
  const parts = Array.from({ length: count }, (_, i) => {
    const [from, to] = [Math.floor((i * rows) / count), Math.floor(((i + 1) * rows) / count)];
    return lossOf(tokens.slice(0, from, to)).mul((to - from) / rows);
  });
  return parts.reduce((a, b) => a.add(b));
}

/** Plans a step on batches of the shape of `tokens`. @throws as traceStep; MemoryError if it does not fit */
export async function makeStep(source: StepSource, state: StepState, tokens: NDArray<"int32">): Promise<Step> {
  const { optimizer } = source;
  const { inputs, outputs, weights, trained } = traceStep(source, state.weights, tokens);
  const run = await source.engine.program(inputs, outputs, { sized: sizedStep(tokens.shape) });

  return async ({ weights: before, memory }, batch, lr, number) => {
    const [lossAfter, norm, ...changed] = await run([
      batch,
      ...optimizer.fed(lr, number).map(scalar),
      ...weights.map((name) => before.get(name)!),
      ...trained.flatMap((name) => optimizer.memory.map((slot) => memory.get(slot)!.get(name)!)),
    ]);
    const stride = 1 + optimizer.memory.length;
    const replaced = (arrays: ReadonlyMap<string, NDArray>, offset: number) =>
      new Map([...arrays, ...trained.map((name, i): [string, NDArray] => [name, changed[i * stride + offset]])]);
    return {
      loss: lossAfter.data[0],
      gradNorm: norm.data[0],
      state: {
        weights: replaced(before, 0),
        memory: new Map(optimizer.memory.map((slot, i) => [slot, replaced(memory.get(slot)!, i + 1)])),
      },
    };
  };
}

/** A step in words, and what would need less memory. */
export function sizedStep([rows, pos]: readonly number[]): Sized {
  return {
    what: `Training on batches of ${rows} × ${pos} tokens`,
    advice: "give fewer rows per step (batchSize; --batch-size), shorter rows, or a smaller model",
  };
}

/** The state of an optimizer before the first step: zeros. */
export function freshMemory(optimizer: Optimizer, weights: ReadonlyMap<string, NDArray>): StepState["memory"] {
  const empty = () => new Map([...weights].map(([name, { shape }]) => [name, zeros("float32", shape)]));
  return new Map(optimizer.memory.map((slot) => [slot, empty()]));
}

function singleNumber(loss: Tensor): Tensor {
  if (!(loss instanceof Tensor)) {
    throw new ArgumentError(
      `A loss must be a Tensor, a single number computed from the graph, not ${loss === null ? "null" : typeof loss}: return it, as in (graph) => graph.loss().`,
      { asked: "loss", found: loss },
    );
  }
  if (loss.shape.every((n) => n === 1)) return loss.shape.length === 0 ? loss : loss.sum();
  throw new ArgumentError(`A loss must be a single number, not ${showShape(loss)}: take its mean.`, {
    asked: "loss",
    found: loss.shape,
  });
}
