/** Synthetic tasks that small models are studied on. */
import { type NDArray, ndarray } from "../../tensor/array.ts";
import { ArgumentError } from "../../tensor/errors.ts";
import { ANYTHING, NUMBER, WHOLE } from "../../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../../tensor/options.ts";
import { uniform } from "../../tensor/random.ts";
import { shown } from "../../tensor/show.ts";
import { mixed, permutation, requireCount } from "./batches.ts";
import type { TrainingTask } from "./tasks.ts";

/** With this modulus, all sums are 50 million numbers. */
const MOST_P = 4096;

/** How sums are split. */
export interface ModularAdditionOptions {
  readonly p: number;
  /** The share of all sums to train on. */
  readonly share: number;
  readonly seed?: number | undefined;
}

// Most are checked by `requireCount` and the code after it, with better messages.
const MODULAR_ADDITION: OptionKinds<ModularAdditionOptions> = { p: ANYTHING, share: ANYTHING, seed: WHOLE };

/**
 * All p² sums `a b =`, int32 [row pos 3] with `=` as token p: `share` of them to train on, the others held out. The loss is
 * the mean cross-entropy of `(a + b) mod p` at the `=`, in nats. A one-layer transformer first memorises the training sums and much
 * later finds the rule: it groks (Power et al. 2022; Nanda et al. 2023, arXiv 2301.05217).
 */
export function modularAddition(options: ModularAdditionOptions): TrainingTask<NDArray<"int32">> {
  checkOptions("modularAddition", options, MODULAR_ADDITION);
  const { p, share, seed = 0 } = options;
  if (requireCount("p", p) > MOST_P) {
    throw new ArgumentError(`p is ${p}: all ${p}² sums are more than fit in memory. Give at most ${MOST_P}.`, {
      asked: p,
    });
  }
  const order = permutation(p ** 2, seed, 0);
  const rows = (pairs: Int32Array) => {
    const data = new Int32Array(3 * pairs.length);
    pairs.forEach((pair, i) => {
      data.set([Math.floor(pair / p), pair % p, p], 3 * i);
    });
    return ndarray("int32", [pairs.length, 3], data);
  };
  const known = NUMBER.accepts(share) ? Math.round(share * p * p) : 0;
  if (!(known > 0 && known < p * p)) {
    throw new ArgumentError(
      `The share of sums to train on is ${shown(share)}, but some of the ${p * p} must be trained on, and some held out.`,
      {
        asked: share,
        found: p * p,
      },
    );
  }
  return {
    data: rows(order.subarray(0, known)),
    heldOut: rows(order.subarray(known)),
    loss({ tokens, output }) {
      const term = (i: number) => tokens!.slice("pos", i, i + 1).squeeze("pos");
      const sum = term(0).add(term(1));
      const answer = sum.where(sum.lessThan(sum.constant(p)), sum.sub(sum.constant(p)));
      return output.slice("pos", -1).squeeze("pos").crossEntropy(answer).mean();
    },
    chances: [
      {
        name: "all answers equally likely",
        text: `Each of the ${p} answers equally likely: log ${p}.`,
        loss: Math.log(p),
      },
    ],
    sizes: { d_vocab: p + 1, d_vocab_out: p, n_ctx: 3 },
  };
}

/** What the sequences are like. */
export interface RepeatedTokensOptions {
  readonly dVocab: number;
  /** The number of tokens in a sequence. */
  readonly length: number;
  /** Rows draw the length of their sequence from this up to `length`, and fill up by repeating it. Default: `length`. */
  readonly shortest?: number | undefined;
  readonly batchSize: number;
  readonly seed?: number | undefined;
}

const REPEATED_TOKENS: OptionKinds<RepeatedTokensOptions> = {
  ...{ dVocab: ANYTHING, length: ANYTHING, shortest: ANYTHING, batchSize: ANYTHING, seed: WHOLE },
};

/**
 * Random tokens, repeated: BOS (token 0), a sequence, and the sequence again, int32 [batch pos], newly drawn for each
 * step. The loss is the mean in nats over the second half, from its second token on: what can be known by looking back. This
 * is what induction heads do (Olsson et al. 2022, arXiv 2209.11895). If all sequences have the same length, a head can
 * look back by counting instead; `shortest` prevents that. The held-out data is a batch that no step sees.
 */
export function repeatedTokens(options: RepeatedTokensOptions): TrainingTask<(step: number) => NDArray<"int32">> {
  checkOptions("repeatedTokens", options, REPEATED_TOKENS);
  const { dVocab, length, shortest = length, batchSize, seed = 0 } = options;
  const pos = 2 * requireCount("length", length) + 1;
  if (length < 2) {
    throw new ArgumentError("length is 1: the first token of the repetition cannot be predicted, so give at least 2.", {
      asked: length,
    });
  }
  if (requireCount("shortest", shortest) > length) {
    throw new ArgumentError(`shortest is ${shortest}, longer than the sequences' length of ${length}.`, {
      asked: shortest,
    });
  }
  requireCount("batchSize", batchSize);
  if (requireCount("dVocab", dVocab) < 3) {
    throw new ArgumentError(
      `dVocab is ${dVocab}: with BOS and one token there is nothing to predict. Give at least 3.`,
      {
        asked: dVocab,
      },
    );
  }
  const batch = (step: number) => {
    const random = uniform(mixed(seed, step));
    const upTo = (n: number) => Math.floor(random() * n);
    const data = new Int32Array(batchSize * pos);
    for (let row = 0; row < data.length; row += pos) {
      const period = shortest + upTo(length - shortest + 1);
      for (let i = 1; i < pos; i++) data[row + i] = i <= period ? 1 + upTo(dVocab - 1) : data[row + i - period];
    }
    return ndarray("int32", [batchSize, pos], data);
  };
  let heldOut: NDArray<"int32"> | undefined;
  return {
    data: batch,
    get heldOut() {
      heldOut ??= batch(-1);
      return heldOut;
    },
    loss: (graph) =>
      graph
        .lossPerToken()
        .slice(-1, length + 1)
        .mean(),
    chances: [
      {
        name: "never looking back",
        text: `Each of the ${dVocab - 1} tokens equally likely, as they are the first time: log ${dVocab - 1}.`,
        loss: Math.log(dVocab - 1),
      },
    ],
    sizes: { d_vocab: dVocab, n_ctx: pos },
  };
}
