/** A dictionary of random weights: about half of its features fire at a token. */
import { Dictionary, randn } from "../../src/node.ts";

export function randomDictionary(hookName: string, dIn: number, dSae = 12): Dictionary {
  const weights = new Map([
    ["W_enc", randn([dIn, dSae], { seed: 1 })],
    ["b_enc", randn([dSae], { seed: 2 })],
    ["W_dec", randn([dSae, dIn], { seed: 3 })],
    ["b_dec", randn([dIn], { seed: 4 })],
  ]);
  return new Dictionary({ architecture: "standard", dIn, dSae, hookName }, weights);
}
