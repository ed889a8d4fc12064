/** The rows of the measurement: everything that was measured at one position of one prompt. */

/** One token of one prompt. Losses are in nats, attributions in logits; what needs a next token is `null` at a prompt's end. */
export interface DiffuseMlpRow {
  readonly prompt: number;
  readonly pos: number;
  readonly token: string;
  /** The token that comes next, and its id. */
  readonly next: string | null;
  readonly target: number | null;
  readonly bos: boolean;
  /** max - mean over the neurons, at the ablated point. */
  readonly outlier: number;
  /** `1 / outlier`; `null` if that is 0. */
  readonly inverse_outlier: number | null;
  /** The neuron with the largest activation there. */
  readonly largest_activation: number;
  /** max - mean of `mlp.ln.hook_normalized`; this and the next three are `null` in an MLP without a norm inside. */
  readonly outlier_after: number | null;
  /** `mlp.ln.hook_scale`: sqrt(variance + eps). */
  readonly scale: number | null;
  /** `1 / scale`, which is the outlier score after the norm divided by the one before. */
  readonly ratio: number | null;
  /** The share of eps in `scale^2`. */
  readonly eps_share: number | null;
  /** The prompt's mean loss with this position ablated, minus its clean mean loss. */
  readonly ablation: number;
  /** The notebook's score: `ablation / outlier`. `null` if the outlier score is 0. */
  readonly score: number | null;
  /** The next token's clean loss. */
  readonly loss: number | null;
  /** Its ablated minus its clean loss: `attribution + other_terms + normaliser`. */
  readonly loss_change: number | null;
  /**
   * The MLP's direct logit attribution to the next token t, the sum over neurons of
   * `a_i = hook_post_i (W_out[i] . W_U[:, t]) / ln_final.hook_scale`.
   */
  readonly attribution: number | null;
  /** What else its logit loses: through the final norm's scale, and later layers. */
  readonly other_terms: number | null;
  /** Ablated minus clean log-sum-exp of all logits: the contribution of the other tokens. */
  readonly normaliser: number | null;
  /** `loss_change - attribution`. */
  readonly difference: number | null;
  /** `b_out . W_U[:, t] / ln_final.hook_scale`: what the MLP adds regardless of the neurons. */
  readonly bias: number | null;
  /** `max |a_i| / sum |a_i|`, from 1/d_mlp to 1; 0 if all are 0. */
  readonly max_share: number | null;
  /** The same when neurons write in each other's directions, as a mean over shuffles. */
  readonly shuffled_max_share: number | null;
  /** The participation ratio `(sum |a_i|)^2 / sum a_i^2`: that many equal neurons would have the same spread. */
  readonly effective_neurons: number | null;
  /** The fewest neurons that make up half, and nine tenths, of the sum of |a_i|. */
  readonly n50: number | null;
  readonly n90: number | null;
  /** The neuron with the largest |a_i|. */
  readonly largest_neuron: number | null;
  /** The neurons with the largest |a_i|, largest first, and their a_i. */
  readonly neurons: readonly (readonly [neuron: number, logits: number])[] | null;
}

/** How evenly a sum of |a_i| is spread over the neurons. */
export type Spread = { readonly [K in "max_share" | "effective_neurons" | "n50" | "n90"]: number };

/** What there is only where a token comes next. */
type OfNext =
  | ("next" | "target" | "loss" | "loss_change" | "attribution" | "other_terms" | "normaliser" | "difference" | "bias")
  | (keyof Spread | "shuffled_max_share" | "largest_neuron" | "neurons");

/** A position that predicts a token. */
export type Predicting = DiffuseMlpRow & { readonly [K in OfNext]: NonNullable<DiffuseMlpRow[K]> };

export function isPredicting(row: DiffuseMlpRow): row is Predicting {
  return row.attribution !== null;
}
