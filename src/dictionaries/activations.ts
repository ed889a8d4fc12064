/** What makes features of what the encoder gives: one record a kind, with its weights and its formula. */
import type { Tensor } from "../graph/tensor.ts";

/** A dictionary's weights by name, as values of a graph. */
export type WeightOf = (name: string) => Tensor;

/** What features are made of. */
export interface ActivationInput {
  /** What the encoder reads, [... d_in]: normalised, and without b_dec where that is taken off. */
  readonly input: Tensor;
  /** `input @ W_enc`, [... d_sae]. */
  readonly projected: Tensor;
  readonly weight: WeightOf;
}

/** What becomes of a weight [d_sae] when the norms of the decoder's rows are folded: it is multiplied with them, or stays. */
type Folding = "multiplied" | "stays";

/** A kind of activation. */
export interface Activation {
  /** Its weights, all [d_sae], and what folding does to them. */
  readonly weights: Readonly<Record<string, Folding>>;
  /** Whether it has a number `k`: of features that stay, or of groups. */
  readonly takesK: boolean;
  /** Whether which features fire depends on how large they are next to each other, so that scaling each by another number changes that. */
  readonly compares: boolean;
  /** The pre-activations [... d_sae]. */
  pre(of: ActivationInput): Tensor;
  /**
   * The features [... d_sae], of pre-activations, which may have been changed.
   * @param by what says which are the largest, in place of the pre-activations
   */
  features(pre: Tensor, of: ActivationInput, k: number, by?: Tensor): Tensor;
}

/** 1 where a condition holds, 0 elsewhere; a constant for gradients. */
const mask = (condition: Tensor): Tensor => condition.cast("float32");

/** What `made` makes of the k largest numbers of each row by `by`, at their places, and 0 elsewhere. */
export function ofLargest(x: Tensor, by: Tensor, k: number, made: (kept: Tensor) => Tensor): Tensor {
  const { indices } = by.topK(k);
  return x.placeEachLike(indices, made(x.pickEach(indices)));
}

/** `input @ W_enc + b_enc`. */
const biased: Activation["pre"] = ({ projected, weight }) => projected.add(weight("b_enc"));

const plain = { weights: { b_enc: "multiplied" }, takesK: false, compares: false, pre: biased } as const;
const choosing = { ...plain, takesK: true, compares: true } as const;
const withThreshold = { ...plain, weights: { b_enc: "multiplied", threshold: "multiplied" } } as const;

const overThreshold = (pre: Tensor, { weight }: ActivationInput) => mask(pre.greaterThan(weight("threshold")));

/**
 * The kinds, each `pre` to features, [... d_sae]:
 *
 * - `relu`: `relu(pre)`
 * - `gated`: `(input W_enc + b_gate > 0) · relu(pre)`, with `pre = input (W_enc · exp(r_mag)) + b_mag` (Rajamanoharan et al. 2024,
 *   arXiv 2404.16014)
 * - `jumprelu`: `relu(pre) · (pre > threshold)` (Rajamanoharan et al. 2024, arXiv 2407.14435)
 * - `signed_jumprelu`: `pre · (pre > threshold)`, which differs where a threshold is negative (circuit-tracer)
 * - `topk`: relu of the k largest of each token, 0 elsewhere (Gao et al. 2024, arXiv 2406.04093)
 * - `signed_topk`: the k largest as they are, so that features can be negative (circuit-tracer)
 * - `groupmax`: relu of the largest in each of k runs of equal length, 0 elsewhere (EleutherAI's sparsify)
 */
export const ACTIVATIONS = {
  relu: { ...plain, features: (pre) => pre.relu() },
  gated: {
    ...plain,
    weights: { b_gate: "multiplied", b_mag: "multiplied", r_mag: "stays" },
    pre: ({ projected, weight }) => projected.mul(weight("r_mag").exp()).add(weight("b_mag")),
    features: (pre, { projected, weight }) => mask(projected.add(weight("b_gate")).greaterThan(0)).mul(pre.relu()),
  },
  jumprelu: { ...withThreshold, features: (pre, of) => pre.relu().mul(overThreshold(pre, of)) },
  signed_jumprelu: { ...withThreshold, features: (pre, of) => pre.mul(overThreshold(pre, of)) },
  topk: { ...choosing, features: (pre, _of, k, by = pre) => ofLargest(pre, by, k, (kept) => kept.relu()) },
  signed_topk: { ...choosing, features: (pre, _of, k, by = pre) => ofLargest(pre, by, k, (kept) => kept) },
  groupmax: {
    ...choosing,
    features(pre, _of, k, by = pre) {
      const found = pre.relu();
      const grouped = by.relu().splitAxis(-1, { group: k, "": -1 });
      return found.mul(mask(grouped.isTopK(1).mergeAxes(-2, 2, "d_sae")));
    },
  },
} as const satisfies Readonly<Record<string, Activation>>;

/** The name of a kind of activation. */
export type ActivationName = keyof typeof ACTIVATIONS;
