/** Text to tokens and back. */

export { tokenizerJsonOfGpt2 } from "./gpt2-files.ts";
export { notedPadding, notePadding } from "./padding.ts";
export { parsePrompts } from "./prompts.ts";
export { idRows, type TokenIds, type Tokens } from "./token-ids.ts";
export { TokenRules, type TokenRulesOptions, type ToTokensOptions } from "./token-rules.ts";
export { type DecodeOptions, type EncodeOptions, Tokenizer } from "./tokenizer.ts";
