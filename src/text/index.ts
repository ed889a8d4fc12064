/** Text to tokens and back. */
export { parsePrompts } from "./prompts.ts";
export { type TokenIds, TokenRules, type TokenRulesOptions, type Tokens, type ToTokensOptions } from "./token-rules.ts";
export { type DecodeOptions, type EncodeOptions, Tokenizer } from "./tokenizer.ts";
