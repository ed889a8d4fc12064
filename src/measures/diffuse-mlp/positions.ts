/** The measurements at each position of each prompt. */

/** One token of one prompt. Losses are in nats, attributions in logits. */
export interface Position {
  readonly prompt: number;
  readonly pos: number;
  readonly token: string;
  /** The token that comes next; `null` at a prompt's end. */
  readonly next: string | null;
  readonly isBos: boolean;
  /** max - mean over the neurons, at the ablated point. */
  readonly outlier: number;
  /** The neuron with the largest activation there. */
  readonly largestNeuron: number;
  /** max - mean of `mlp.ln.hook_normalized`; `null` in an MLP without a norm inside. */
  readonly outlierAfter: number | null;
  /** `mlp.ln.hook_scale`: sqrt(variance + eps). */
  readonly scale: number | null;
  /** The prompt's mean loss with this position ablated, minus its clean mean loss. */
  readonly ablation: number;
  /** The same for the next token's loss alone, the one that the position itself predicts. */
  readonly nextAblation: Ablation | null;
  /** The notebook's score: `ablation / outlier`. `null` if the outlier score is 0. */
  readonly score: number | null;
  /** The next token's loss. */
  readonly loss: number | null;
  readonly attribution: Attribution | null;
}

/** How ablating a position changes the loss of the token that it predicts: `loss = normaliser - logit`. */
export interface Ablation {
  /** Ablated minus clean loss: the sum of the next two. */
  readonly loss: number;
  /** Clean minus ablated logit of the next token. */
  readonly logit: number;
  /** Ablated minus clean log-sum-exp of all logits: the contribution of the other tokens. */
  readonly normaliser: number;
}

/**
 * The MLP's direct logit attribution to the next token t, neuron by neuron:
 * `a_i = hook_post_i (W_out[i] . W_U[:, t]) / ln_final.hook_scale`.
 */
export interface Attribution extends Spread {
  /** The token whose logit is attributed. */
  readonly target: number;
  /** The sum of a_i over the neurons. */
  readonly neurons: number;
  /** `b_out . W_U[:, t] / ln_final.hook_scale`: what the MLP adds regardless of the neurons. */
  readonly bias: number;
  /** The neurons with the largest |a_i|, largest first, and their a_i. */
  readonly top: readonly (readonly [neuron: number, logits: number])[];
  /** The share of the largest neuron when neurons write in each other's directions, as a mean over shuffles. */
  readonly shuffledMaxShare: number;
}

/** How evenly a sum of |a_i| is spread over the neurons. */
export interface Spread {
  /** `max |a_i| / sum |a_i|`, from 1/d_mlp to 1; 0 if all are 0. */
  readonly maxShare: number;
  /** The participation ratio `(sum |a_i|)^2 / sum a_i^2`: that many equal neurons would have the same spread. */
  readonly effectiveNeurons: number;
  /** The fewest neurons that make up half of the sum. */
  readonly n50: number;
  /** The fewest neurons that make up nine tenths of it. */
  readonly n90: number;
}
