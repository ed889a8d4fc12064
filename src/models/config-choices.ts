/** The names that some configuration fields choose from. */

/** The MLP's nonlinearities that can be run. `gelu` is the exact (erf) one; `solu_ln` is SoLU followed by a LayerNorm. */
export const ACTIVATIONS = [
  "solu",
  "solu_ln",
  "gelu",
  "gelu_new",
  "gelu_fast",
  "gelu_pytorch_tanh",
  "quick_gelu",
  "relu",
  "silu",
] as const;
export type ActivationName = (typeof ACTIVATIONS)[number];

/** LN has weight and bias, RMS a weight; the `Pre` forms have neither (they were folded into what reads them). */
export const NORMALIZATIONS = ["LN", "LNPre", "RMS", "RMSPre"] as const;
export type NormalizationType = (typeof NORMALIZATIONS)[number];

export const POSITIONAL_EMBEDDINGS = [
  "standard",
  "shortformer",
  "rotary",
  "alibi",
  "relative_positional_bias",
] as const;
export type PositionalEmbeddingType = (typeof POSITIONAL_EMBEDDINGS)[number];

/** Whether a layer's queries see all earlier keys or the nearest ones. */
export const ATTENTION_TYPES = ["global", "local"] as const;
export type AttentionType = (typeof ATTENTION_TYPES)[number];

export const INIT_MODES = [
  "gpt2",
  "xavier_uniform",
  "xavier_normal",
  "kaiming_uniform",
  "kaiming_normal",
  "muP",
] as const;
export type InitMode = (typeof INIT_MODES)[number];
