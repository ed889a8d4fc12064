/** `fold_ln`: the norms' weights and biases move into the matrices that read them, and the norms become parameterless. */
import type { HookedTransformerConfig, NormalizationType } from "../config.ts";
import type { WeightDraft } from "./draft.ts";
import { foldNorm, type NormParameters } from "./fold-norm.ts";

/**
 * Folds `ln1` into the queries, keys and values, `ln2` into `W_in`, a SoLU MLP's inner norm into `W_out`, and `ln_final` into
 * `W_U`; LayerNorms' readers are centred besides. Logits stay what they were. Returns the configuration with LN -> LNPre and
 * RMS -> RMSPre.
 *
 * @param centerFinalRms TransformerLens centres `W_U` over d_model even behind an RMSNorm, which subtracts no mean, so that
 * its logits change: they lose mean(resid) / rms times the column sums of `W_U`. True does the same.
 */
export function foldLayerNorm(
  draft: WeightDraft,
  config: HookedTransformerConfig,
  centerFinalRms = false,
): HookedTransformerConfig {
  const type = config.normalizationType;
  if (type === null) return config;
  const isLayerNorm = type === "LN" || type === "LNPre";
  const { nLayers, nHeads, dModel, dHead } = config;

  for (let layer = 0; layer < nLayers; layer++) {
    const block = `blocks.${layer}`;
    const ln1 = takeNorm(draft, `${block}.ln1`);
    for (const part of ["Q", "K", "V"]) {
      const W = draft.edit(`${block}.attn.W_${part}`);
      const b = draft.edit(`${block}.attn.b_${part}`);
      for (let head = 0; head < nHeads; head++) {
        const matrix = { data: W, offset: head * dModel * dHead, rows: dModel, cols: dHead };
        foldNorm(matrix, ln1, b, head * dHead, isLayerNorm);
      }
    }
    if (config.attnOnly) continue;
    foldInto(draft, takeNorm(draft, `${block}.ln2`), `${block}.mlp.W_in`, `${block}.mlp.b_in`, isLayerNorm);
    // The norm inside a solu_ln MLP is always a LayerNorm, so W_out's columns are centred over d_mlp.
    if (config.actFn === "solu_ln") {
      foldInto(draft, takeNorm(draft, `${block}.mlp.ln`), `${block}.mlp.W_out`, `${block}.mlp.b_out`, isLayerNorm);
    }
  }
  const centerUnembedding = isLayerNorm && (!config.finalRms || centerFinalRms);
  foldInto(draft, takeNorm(draft, "ln_final"), "unembed.W_U", "unembed.b_U", centerUnembedding);
  return { ...config, normalizationType: withoutParameters(type) };
}

function withoutParameters(type: NormalizationType): NormalizationType {
  if (type === "LN") return "LNPre";
  return type === "RMS" ? "RMSPre" : type;
}

/** A norm's parameters, which leave the draft; none for the parameterless kinds. */
function takeNorm(draft: WeightDraft, name: string): NormParameters {
  const parameter = (letter: string): Float32Array | undefined => {
    const full = `${name}.${letter}`;
    if (!draft.has(full)) return undefined;
    const data = draft.read(full);
    draft.remove(full);
    return data;
  };
  return { w: parameter("w"), b: parameter("b") };
}

function foldInto(draft: WeightDraft, norm: NormParameters, matrix: string, bias: string, center: boolean): void {
  const [rows, cols] = draft.shape(matrix);
  foldNorm({ data: draft.edit(matrix), offset: 0, rows, cols }, norm, draft.edit(bias), 0, center);
}
