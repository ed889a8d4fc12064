/** Each feature of a dictionary: how often it fires, and its weights. */
import type { Dictionary } from "../../dictionaries/dictionary.ts";

/** A feature. */
export interface FeatureRow {
  /** Its index. */
  readonly d_sae: number;
  /** The share of tokens at which it fires. */
  readonly density: number;
  /** At how many tokens of a text it fires, where it fires at all; null if it never does. Source: SAELens' `consistent_activation_heuristic`. */
  readonly per_text: number | null;
  /** Its largest activation. */
  readonly largest: number;
  /** ‖W_enc column‖ */
  readonly encoder_norm: number;
  /** ‖W_dec row‖ */
  readonly decoder_norm: number;
  /** The cosine of what it reads and what it writes; null where these are of different widths. */
  readonly alignment: number | null;
}

/** Counts over the tokens that count, by feature. */
export interface FeatureCounts {
  readonly tokens: number;
  readonly fired: Float64Array;
  readonly texts: Float64Array;
  readonly largest: Float64Array;
}

export function featureRows(
  { cfg, weights }: Dictionary,
  { tokens, fired, texts, largest }: FeatureCounts,
): FeatureRow[] {
  const [enc, dec] = [weights.get("W_enc")!.data, weights.get("W_dec")!.data];
  const { dIn, dOut, dSae } = cfg;
  return Array.from({ length: dSae }, (_, f): FeatureRow => {
    const [reads, writes] = [(i: number) => enc[i * dSae + f], (i: number) => dec[f * dOut + i]];
    const [encoderNorm, decoderNorm] = [Math.sqrt(dot(reads, reads, dIn)), Math.sqrt(dot(writes, writes, dOut))];
    return {
      d_sae: f,
      density: fired[f] / tokens,
      per_text: texts[f] > 0 ? fired[f] / texts[f] : null,
      largest: largest[f],
      encoder_norm: encoderNorm,
      decoder_norm: decoderNorm,
      alignment: dIn === dOut ? dot(reads, writes, dIn) / (encoderNorm * decoderNorm) : null,
    };
  });
}

function dot(a: (i: number) => number, b: (i: number) => number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a(i) * b(i);
  return sum;
}
