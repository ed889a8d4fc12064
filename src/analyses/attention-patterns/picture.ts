import { storedHeads } from "../../finding/attention-weights.ts";
import type { PictureSpec } from "../../finding/picture.ts";
import type { AttentionPatternsMeasurement } from "../../measures/attention-patterns.ts";
import { patternMetrics } from "../../measures/pattern-summary.ts";

/** The patterns of all heads, or as many as a picture holds. */
export function patternPicture({ prompt, heads }: AttentionPatternsMeasurement): PictureSpec {
  const weights = heads.map(({ component, pattern, valueNorms }) => ({
    ...{ name: component, weights: pattern.data as Float32Array, valueNorms: valueNorms.data as Float32Array },
  }));
  return {
    kind: "attention",
    name: "patterns",
    title: "Attention patterns",
    caption: "Rows are queries, columns keys.",
    tokens: prompt.tokens,
    heads: storedHeads(weights, prompt.ids.length),
    metrics: patternMetrics(heads),
    perRow: new Set(heads.map((h) => h.head)).size,
  };
}
