/** SAELens' `normalize_activations`: what is done to the input, and undone at the output. One record a kind. */
import type { Tensor } from "../graph/tensor.ts";
import { ConfigError } from "../tensor/errors.ts";

/** A normalised input, and the way back. */
export interface Normalized {
  readonly input: Tensor;
  /** What a reconstruction of the input is of x. */
  undo(recons: Tensor): Tensor;
}

/** A kind of normalisation. */
export interface Normalization {
  /** Whether `undo` needs the input that was normalised. */
  readonly undoes: boolean;
  /** Whether it is a factor that has to be folded into the weights before the dictionary is used. */
  readonly folds: boolean;
  apply(x: Tensor): Normalized;
}

const EPS = 1e-5;

/**
 * The kinds, of x [... d_in]:
 *
 * - `none`
 * - `constant_norm_rescale`: `x · sqrt(d_in) / ‖x‖` of each token, without eps; back by the same number
 * - `layer_norm`: `(x − mean) / (std + 1e-5)`, the standard deviation over n − 1; back by `· std + mean`, without the eps
 * - `expected_average_only_in`: one number for all tokens, which is part of the dictionary only once it is folded
 */
export const NORMALIZATIONS = {
  none: { undoes: false, folds: false, apply: (x) => ({ input: x, undo: (recons) => recons }) },
  constant_norm_rescale: {
    undoes: true,
    folds: false,
    apply(x) {
      const coefficient = x.constant(Math.sqrt(x.shape.at(-1)!)).div(x.norm(-1, true));
      return { input: x.mul(coefficient), undo: (recons) => recons.div(coefficient) };
    },
  },
  layer_norm: {
    undoes: true,
    folds: false,
    apply(x) {
      const mean = x.mean(-1, true);
      const centred = x.sub(mean);
      const std = centred.std(-1, true);
      return { input: centred.div(std.add(x.constant(EPS))), undo: (recons) => recons.mul(std).add(mean) };
    },
  },
  expected_average_only_in: {
    undoes: false,
    folds: true,
    apply() {
      throw new ConfigError(
        "The dictionary was trained on inputs times one factor, sqrt(d_in) over their mean norm, which its files do not contain: give it with the option inputScale, or fold it with foldInputScale.",
        { asked: "expected_average_only_in" },
      );
    },
  },
} as const satisfies Readonly<Record<string, Normalization>>;

/** The name of a kind of normalisation. */
export type NormalizationName = keyof typeof NORMALIZATIONS;
