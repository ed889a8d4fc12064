/** What the scan remembers: how each number is distributed, what it is for each kind of token, and the tokens where it is largest. */
import { type Column, column } from "../../finding/table.ts";
import type { Model } from "../../lens/model.ts";
import { PLACE_WIDTH } from "../context.ts";
import { Counts } from "../summaries/counts.ts";
import { linearGrid, logGrid } from "../summaries/grids.ts";
import { Histograms } from "../summaries/histograms.ts";
import { Moments } from "../summaries/moments.ts";
import { Sample } from "../summaries/sample.ts";
import { TopK } from "../summaries/top-k.ts";

/** The numbers of a token, as tables have them. */
export const QUANTITIES = [
  column("score", "Loss change when the neurons are ablated there, divided by the outlier score.", {
    title: "notebook's score",
    digits: 1,
  }),
  column("loss_change", "The next token's loss with the neurons zeroed there, minus its clean loss.", {
    unit: "nats",
    digits: 3,
  }),
  column("outlier", "max − mean over the neurons, where they are ablated.", { title: "outlier score", digits: 3 }),
  column("attribution", "What all neurons together add directly to the next token's logit.", {
    title: "MLP attribution",
    unit: "logits",
    digits: 3,
  }),
  column("max_share", "The largest |a_i| as a share of the sum of |a_i|.", {
    title: "largest neuron",
    format: "percent",
  }),
  column("shuffled_max_share", "The same with the neurons' output directions shuffled.", {
    title: "shuffled",
    format: "percent",
  }),
  column("effective_neurons", "The participation ratio (sum |a_i|)² / sum a_i².", { digits: 1 }),
  column("bias", "What the MLP's output bias adds to the next token's logit.", { unit: "logits", digits: 3 }),
  column("loss", "−log probability of the next token.", { unit: "nats", digits: 3 }),
  column("outlier_after", "max − mean over the neurons after the norm inside the MLP.", {
    title: "outlier score after the norm",
    digits: 3,
  }),
  column(
    "scale",
    "The scale of the norm inside the MLP: 1 / scale is the ratio of the outlier scores after and before it.",
    {
      digits: 3,
    },
  ),
] as const satisfies readonly Column[];

/** Numbers by kind of token. */
export const TYPE_QUANTITIES = ["score", "loss_change", "attribution", "max_share", "loss"] as const;

/** Numbers that are remembered with a token. */
export const WITH_TOKEN = [
  ...["score", "loss_change", "outlier", "attribution", "max_share", "shuffled_max_share", "effective_neurons", "loss"],
  "largest_neuron",
] as const;

/** Shares of the sum. */
export const SHARES = linearGrid(0, 1, 400);
/** Any number. */
const NUMBERS = logGrid(-20, 12, 32);
/** Tokens that are drawn. */
const DRAWN = 2000;
const WIDTH = PLACE_WIDTH + WITH_TOKEN.length;

export interface DiffuseMlpSummaries {
  /** One of `QUANTITIES` each: mean and spread, and quantiles. */
  readonly quantities: Moments;
  readonly distributions: Histograms;
  /** For each token of the vocabulary, one of `TYPE_QUANTITIES` each. */
  readonly byType: Moments;
  /** For each bin of the attribution, the shares of the largest neuron. */
  readonly shares: Histograms;
  /** For each bin of that share, the tokens with the largest attribution. */
  readonly diffuse: TopK;
  /** The tokens with the largest score. */
  readonly scores: TopK;
  /** How often each neuron is the largest. */
  readonly largest: Counts;
  /** Attribution times loss change. */
  readonly products: Moments;
  readonly sample: Sample;
}

export function emptySummaries(
  { cfg }: Model,
  { top, seed }: { readonly top: number; readonly seed: number },
): DiffuseMlpSummaries {
  return {
    quantities: new Moments(QUANTITIES.length),
    distributions: new Histograms(NUMBERS, QUANTITIES.length),
    byType: new Moments(cfg.dVocab * TYPE_QUANTITIES.length),
    shares: new Histograms(SHARES, NUMBERS.bins),
    diffuse: new TopK(SHARES.bins, top, WIDTH),
    scores: new TopK(1, top, WIDTH),
    largest: new Counts(cfg.dMlp!),
    products: new Moments(),
    sample: new Sample(DRAWN, WIDTH, seed),
  };
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The numbers of a token as whole numbers. */
export function bitsOf(all: Readonly<Record<string, ArrayLike<number>>>, i: number): number[] {
  return WITH_TOKEN.map((name) => {
    float[0] = all[name][i];
    return bits[0];
  });
}

/** The numbers that `bitsOf` was given. */
export function numbersOf(payload: Int32Array): Record<(typeof WITH_TOKEN)[number], number> {
  const found = Array.from(payload.subarray(PLACE_WIDTH), (word, i) => {
    bits[0] = word;
    return [WITH_TOKEN[i], float[0]];
  });
  return Object.fromEntries(found);
}
