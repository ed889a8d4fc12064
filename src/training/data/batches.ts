/** Which rows a step sees: all rows once per epoch, in a different order each epoch. */
import { Tensor } from "../../graph/tensor.ts";
import { type NDArray, ndarray } from "../../tensor/array.ts";
import { ArgumentError, InputError, ShapeError } from "../../tensor/errors.ts";
import { uniform } from "../../tensor/random.ts";
import { shown } from "../../tensor/show.ts";
import { notedPadding } from "../../text/index.ts";
import { repeatRows } from "./repeat-rows.ts";

/**
 * What to train on: tokens int32 [row pos], reshuffled each epoch; or a function from a step's number (from 0) to its
 * batch [batch pos], which must return the same for the same number, so that a training run can be resumed.
 */
export type TrainingData = Tensor | NDArray<"int32"> | ((step: number) => NDArray<"int32"> | Tensor);

export interface BatchOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** The share of the rows to repeat. @see repeatRows */
  readonly repeat: number;
  readonly nCtx: number;
  readonly dVocab: number;
}

/** The batches of a training run. */
export interface Batches {
  /** The number of steps that see every row once; `undefined` if the data is a function. */
  readonly stepsPerEpoch: number | undefined;
  /** The tokens of a step, [batch pos]. The last step of an epoch has the remaining rows. */
  at(step: number): NDArray<"int32">;
}

/** @throws ShapeError, InputError for data that the model cannot read; ArgumentError if the rows of a function are to be repeated. */
export function makeBatches(data: TrainingData, options: BatchOptions): Batches {
  const { batchSize, seed, repeat, nCtx, dVocab } = options;
  if (typeof data === "function") {
    if (repeat > 0) {
      throw new ArgumentError(
        "repeat applies to rows of tokens, but the data is a function: call repeatRows in it, with the step as the seed.",
        { asked: repeat },
      );
    }
    return { stepsPerEpoch: undefined, at: (step) => checkedTokens(data(step), nCtx, dVocab) };
  }
  const tokens = checkedTokens(data, nCtx, dVocab);
  const [rows, pos] = tokens.shape;
  const stepsPerEpoch = Math.ceil(rows / batchSize);
  let shuffled = { epoch: -1, order: new Int32Array(0) };
  return {
    stepsPerEpoch,
    at(step) {
      const epoch = Math.floor(step / stepsPerEpoch);
      if (shuffled.epoch !== epoch) shuffled = { epoch, order: permutation(rows, seed, epoch) };
      const start = (step % stepsPerEpoch) * batchSize;
      const chosen = shuffled.order.subarray(start, start + batchSize);
      const batch = new Int32Array(chosen.length * pos);
      chosen.forEach((row, i) => {
        batch.set(tokens.data.subarray(row * pos, (row + 1) * pos), i * pos);
      });
      const plain = ndarray("int32", [chosen.length, pos], batch);
      return repeat > 0 ? repeatRows(plain, { share: repeat, seed: mixed(seed, step) }) : plain;
    },
  };
}

/** 0 to n-1 in the order of an epoch (Fisher & Yates), the same on every machine for a seed and an epoch. */
export function permutation(n: number, seed: number, epoch: number): Int32Array<ArrayBuffer> {
  const random = uniform(mixed(seed, epoch));
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** The seed of one epoch, step or batch. */
export const mixed = (seed: number, which: number): number => (Math.imul(seed, 0x9e3779b1) + which) | 0;

/** Tokens that the model can read. @throws ShapeError, InputError */
export function checkedTokens(data: NDArray<"int32"> | Tensor, nCtx: number, dVocab: number): NDArray<"int32"> {
  const array = data instanceof Tensor ? data.array : data;
  if (array?.dtype !== "int32" || array.shape?.length !== 2) {
    const dtype = array?.dtype === undefined ? (data instanceof Tensor ? "not computed" : shown(data)) : array.dtype;
    throw new ShapeError(
      `Training data must be tokens, int32 [row pos], not ${dtype}${Array.isArray(data?.shape) ? ` [${data.shape}]` : ""}.`,
      { asked: "[row pos]", found: data?.shape },
    );
  }
  const [rows, pos] = array.shape;
  if (!(array.data instanceof Int32Array) || !isCount(rows) || !isCount(pos)) {
    throw new ShapeError(
      `Training data must be tokens, int32 [row pos] in an Int32Array, not ${shown(array.data)} with shape ${shown(array.shape)}.`,
      {
        asked: "int32",
        found: array.shape,
      },
    );
  }
  if (notedPadding(array)?.data.includes(0)) {
    throw new InputError(
      "Some rows are padded, and the model would learn the padding as if it were text: cut texts into rows of one length with tokenizeAndConcatenate.",
      { asked: "padding" },
    );
  }
  if (array.data.length !== rows * pos) {
    throw new ShapeError(`Training data of [${rows}, ${pos}] has ${array.data.length} numbers, not ${rows * pos}.`, {
      asked: rows * pos,
      found: array.data.length,
    });
  }
  if (rows === 0) throw new InputError("There is nothing to train on: the data has no rows.", { found: 0 });
  if (pos > nCtx) {
    throw new InputError(`The rows of the data have ${pos} tokens, but the model's context holds only ${nCtx}.`, {
      asked: pos,
      found: nCtx,
    });
  }
  const bad = array.data.findIndex((id: number) => id < 0 || id >= dVocab);
  if (bad >= 0) {
    throw new InputError(
      `Token id ${array.data[bad]} (row ${Math.floor(bad / pos)}, position ${bad % pos}) is outside the vocabulary of ${dVocab}. Was the text tokenized with another tokenizer?`,
      { asked: array.data[bad], found: dVocab },
    );
  }
  return array as NDArray<"int32">;
}

/** @throws InputError for rows that are too short to predict a token from another */
export function needTwo(pos: number): void {
  if (pos >= 2) return;
  throw new InputError("A next-token loss needs rows of at least two tokens, one to predict from and one to predict.", {
    found: pos,
  });
}

const isCount = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;

/** A positive whole number, or an error that names the option. @throws ArgumentError */
export function requireCount(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new ArgumentError(`${name} must be a positive whole number, not ${shown(value)}.`, {
    asked: name,
    found: value,
  });
}
