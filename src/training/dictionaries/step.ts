/** A step of a dictionary's training as one program: encode, decode, losses, backward, clipping and the optimizer in one session. */
import type { Engine } from "../../engine/engine.ts";
import { concat, stack } from "../../graph/joined.ts";
import { Tensor } from "../../graph/tensor.ts";
import type { Sizes } from "../../models/weights/spec.ts";
import type { NDArray } from "../../tensor/array.ts";
import type { Optimizer } from "../optimizer.ts";
import type { StepState } from "../step.ts";
import { placeholder, scalar, updateOf } from "../update.ts";
import { comparesBatches } from "./kinds.ts";
import type { FedBatch, Trainee } from "./trainee.ts";

/** What is trained, and how. */
export interface DictionaryTraining {
  readonly trainee: Omit<Trainee<unknown>, "init" | "finished" | "files">;
  readonly optimizer: Optimizer;
  readonly maxGradNorm: number | undefined;
}

/** A batch of activations, and what follows from the steps before. */
export interface DictionaryBatch {
  /** What is read, [token layers·d_in], and what is to be made, [token layers·d_out]; the same unless it is a transcoder. */
  readonly x: NDArray<"float32">;
  readonly target: NDArray<"float32">;
  /** 1 for features that have not fired for long, [layers·d_sae]; null where there are none. */
  readonly dead: NDArray<"float32"> | null;
  readonly coefficient: number;
  readonly lr: number;
  /** The step's number, from 1. */
  readonly number: number;
}

/** What a step gives. */
export interface DictionaryStepResult {
  /** The whole loss and its parts, before the step, by SAELens' names. */
  readonly losses: Readonly<Record<string, number>>;
  /** The squared error of each layer. */
  readonly errors: readonly number[];
  /** How many tokens each feature fired for, [layers·d_sae]. */
  readonly fired: Float32Array;
  /** The least feature above 0, of kinds that compare whole batches; Infinity where none is. */
  readonly least: number;
  readonly gradNorm: number;
  readonly state: StepState;
}

/** A step from the state before it to the state after it. */
export type DictionaryStep = (state: StepState, batch: DictionaryBatch) => Promise<DictionaryStepResult>;

/**
 * Plans a step on batches of this many tokens. Until a feature is dead, what dead features would have to do is not computed.
 * @throws MemoryError if it does not fit
 */
export async function makeDictionaryStep(
  training: DictionaryTraining,
  engine: Engine,
  tokens: number,
): Promise<DictionaryStep> {
  const alive = await planned(training, engine, tokens, false);
  let withDead: Promise<DictionaryStep> | undefined;
  return async (state, batch) => {
    if (batch.dead === null) return alive(state, batch);
    withDead ??= planned(training, engine, tokens, true);
    return (await withDead)(state, batch);
  };
}

