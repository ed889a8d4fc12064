/** Square pictures of a head's cells, a pixel each. */
import { ALL_HEADS, largestInBlocks } from "../../../draw/attention-colors.ts";
import type { Colors } from "./colors.ts";
import type { Weights } from "./weights.ts";

/** A head, or all, as `side` x `side` pixels. With fewer pixels than cells, each is the largest of a block. */
export function draft(head: number, side: number, weights: Weights, colors: Colors): ImageData {
  const image = new ImageData(side, side);
  const pixels = new Uint32Array(image.data.buffer);
  const heads = head === ALL_HEADS ? weights.heads : [head];
  const parts = heads.map((one) => largestInBlocks(weights.of(one), weights.tokens, side, weights.causal));
  const color = colors.pixel(head);
  for (let at = 0; at < pixels.length; at++) pixels[at] = color(parts, at);
  return image;
}
