/** How much slower the pairs of rotary positions turn in models for texts longer than those of their training. */

/** Llama 3.1's scaling, in the configuration's words. */
export interface NtkByParts {
  readonly rotaryBase: number;
  readonly ntkByPartsFactor: number;
  readonly ntkByPartsLowFreqFactor: number;
  readonly ntkByPartsHighFreqFactor: number;
  readonly ntkOriginalCtxLen: number;
}

/**
 * Llama 3.1's scaling, "NTK by parts". With the turns `t = trained length · frequency / 2π` of a pair over the length of
 * training, its frequency is divided by
 * ```
 * 1                                      if t > high
 * factor                                 if t < low
 * 1 / ((1 - s) / factor + s)             between, s = (t - low) / (high - low)
 * ```
 * @returns what the frequency of a pair is divided by
 *
 * Source: Llama 3.1's code; TransformerLens' `use_NTK_by_parts_rope`.
 */
export function ntkByParts(dim: number, settings: NtkByParts): (pair: number) => number {
  const { ntkByPartsFactor: factor, ntkByPartsLowFreqFactor: low, ntkByPartsHighFreqFactor: high } = settings;
  return (pair) => {
    const period = settings.rotaryBase ** ((2 * pair) / dim);
    const turns = settings.ntkOriginalCtxLen / (2 * Math.PI * period);
    if (turns > high) return 1;
    if (turns < low) return factor;
    const share = (turns - low) / (high - low);
    return 1 / ((1 - share) / factor + share);
  };
}
