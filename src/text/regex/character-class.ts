/** Oniguruma's names for sets of characters: `\p{…}`, `\s`, `[[:alpha:]]`. */
import {
  type CodeSet,
  categoryMask,
  inCategories,
  isAlphabetic,
  isLowercase,
  isOnigWord,
  isOnigWordBracket,
  isUppercase,
  isWhiteSpace,
  remembered,
} from "../unicode/classes.ts";

export const not =
  (set: CodeSet): CodeSet =>
  (code) =>
    !set(code);
export const union =
  (sets: readonly CodeSet[]): CodeSet =>
  (code) =>
    sets.some((set) => set(code));
export const both =
  (a: CodeSet, b: CodeSet): CodeSet =>
  (code) =>
    a(code) && b(code);
export const range =
  (from: number, to: number): CodeSet =>
  (code) =>
    code >= from && code <= to;

const categories = (...names: string[]) => inCategories(names.reduce((mask, name) => mask | categoryMask(name), 0));
const digit = categories("Nd");
const hexDigit = union([range(0x30, 0x39), range(0x41, 0x46), range(0x61, 0x66)]);
const graph = not(categories("Z", "Cc", "Cn", "Cs"));

/** The escapes `\w` and the like; a capital letter means all other characters. */
export const ESCAPES: Readonly<Record<string, CodeSet>> = {
  d: digit,
  s: isWhiteSpace,
  w: isOnigWord,
  h: hexDigit,
  D: not(digit),
  S: not(isWhiteSpace),
  W: not(isOnigWord),
  H: not(hexDigit),
};

/** The same inside a class, where `\w` is slightly smaller. */
export const CLASS_ESCAPES: Readonly<Record<string, CodeSet>> = {
  ...ESCAPES,
  w: isOnigWordBracket,
  W: not(isOnigWordBracket),
};

const BRACKETS: Readonly<Record<string, CodeSet>> = {
  alnum: union([isAlphabetic, digit]),
  alpha: isAlphabetic,
  ascii: range(0, 0x7f),
  blank: union([categories("Zs"), range(9, 9)]),
  cntrl: categories("Cc"),
  digit,
  graph,
  lower: isLowercase,
  print: union([graph, categories("Zs")]),
  punct: categories("P", "S"),
  space: isWhiteSpace,
  upper: isUppercase,
  word: isOnigWordBracket,
  xdigit: hexDigit,
};

/** The set of `[:name:]`; undefined for a name that Oniguruma does not have. */
export function bracketNamed(name: string): CodeSet | undefined {
  return Object.hasOwn(BRACKETS, name) ? BRACKETS[name] : undefined;
}

/** The general categories by their long names, in Oniguruma's form without case, spaces, "-" and "_". */
const LONG_NAMES: Readonly<Record<string, string>> = {
  letter: "L",
  uppercaseletter: "Lu",
  lowercaseletter: "Ll",
  titlecaseletter: "Lt",
  modifierletter: "Lm",
  otherletter: "Lo",
  mark: "M",
  nonspacingmark: "Mn",
  spacingmark: "Mc",
  enclosingmark: "Me",
  number: "N",
  decimalnumber: "Nd",
  letternumber: "Nl",
  othernumber: "No",
  punctuation: "P",
  connectorpunctuation: "Pc",
  dashpunctuation: "Pd",
  openpunctuation: "Ps",
  closepunctuation: "Pe",
  initialpunctuation: "Pi",
  finalpunctuation: "Pf",
  otherpunctuation: "Po",
  symbol: "S",
  mathsymbol: "Sm",
  currencysymbol: "Sc",
  modifiersymbol: "Sk",
  othersymbol: "So",
  separator: "Z",
  spaceseparator: "Zs",
  lineseparator: "Zl",
  paragraphseparator: "Zp",
  control: "Cc",
  format: "Cf",
  privateuse: "Co",
};

/** Scripts that published tokenizers use; their members come from the JavaScript engine's Unicode version. */
const SCRIPTS = [
  ..."Arabic Armenian Bengali Bopomofo Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Han Hangul".split(
    " ",
  ),
  ..."Hebrew Hiragana Kannada Katakana Khmer Lao Latin Malayalam Myanmar Oriya Sinhala Tamil Telugu Thai Tibetan".split(
    " ",
  ),
];

const made = new Map<string, CodeSet>();

/** The set of `\p{name}`; undefined for an unknown name. */
export function propertyNamed(name: string): CodeSet | undefined {
  const plain = name.toLowerCase().replace(/[\s_-]/g, "");
  const known = made.get(plain);
  if (known) return known;
  const set = makeProperty(plain);
  if (set) made.set(plain, set);
  return set;
}

function makeProperty(plain: string): CodeSet | undefined {
  if (plain === "any") return () => true;
  if (plain === "punct") return categories("P");
  const bracket = bracketNamed(plain);
  if (bracket) return bracket;
  const short = plain === "" ? "" : plain[0].toUpperCase() + plain.slice(1);
  const category =
    LONG_NAMES[plain] ??
    (/^(?:L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfon]?)$/.test(short) ? short : undefined);
  if (category !== undefined) return inCategories(categoryMask(category));
  const script = SCRIPTS.find((s) => s.toLowerCase() === plain);
  if (script === undefined) return undefined;
  const pattern = new RegExp(`^\\p{Script=${script}}$`, "u");
  return remembered((code) => pattern.test(String.fromCodePoint(code)));
}