async function planned(
  training: DictionaryTraining,
  engine: Engine,
  tokens: number,
  hasDead: boolean,
): Promise<DictionaryStep> {
  const { trainee, optimizer, maxGradNorm } = training;
  const { cfg, layers, transcoder } = trainee;
  const leaves = new Map([...trainee.sizes].map(([name, size]) => [name, leafOf(size)]));
  const names = [...leaves.keys()];
  const features = layers * cfg.dSae;
  const x = leafOf({ token: tokens, d_in: layers * cfg.dIn });
  const target = transcoder ? leafOf({ token: tokens, d_out: layers * cfg.dOut }) : x;
  const dead = hasDead ? leafOf({ d_sae: features }) : null;
  const coefficient = Tensor.leaf(placeholder(scalar(0)));
  const { losses, errors, fired, least } = inParts(trainee, leaves, { x, target, dead, coefficient });
  const loss = Object.values(losses).reduce((a, b) => a.add(b));
  const { gradNorm, fed, memories, after } = updateOf(loss, [...leaves.values()], optimizer, maxGradNorm);
  const parts = Object.keys(losses);
  const activations = [x, ...(transcoder ? [target] : []), ...(dead ? [dead] : [])];
  const inputs = [...activations, coefficient, ...fed, ...leaves.values(), ...memories.flat()];
  const outputs = [
    ...[loss, ...Object.values(losses), errors, fired, least, gradNorm],
    ...after.flatMap((a) => [a.weight, ...a.memory]),
  ];
  const run = await engine.program(inputs, outputs, {
    sized: {
      what: `Training ${layers === 1 ? "a dictionary" : `transcoders across ${layers} layers`} of ${features} features on batches of ${tokens} tokens`,
      advice: "give fewer tokens per step (batchSize; --batch-size), or fewer features",
    },
  });
  return async ({ weights, memory }, batch) => {
    const [whole, ...rest] = await run([
      ...[batch.x, ...(transcoder ? [batch.target] : []), ...(batch.dead ? [batch.dead] : [])],
      scalar(batch.coefficient),
      ...optimizer.fed(batch.lr, batch.number).map(scalar),
      ...names.map((name) => weights.get(name)!),
      ...names.flatMap((name) => optimizer.memory.map((slot) => memory.get(slot)!.get(name)!)),
    ]);
    const [ofErrors, ofFired, ofLeast, norm, ...changed] = rest.slice(parts.length);
    const stride = 1 + optimizer.memory.length;
    const at = (offset: number) => new Map(names.map((name, i) => [name, changed[i * stride + offset]]));
    return {
      losses: { loss: whole.data[0], ...Object.fromEntries(parts.map((name, i) => [name, rest[i].data[0]])) },
      errors: [...(ofErrors.data as Float32Array)],
      fired: ofFired.data as Float32Array,
      least: ofLeast.data[0],
      gradNorm: norm.data[0],
      state: { weights: at(0), memory: new Map(optimizer.memory.map((slot, i) => [slot, at(i + 1)])) },
    };
  };
}

/** The most numbers that features of a part may have: larger values leave the processor's cache between one op and the next. */
const NUMBERS_IN_CACHE = 2 ** 21;

/** What of a batch is computed before its gradient. */
interface BatchValues {
  /** By SAELens' names. */
  readonly losses: Readonly<Record<string, Tensor>>;
  /** [layer] */
  readonly errors: Tensor;
  /** [layers·d_sae] */
  readonly fired: Tensor;
  readonly least: Tensor;
}

/**
 * The losses of a batch, part by part where tokens have nothing to do with each other. Losses are means over tokens, so those of a batch
 * are the parts' means, weighed by how many tokens they have; and so are gradients.
 */
function inParts(
  trainee: DictionaryTraining["trainee"],
  leaves: ReadonlyMap<string, Tensor>,
  fed: FedBatch,
): BatchValues {
  const { kind, cfg } = trainee;
  const [tokens] = fed.x.shape;
  const together = comparesBatches(kind) ? tokens : Math.max(1, Math.floor(NUMBERS_IN_CACHE / cfg.dSae));
  const found = Array.from({ length: Math.ceil(tokens / together) }, (_, i): BatchValues => {
    const [from, to] = [i * together, Math.min(tokens, (i + 1) * together)];
    const part = (values: Tensor) => (to - from === tokens ? values : values.slice(0, from, to));
    const x = part(fed.x);
    const target = fed.target === fed.x ? x : part(fed.target);
    const { losses, errors, acts } = trainee.trace(leaves, { ...fed, x, target });
    const share = (to - from) / tokens;
    const shared = (mean: Tensor) => (share === 1 ? mean : mean.mul(share));
    return {
      losses: Object.fromEntries(Object.entries(losses).map(([name, mean]) => [name, shared(mean)])),
      errors: stack(errors.map(shared)),
      fired: concat(acts.map((of) => of.greaterThan(0).cast("float32").sum(0))),
      least: comparesBatches(kind) ? leastOf(acts[0]) : fed.x.constant(Infinity),
    };
  });
  return found.reduce((a, b) => ({
    losses: Object.fromEntries(Object.entries(a.losses).map(([name, sum]) => [name, sum.add(b.losses[name])])),
    errors: a.errors.add(b.errors),
    fired: a.fired.add(b.fired),
    least: a.least,
  }));
}

const leastOf = (acts: Tensor): Tensor => acts.where(acts.greaterThan(0), Infinity).min();

/** A leaf that each step is fed. */
function leafOf(sizes: Sizes): Tensor {
  return Tensor.leaf(placeholder({ dtype: "float32", shape: Object.values(sizes) }), Object.keys(sizes));
}
