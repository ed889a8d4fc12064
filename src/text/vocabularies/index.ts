/** Vocabularies that are not in a `tokenizer.json`: which class of tokenizer they belong to, and what it makes of them. */
import { classOfModelType } from "../classes/index.ts";
import { settingsOf } from "../classes/settings.ts";
import type { Fields } from "../component.ts";
import { namedClass } from "../special-tokens.ts";
import type { Assembled } from "./assembled.ts";
import { assembleWordPiece } from "./bert.ts";
import { assembleBpe, assembleTiktoken } from "./byte-level.ts";
import { assembleSentencePiece } from "./sentencepiece.ts";
import { readSentencePiece } from "./sentencepiece-file.ts";

export type VocabularyFile =
  | { readonly kind: "vocab.json"; readonly vocab: Fields; readonly merges: string }
  | { readonly kind: "vocab.txt"; readonly vocab: string }
  | { readonly kind: "sentencepiece"; readonly bytes: Uint8Array; readonly what: string }
  | { readonly kind: "tiktoken"; readonly ranks: string; readonly what: string };

/**
 * A vocabulary with the parts of its class: the one that the `tokenizer_config.json` names, or the `config.json`, or that the
 * model's type has.
 * @throws FileFormatError for a file that is not of its kind
 */
export function vocabularyOf(
  file: VocabularyFile,
  tokenizerConfig: unknown,
  model: { readonly model_type?: unknown; readonly tokenizer_class?: unknown },
): Assembled {
  const settings = settingsOf(tokenizerConfig);
  const className = namedClass(tokenizerConfig) ?? namedClass(model) ?? classOfModelType(model.model_type);
  if (file.kind === "vocab.json") return assembleBpe(file.vocab, file.merges, className, settings);
  if (file.kind === "vocab.txt") return assembleWordPiece(file.vocab, className, settings);
  if (file.kind === "tiktoken") return assembleTiktoken(file.ranks, settings, file.what);
  return assembleSentencePiece(readSentencePiece(file.bytes, file.what), className, settings);
}
