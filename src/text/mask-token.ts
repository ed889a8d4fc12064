/** The token that stands for a word to be filled in. */
import { isFields } from "./component.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** The mask's name: as the files next to the tokenizer say, or BERT's. */
export function maskToken({ files }: Tokenizer): string {
  for (const file of ["tokenizer_config.json", "special_tokens_map.json"]) {
    const given = files.get(file);
    const token = isFields(given) ? given.mask_token : undefined;
    if (typeof token === "string") return token;
    if (isFields(token) && typeof token.content === "string") return token.content;
  }
  return "[MASK]";
}

/** Its id; `undefined` if the vocabulary lacks it. */
export function maskTokenId(tokenizer: Tokenizer): number | undefined {
  return tokenizer.tokenToId(maskToken(tokenizer));
}
