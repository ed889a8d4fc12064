/** Tasks that small models are studied on, made as they are needed. */
import type { Tensor } from "../graph/tensor.ts";
import type { ModelGraph } from "../lens/model-graph.ts";
import { type NDArray, ndarray } from "../tensor/array.ts";
import { uniform } from "../tensor/random.ts";
import { permutation, requireCount } from "./batches.ts";

/** Addition modulo p as a task. */
export interface ModularAddition {
  /** Pairs to learn from and pairs to be tested on, `a b =` each, int32 [row pos]; `=` is token p. */
  readonly train: NDArray<"int32">;
  readonly test: NDArray<"int32">;
  /** Tokens that are read (0 to p-1 and `=`), and that are predicted (0 to p-1). */
  readonly dVocab: number;
  readonly dVocabOut: number;
  /** The mean cross-entropy of `(a + b) mod p` at the `=`, in nats. */
  loss(graph: ModelGraph): Tensor;
}

/**
 * All p² sums, `share` of them to learn from. A one-layer transformer first learns those by heart and much later finds the
 * rule: it groks (Power et al. 2022; Nanda et al. 2023, arXiv 2301.05217).
 */
export function modularAddition({ p, share, seed = 0 }: { p: number; share: number; seed?: number }): ModularAddition {
  const order = permutation(requireCount("p", p) ** 2, seed, 0);
  const rows = (pairs: Int32Array) =>
    ndarray("int32", [pairs.length, 3], Int32Array.from([...pairs].flatMap((i) => [Math.floor(i / p), i % p, p])));
  const known = Math.round(share * p * p);
  return {
    train: rows(order.subarray(0, known)),
    test: rows(order.subarray(known)),
    dVocab: p + 1,
    dVocabOut: p,
    loss({ tokens, output }) {
      const term = (i: number) => tokens!.slice("pos", i, i + 1).squeeze("pos");
      const sum = term(0).add(term(1));
      const answer = sum.where(sum.lessThan(sum.constant(p)), sum.sub(sum.constant(p)));
      return output.slice("pos", -1).squeeze("pos").crossEntropy(answer).mean();
    },
  };
}

/** Sequences that come again. */
export interface RepeatedTokens {
  /** The batch of a step: BOS (token 0), a random sequence, the same sequence again; int32 [batch pos]. */
  readonly batch: (step: number) => NDArray<"int32">;
  /** Tokens of a row: `2 length + 1`. */
  readonly pos: number;
  /** The mean loss in nats over the second half, from its second token on: what can be known by looking back. */
  loss(graph: ModelGraph): Tensor;
}

export interface RepeatedTokensOptions {
  readonly dVocab: number;
  /** Tokens of a sequence. */
  readonly length: number;
  /** Rows draw their sequence's length from this up to `length`, and fill up by going round; `length` unless given. */
  readonly shortest?: number;
  readonly batchSize: number;
  readonly seed?: number;
}

/**
 * Random tokens, and the same once more: what induction heads are for (Olsson et al. 2022, arXiv 2209.11895). Where all
 * sequences are equally long, a head can look back by counting instead; `shortest` makes that useless.
 */
export function repeatedTokens({
  dVocab,
  length,
  shortest = length,
  batchSize,
  seed = 0,
}: RepeatedTokensOptions): RepeatedTokens {
  const pos = 2 * requireCount("length", length) + 1;
  requireCount("shortest", shortest);
  requireCount("batchSize", batchSize);
  return {
    pos,
    batch(step) {
      const random = uniform((Math.imul(seed, 0x9e3779b1) + step) | 0);
      const upTo = (n: number) => Math.floor(random() * n);
      const data = new Int32Array(batchSize * pos);
      for (let row = 0; row < data.length; row += pos) {
        const period = shortest + upTo(length - shortest + 1);
        for (let i = 1; i < pos; i++) data[row + i] = i <= period ? 1 + upTo(dVocab - 1) : data[row + i - period];
      }
      return ndarray("int32", [batchSize, pos], data);
    },
    loss: (graph) =>
      graph
        .lossPerToken()
        .slice(-1, length + 1)
        .mean(),
  };
}
