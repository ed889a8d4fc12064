/** A model of random weights whose BOS, end of text and padding are one token, as GPT-2's are. */
import {
  HookedTransformer,
  type HookedTransformerConfig,
  initWeights,
  parseConfig,
  Tokenizer,
} from "../../src/node.ts";

export const END = "<|endoftext|>";
const PIECES = ["a", "b", "c", "d", "e", END];

export const tokenizer = Tokenizer.fromJson(
  {
    version: "1.0",
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: { type: "Fuse" },
    added_tokens: [
      { id: 5, content: END, special: true, single_word: false, lstrip: false, rstrip: false, normalized: false },
    ],
    model: { type: "BPE", vocab: Object.fromEntries(PIECES.map((piece, i) => [piece, i])), merges: [] },
  },
  { bos_token: END, eos_token: END, pad_token: END },
);

/** @param seed of its weights */
export function smallModel(seed = 1, fields: Record<string, unknown> = {}): HookedTransformer {
  const cfg: HookedTransformerConfig = parseConfig({
    ...{ n_layers: 2, d_model: 16, n_heads: 2, d_head: 8, d_mlp: 32, n_ctx: 32, d_vocab: 6 },
    ...{ act_fn: "gelu", normalization_type: "LN", seed, ...fields },
  });
  const weights = initWeights(cfg);
  for (const { data } of weights.values()) for (let i = 0; i < data.length; i++) data[i] *= 5;
  return new HookedTransformer(cfg, weights, { tokenizer });
}
