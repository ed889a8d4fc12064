/** Exact changes of a dictionary's weights: the decoder's norms, or the scale of its input, folded into them. */
import type { Tensor } from "../graph/tensor.ts";
import { type NDArray, ndarray } from "../tensor/array.ts";
import { ConfigError } from "../tensor/errors.ts";
import { ACTIVATIONS, type Activation } from "./activations.ts";
import { architectureName } from "./architectures.ts";
import { compositionOf, type DictionaryConfig } from "./config.ts";

/** A dictionary's configuration and weights, as folding changes them. */
export interface Folded {
  readonly cfg: DictionaryConfig;
  readonly weights: ReadonlyMap<string, NDArray>;
}

type Arrays = ReadonlyMap<string, Tensor>;

/** The norms ‖W_dec row‖ of a decoder [d_sae d_out], summed in float64: [d_sae]. */
export function decoderNorms(W_dec: Tensor): Float32Array {
  const [count, width] = W_dec.shape;
  const data = W_dec.data as Float32Array;
  return Float32Array.from({ length: count }, (_, f) => {
    let sum = 0;
    for (let i = f * width; i < (f + 1) * width; i++) sum += data[i] ** 2;
    return Math.sqrt(sum);
  });
}

/**
 * The same dictionary with decoder rows of norm 1: with `n = ‖W_dec row‖`, `W_dec /= n`, and `W_enc`, biases and thresholds `*= n`. Features are
 * n times as large, as on Neuronpedia's pages; what the dictionary makes of an input stays. A row of zeros stays as it is. Source:
 * SAELens' `fold_W_dec_norm`.
 * @throws ConfigError where features are compared with each other as they are, so that other features would fire
 */
export function withFoldedNorms(cfg: DictionaryConfig, weights: Arrays): Folded {
  const activation: Activation = ACTIVATIONS[compositionOf(cfg).activation];
  if (activation.compares && !cfg.rescaleActsByDecoderNorm) {
    throw new ConfigError(
      `The norms of a "${cfg.architecture}" dictionary's decoder cannot be folded: it keeps the largest features, and other ones would be. Use it as it is, or one with rescaleActsByDecoderNorm.`,
      { asked: cfg.architecture },
    );
  }
  const norms = decoderNorms(weights.get("W_dec")!).map((n) => n || 1);
  const width = cfg.dOut;
  const changes: Readonly<Record<string, (x: number, i: number) => number>> = {
    W_dec: (x, i) => x / norms[Math.floor(i / width)],
    W_enc: (x, i) => x * norms[i % cfg.dSae],
    ...Object.fromEntries(
      Object.entries(activation.weights)
        .filter(([, folding]) => folding === "multiplied")
        .map(([name]) => [name, (x: number, i: number) => x * norms[i]]),
    ),
  };
  return { cfg: { ...cfg, rescaleActsByDecoderNorm: false }, weights: changed(weights, changes) };
}

/**
 * The dictionary of x that is this one of `s·x`: `W_enc *= s`, and since it then gives back x, `W_dec /= s` and `b_dec /= s`; of a
 * transcoder, whose output is of another space, `W_skip *= s` instead. Biases and thresholds stay. Normalisation by an expected
 * average is done with that, and becomes `none`. Source: SAELens' `fold_activation_norm_scaling_factor`.
 */
export function withFoldedScale(cfg: DictionaryConfig, weights: Arrays, s: number): Folded {
  const times = (x: number) => x * s;
  const over = (x: number) => x / s;
  const changes = compositionOf(cfg).transcoder
    ? { W_enc: times, W_skip: times }
    : { W_enc: times, W_dec: over, b_dec: over };
  const { normalizeActivations } = cfg;
  const left = normalizeActivations === "expected_average_only_in" ? "none" : normalizeActivations;
  return { cfg: { ...cfg, normalizeActivations: left }, weights: changed(weights, changes) };
}

/**
 * The jumprelu dictionary that stands for one whose batches kept their largest features: norms folded if features were compared times
 * them, and the same threshold for every feature. Source: SAELens' `BatchTopKTrainingSAE.process_state_dict_for_saving_inference`.
 * @param cfg of a dictionary without thresholds: its weights are `W_enc`, `b_enc`, `W_dec`, `b_dec`, and those of its skip connection
 */
export function withOneThreshold(
  cfg: DictionaryConfig,
  weights: Arrays,
  threshold: number,
  rescaled: boolean,
): Map<string, NDArray> {
  const plain: DictionaryConfig = { ...cfg, k: null, rescaleActsByDecoderNorm: false };
  const architecture = architectureName({ ...compositionOf(cfg), activation: "relu" });
  const folded = rescaled ? withFoldedNorms({ ...plain, architecture }, weights).weights : changed(weights, {});
  const data = new Float32Array(cfg.dSae).fill(threshold);
  return new Map([...folded, ["threshold", ndarray("float32", [cfg.dSae], data)]]);
}

/** Copies of what changes, number by number; the rest as it is. */
function changed(
  weights: Arrays,
  changes: Readonly<Record<string, (x: number, i: number) => number>>,
): Map<string, NDArray> {
  return new Map(
    [...weights].map(([name, tensor]) => {
      const array = tensor.array as NDArray<"float32">;
      const change = Object.hasOwn(changes, name) ? changes[name] : undefined;
      return [name, change ? ndarray("float32", array.shape, array.data.map(change)) : array];
    }),
  );
}
