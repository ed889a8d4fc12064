/** What a model is trained on, and what to compare its loss with. */
import type { Loss } from "../../lens/metric.ts";
import type { NDArray } from "../../tensor/array.ts";
import { checkedTokens, needTwo, requireCount } from "./batches.ts";
import { checkRows } from "./held-out.ts";
import { tokenFrequencyLoss } from "./token-frequencies.ts";

/** The loss of a model that has learnt nothing, or only this: what to compare a model's loss with. */
export interface Chance {
  readonly name: string;
  readonly text: string;
  /** In nats. */
  readonly loss: number;
}

/** Rows of tokens, int32 [row pos], or a function from a step's number to its batch. */
export type TaskData = NDArray<"int32"> | ((step: number) => NDArray<"int32">);

/** Something to train on: `train(model, { data: task.data, loss: task.loss, … })`. */
export interface TrainingTask<Data extends TaskData = TaskData> {
  readonly data: Data;
  /** Rows that are not trained on, to test with. */
  readonly heldOut: NDArray<"int32"> | undefined;
  /** What to minimise, a single number in nats. */
  readonly loss: Loss;
  readonly chances: readonly [Chance, ...Chance[]];
  /** What the model's configuration must have, by TransformerLens' names: sizes that follow from the data. */
  readonly sizes: Readonly<Record<string, number>>;
}

/** Predicting the next tokens of texts: rows of tokens to train on, and held-out rows. */
export function textTask(
  rows: NDArray<"int32">,
  heldOut: NDArray<"int32"> | undefined,
  dVocab: number,
): TrainingTask<NDArray<"int32">> {
  requireCount("dVocab", dVocab);
  for (const part of heldOut === undefined ? [rows] : [rows, heldOut]) {
    checkRows(part);
    checkedTokens(part, Infinity, dVocab);
    needTwo(part.shape[1]);
  }
  return {
    data: rows,
    heldOut,
    loss: (graph) => graph.loss(),
    chances: [
      {
        name: "token frequencies",
        text: `Each token as likely as it is in the training texts, whatever precedes it${heldOut ? "; measured on the held-out texts" : ""}.`,
        loss: tokenFrequencyLoss(rows, heldOut ?? rows, dVocab),
      },
      {
        name: "all tokens equally likely",
        text: `Each of the ${dVocab} tokens equally likely: log ${dVocab}.`,
        loss: Math.log(dVocab),
      },
    ],
    sizes: { d_vocab: dVocab },
  };
}
