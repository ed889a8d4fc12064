/** `fold_ln`: the norms' weights and biases move into the matrices that read them, and the norms become parameterless. */
import type { Tensor } from "../../graph/tensor.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { NORMS } from "../parts/norm.ts";
import type { Product } from "../structure.ts";
import type { WeightDraft } from "./draft.ts";
import { foldNorm, type NormParameters } from "./fold-norm.ts";
import type { ReadNorm } from "./stream.ts";

/**
 * Folds each norm into the products that read it: `ln1` into the queries, keys and values, `ln2` into `W_in` and `W_gate`,
 * a SoLU MLP's inner norm into `W_out`, and `ln_final` into `W_U`; what reads a LayerNorm is also centred. Logits stay
 * the same. @see foldedConfig
 *
 * @param centerFinalRms TransformerLens centres `W_U` over d_model even behind an RMSNorm at the end of a LayerNorm model,
 * which subtracts no mean, so that its logits change: they lose mean(resid) / rms times the column sums of `W_U`. True does
 * the same, if there are LayerNorms (`amongLayerNorms`).
 */
export function foldLayerNorm(
  draft: WeightDraft,
  norms: readonly ReadNorm[],
  { centerFinalRms, amongLayerNorms }: { readonly centerFinalRms: boolean; readonly amongLayerNorms: boolean },
): void {
  for (const { norm, readers } of norms) {
    const parameters = { w: taken(draft, norm.w), b: taken(draft, norm.b) };
    const isLast = readers.some(({ weight }) => weight.axes.at(-1) === "d_vocab");
    const center = norm.subtractsMean || (isLast && centerFinalRms && amongLayerNorms);
    for (const reader of readers) foldInto(draft, parameters, reader, center);
  }
}

/** The configuration afterwards: LN -> LNPre and RMS -> RMSPre. */
export function foldedConfig(config: HookedTransformerConfig): HookedTransformerConfig {
  return { ...config, normalizationType: config.normalizationType && NORMS[config.normalizationType].folded };
}

/** A norm's parameter, which leaves the draft. */
function taken(draft: WeightDraft, parameter: Tensor | undefined): Float32Array | undefined {
  if (!parameter) return undefined;
  const data = draft.read(parameter.label!);
  draft.remove(parameter.label!);
  return data;
}

/** Folds a norm into a reader's matrix, or into those of all its heads. */
function foldInto(draft: WeightDraft, norm: NormParameters, { weight, bias }: Product, center: boolean): void {
  const [rows, cols] = weight.shape.slice(-2);
  const data = draft.edit(weight.label!);
  const biases = bias && draft.edit(bias.label!);
  for (let offset = 0, head = 0; offset < data.length; offset += rows * cols, head++) {
    foldNorm({ data, offset, rows, cols }, norm, biases, head * cols, center);
  }
}
