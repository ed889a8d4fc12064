/** A configuration in a line: what a reader asks of a model first. */
import { counted } from "../../tensor/words.ts";
import type { HookedTransformerConfig } from "./config.ts";

/** The fields that the line says, or that follow from others unless they are set. */
export const IN_LINE: ReadonlySet<keyof HookedTransformerConfig> = new Set([
  ...([
    "nLayers",
    "nDecoderLayers",
    "dModel",
    "nHeads",
    "nKeyValueHeads",
    "dHead",
    "attnOnly",
    "dMlp",
    "actFn",
  ] as const),
  ...(["numExperts", "dVocab", "nCtx", "positionalEmbeddingType", "normalizationType", "modelName"] as const),
  ...(["attnScale", "dVocabOut", "initializerRange", "nParams"] as const),
]);

/** "12 layers, d_model 768, 12 heads of 64, d_mlp 3072 (gelu_new), 50257 tokens, 1024 positions (standard), LN". */
export function configLine(c: HookedTransformerConfig): string {
  const layers = c.nDecoderLayers === null ? `${c.nLayers}` : `${c.nLayers} + ${c.nDecoderLayers}`;
  const shared =
    c.nKeyValueHeads !== null && c.nKeyValueHeads !== c.nHeads ? `, ${c.nKeyValueHeads} of keys and values` : "";
  const parts = [
    layers === "1" ? "1 layer" : `${layers} layers`,
    `d_model ${c.dModel}`,
    `${counted(c.nHeads, "head")} of ${c.dHead}${shared}`,
    ...(c.attnOnly ? ["no MLPs"] : [`d_mlp ${c.dMlp} (${c.actFn})`]),
    ...(c.numExperts === null ? [] : [`${c.numExperts} experts`]),
    `${c.dVocab} tokens`,
    `${c.nCtx} positions (${c.positionalEmbeddingType})`,
    c.normalizationType ?? "no norm",
  ];
  return parts.join(", ");
}
