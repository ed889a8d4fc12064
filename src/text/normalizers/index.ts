/** The normalizers of Hugging Face's library. */
import { built, Component } from "../component.ts";
import { bertNormalizer } from "./bert.ts";
import { BYTE_LEVEL, prepend, replace, STRIP_ACCENTS, strip } from "./edits.ts";
import { inTurn, type Normalizer, UNCHANGED } from "./normalizer.ts";
import { precompiled } from "./precompiled.ts";
import { LOWERCASE, NMT, normalForm } from "./unicode.ts";

export const NORMALIZERS: Readonly<Record<string, (component: Component) => Normalizer>> = {
  BertNormalizer: bertNormalizer,
  ByteLevel: () => BYTE_LEVEL,
  Lowercase: () => LOWERCASE,
  NFC: () => normalForm("NFC"),
  NFD: () => normalForm("NFD"),
  NFKC: () => normalForm("NFKC"),
  NFKD: () => normalForm("NFKD"),
  Nmt: () => NMT,
  Precompiled: precompiled,
  Prepend: prepend,
  Replace: replace,
  Sequence: (component) => inTurn(component.components("normalizers").map(make)),
  Strip: strip,
  StripAccents: () => STRIP_ACCENTS,
};

const make = (component: Component): Normalizer => built(component, NORMALIZERS, "normalizer");

/** The normalizer that a `tokenizer.json` describes; null changes nothing. */
export function normalizerOf(json: unknown): Normalizer {
  return json === null || json === undefined ? UNCHANGED : make(new Component(json, "normalizer"));
}
