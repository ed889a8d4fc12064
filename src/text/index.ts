/** Text to tokens and back. */

export { type ChatMessage, type ChatOptions, chatText } from "./chat.ts";
export { notedPadding, notePadding } from "./padding.ts";
export { parsePrompts } from "./prompts.ts";
export type { FilesBeside } from "./special-tokens.ts";
export type { TokenIds, Tokens } from "./token-ids.ts";
export { TokenRules, type TokenRulesOptions, type ToTokensOptions } from "./token-rules.ts";
export { type DecodeOptions, type EncodeOptions, Tokenizer } from "./tokenizer.ts";
export { type GgufVocabulary, tokenizerOfGguf } from "./vocabularies/gguf.ts";
