import { isFields } from "../component.ts";
import type { TokenizerJson } from "../tokenizer-json.ts";
import { BERT } from "./bert.ts";
import { tokenizerClass } from "./index.ts";
import type { Settings } from "./settings.ts";

/** A BertNormalizer as the `tokenizer_config.json` has it, which transformers puts in place of the `tokenizer.json`'s own. */
export function bertNormalizerJson(
  className: string | undefined,
  settings: Settings,
  { normalizer }: Pick<TokenizerJson, "normalizer">,
): { readonly normalizer: unknown } {
  if (tokenizerClass(className) !== BERT || !isFields(normalizer) || normalizer.type !== "BertNormalizer") {
    return { normalizer };
  }
  return BERT.pipeline!(settings);
}
