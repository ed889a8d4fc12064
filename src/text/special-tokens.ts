/** Which tokens mark the beginning of a text, its end, and padding. */
import { type AddedToken, readTokenizerConfigJson, type TokenizerConfigJson } from "./tokenizer-json.ts";

/** The names that publishers give to special tokens, tried only where there is no `tokenizer_config.json` to say it. */
const CUSTOMARY: Record<keyof TokenizerConfigJson, readonly string[]> = {
  bos: ["<|BOS|>", "<|begin_of_text|>", "<bos>", "<s>", "[BOS]"],
  eos: ["<|EOS|>", "<|end_of_text|>", "<|endoftext|>", "<eos>", "</s>", "[EOS]"],
  pad: ["<|PAD|>", "<pad>", "[PAD]"],
};

/** From `tokenizer_config.json` if there is one, else the special token with a customary name, else undefined. */
export function specialTokens(config: unknown, addedTokens: readonly AddedToken[]): TokenizerConfigJson {
  if (config !== undefined) return readTokenizerConfigJson(config);
  const special = new Set(addedTokens.filter((t) => t.special).map((t) => t.content));
  const find = (role: keyof TokenizerConfigJson) => CUSTOMARY[role].find((name) => special.has(name));
  return { bos: find("bos"), eos: find("eos"), pad: find("pad") };
}
