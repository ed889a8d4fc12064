/** What a tokenizer class of transformers puts around its vocabulary. */
import type { Fields } from "../component.ts";
import type { Settings } from "./settings.ts";

/** What a special token is for. */
export type Role = "bos" | "eos" | "unk" | "sep" | "pad" | "cls" | "mask";

/** The parts of a `tokenizer.json` without the vocabulary: of `model`, everything else. */
export interface Pipeline {
  readonly model: Fields;
  readonly normalizer: unknown;
  readonly preTokenizer: unknown;
  readonly decoder: unknown;
}

/** The roles of the tokens that go around every text. */
export interface Around {
  readonly before: readonly Role[];
  readonly after: readonly Role[];
}

export interface TokenizerClass {
  /** Its special tokens, if no file names others. */
  readonly usual: Partial<Record<Role, string>>;
  /**
   * Its parts; absent for a class that only takes a `tokenizer.json`.
   * @param charsmap sentencepiece's map of normalization, in base64
   */
  readonly pipeline?: (settings: Settings, charsmap?: string) => Pipeline;
  /** Set for a class that puts the same tokens around every text, whatever the settings say. */
  readonly around?: Around;
  /** Whether it puts BOS before a text if no file says. */
  readonly addsBos?: true;
}

export const REPLACED_SPACES = { type: "Replace", pattern: { String: " " }, content: "▁" };

/** A Sequence of parts; one by itself; null for none. */
export function inSequence(name: "normalizers" | "pretokenizers" | "decoders", parts: readonly object[]): unknown {
  return parts.length > 1 ? { type: "Sequence", [name]: parts } : (parts[0] ?? null);
}
