/** The usual model and training settings for a task. */
import type { Complete } from "../../tensor/options.ts";
import type { TrainOptions } from "../options.ts";

/** The usual model and training settings, by TransformerLens' field names and `train`'s option names. */
export interface Recipe {
  readonly model: Readonly<Record<string, unknown>>;
  readonly training: Readonly<
    Complete<Pick<TrainOptions, "steps" | "batchSize" | "lr" | "schedule" | "betas" | "weightDecay">> &
      Pick<TrainOptions, "maxGradNorm">
  >;
  /** The share of all steps in which the learning rate rises. */
  readonly warmup: number;
}

/** The tasks: text, and two synthetic ones. */
export type TaskName = "text" | "modular-addition" | "repeated-tokens";

/**
 * Text: the bundled model's configuration and optimizer. Modular addition: Nanda et al. 2023 (arXiv 2301.05217), with fewer
 * sums held out. Repeated tokens: two layers of attention, as in Olsson et al. 2022 (arXiv 2209.11895).
 */
export const RECIPES: { readonly [T in TaskName]: Recipe } = {
  text: {
    model: { n_layers: 1, d_model: 256, n_heads: 4, n_ctx: 256, act_fn: "solu_ln", normalization_type: "LN" },
    training: {
      ...{ steps: 500, batchSize: 32, lr: 3e-3, schedule: "cosine" },
      ...{ betas: [0.9, 0.99], weightDecay: 0.05, maxGradNorm: 1 },
    },
    warmup: 0.05,
  },
  "modular-addition": {
    model: { n_layers: 1, d_model: 128, n_heads: 4, act_fn: "relu", normalization_type: null },
    training: {
      ...{ steps: 2000, batchSize: 1024, lr: 1e-3, schedule: "constant" },
      ...{ betas: [0.9, 0.98], weightDecay: 1 },
    },
    warmup: 0,
  },
  "repeated-tokens": {
    model: {
      ...{ n_layers: 2, d_model: 128, n_heads: 4, attn_only: true, normalization_type: "LN" },
      positional_embedding_type: "shortformer",
    },
    training: {
      ...{ steps: 1000, batchSize: 32, lr: 3e-3, schedule: "constant" },
      ...{ betas: [0.9, 0.98], weightDecay: 0.01 },
    },
    warmup: 0.02,
  },
};
