/**
 * Which characters belong to which class, as the parts of Hugging Face's library decide it. They are tables of our own,
 * because `\s`, `\p{L}` and the like of a JavaScript engine change with its version, and because the library's parts differ
 * among themselves: the word characters of Oniguruma are not those of the regex crate, and the punctuation of BERT is that
 * of an older Unicode.
 */
import { CATEGORIES, CATEGORY_NAMES, SETS } from "./tables.ts";

/** A set of code points. */
export type CodeSet = (code: number) => boolean;

const NAMES = CATEGORY_NAMES.split(" ");
const BMP = 0x10000;

/** The bits of the categories whose names begin so: "L" for every letter, "Nd" for the one. 0 for an unknown name. */
export function categoryMask(name: string): number {
  return NAMES.reduce((mask, category, i) => (category.startsWith(name) ? mask | (1 << i) : mask), 0);
}

let decoded: { readonly bmp: Uint8Array; readonly starts: Uint32Array; readonly categories: Uint8Array } | undefined;

/** The runs of `CATEGORIES`: one entry a code point below U+10000, and starts with categories above. */
function categories(): NonNullable<typeof decoded> {
  if (decoded) return decoded;
  const bmp = new Uint8Array(BMP);
  const starts: number[] = [];
  const above: number[] = [];
  let at = 0;
  for (const [, letter, count] of CATEGORIES.matchAll(/([A-Za-z])(\d*)/g)) {
    const category = letter < "a" ? letter.charCodeAt(0) - 65 : letter.charCodeAt(0) - 97 + 26;
    const end = at + (count === "" ? 1 : Number(count));
    if (at < BMP) bmp.fill(category, at, Math.min(end, BMP));
    if (end > BMP) {
      starts.push(Math.max(at, BMP));
      above.push(category);
    }
    at = end;
  }
  decoded = { bmp, starts: Uint32Array.from(starts), categories: Uint8Array.from(above) };
  return decoded;
}

/** The code points of some general categories. */
export function inCategories(mask: number): CodeSet {
  const table = categories();
  return (code) => {
    if (code < BMP) return ((1 << table.bmp[code]) & mask) !== 0;
    return ((1 << table.categories[lastAtOrBelow(table.starts, code)]) & mask) !== 0;
  };
}

/** Where in an ascending list the last entry is that is not above the value. */
function lastAtOrBelow(list: Uint32Array, value: number): number {
  let low = 0;
  let high = list.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (list[middle] <= value) low = middle;
    else high = middle;
  }
  return low;
}

/** A set of the tables, as the bounds of its ranges: inside from each even one to the next. */
function bounds(encoded: string): Uint32Array {
  let at = 0;
  return Uint32Array.from([0, ...encoded.split(" ").map((step) => (at += Number.parseInt(step, 36)))]);
}

function inTable(encoded: string): CodeSet {
  const list = bounds(encoded);
  // The leading 0 opens a stretch that is outside, so that odd places are inside.
  return (code) => lastAtOrBelow(list, code) % 2 === 1;
}

/** Remembers the answers for characters below U+10000. */
export function remembered(set: CodeSet): CodeSet {
  const known = new Uint8Array(BMP);
  return (code) => {
    if (code >= BMP) return set(code);
    const answer = known[code];
    if (answer !== 0) return answer === 2;
    const is = set(code);
    known[code] = is ? 2 : 1;
    return is;
  };
}

/** A set that is made when it is first asked for. */
function lazily(make: () => CodeSet): CodeSet {
  let set: CodeSet | undefined;
  return (code) => {
    set ??= remembered(make());
    return set(code);
  };
}

const beyond = (categoryNames: readonly string[], encoded: string) => () => {
  const base = inCategories(categoryNames.reduce((mask, name) => mask | categoryMask(name), 0));
  const more = inTable(encoded);
  return (code: number) => base(code) || more(code);
};

/** White_Space: Rust's `char::is_whitespace`, and `\s` of Oniguruma and of the regex crate. */
export const isWhiteSpace = lazily(() => inTable(SETS.whiteSpace));
/** Rust's `char::is_numeric`. */
export const isNumeric = lazily(beyond(["N"], SETS.rustNumeric));
/** What BERT calls punctuation, and the Punctuation pre-tokenizer: ASCII's, and Unicode's of some years ago. */
export const isPunctuation = lazily(() => inTable(SETS.punctuation));
/** `\w` of the regex crate. */
export const isRustWord = lazily(beyond(["L", "M", "Nd", "Pc"], SETS.rustWord));
/** `\w` of Oniguruma, which counts "²" and the Roman numerals. */
export const isOnigWord = lazily(beyond(["L", "M", "Nd", "Pc"], SETS.onigWord));
/** `[[:word:]]` of Oniguruma. */
export const isOnigWordBracket = lazily(beyond(["L", "M", "Nd", "Pc"], SETS.onigWordBracket));
export const isAlphabetic = lazily(beyond(["L", "Nl"], SETS.alphabetic));
export const isUppercase = lazily(beyond(["Lu"], SETS.uppercase));
export const isLowercase = lazily(beyond(["Ll"], SETS.lowercase));
/** What BERT's cleaning takes out: control characters, and U+FFFD. */
export const isBertControl = lazily(() => inTable(SETS.bertControl));
/** The characters that BERT puts spaces around. */
export const isBertChinese = lazily(() => inTable(SETS.bertChinese));
/** What BERT's stripping of accents takes out. */
export const isBertAccent = lazily(() => inTable(SETS.bertAccent));
/** What StripAccents takes out. */
export const isCombiningMark = lazily(() => inTable(SETS.combiningMark));
/** Characters that Hugging Face's normal forms leave as they are, and newer Unicode data does not. */
export const isInertInNormalForms = lazily(() => inTable(SETS.inertInNormalForms));
