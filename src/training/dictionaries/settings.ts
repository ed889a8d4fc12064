/** What decides how a dictionary is trained, besides its configuration: SAELens' settings in camelCase, with its defaults. */

/** The settings of the losses of all kinds; each kind uses those that are its own. */
export interface LossSettings {
  /** The weight of the sum of features: `standard`, `gated`. */
  readonly l1Coefficient: number;
  /** The steps during which it rises from 0. */
  readonly l1WarmUpSteps: number;
  /** The order of the norm that sums features: `standard`. */
  readonly lpNorm: number;
  /** The weight of the number of features: `jumprelu`. */
  readonly l0Coefficient: number;
  /** The steps during which it rises from 0. */
  readonly l0WarmUpSteps: number;
  /** How that number is made differentiable: `step` with its straight-through estimator, or `tanh`. */
  readonly jumpreluSparsityLossMode: "step" | "tanh";
  /** The threshold at the beginning. */
  readonly jumpreluInitThreshold: number;
  /** The width around a threshold within which pre-activations move it. */
  readonly jumpreluBandwidth: number;
  /** The factor within `tanh`. */
  readonly jumpreluTanhScale: number;
  /** The weight of what pulls dead features towards their threshold; null: none. */
  readonly preActLossCoefficient: number | null;
  /** The weight of the error that dead features reconstruct: `topk`, `batchtopk`, `matryoshka_batchtopk`. */
  readonly auxLossCoefficient: number;
  /** How fast the threshold that a `batchtopk` dictionary is saved with follows what its batches keep. */
  readonly topkThresholdLr: number;
  /** The numbers of features, each the first of the next, that have to reconstruct alone: `matryoshka_batchtopk`. */
  readonly matryoshkaWidths: readonly number[];
  /** The norm of decoder rows at the beginning. */
  readonly decoderInitNorm: number;
}

export const LOSS_DEFAULTS: LossSettings = {
  l1Coefficient: 1,
  l1WarmUpSteps: 0,
  lpNorm: 1,
  l0Coefficient: 1,
  l0WarmUpSteps: 0,
  jumpreluSparsityLossMode: "step",
  jumpreluInitThreshold: 0.01,
  jumpreluBandwidth: 0.05,
  jumpreluTanhScale: 4,
  preActLossCoefficient: null,
  auxLossCoefficient: 1,
  topkThresholdLr: 0.01,
  matryoshkaWidths: [],
  decoderInitNorm: 0.1,
};
