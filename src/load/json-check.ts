/**
 * Checks what JSON.parse does not check in a header, an index or a configuration: duplicate keys (the last would silently win), endless
 * nesting, and huge numbers of values, which take far more memory parsed than as text.
 */
import { FileFormatError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";

const DEEPEST = 32;
/** The most brackets and commas: a tensor with three axes has ten. */
const MOST_PARTS = 1_000_000;
/** The most keys in one object. */
const MOST_KEYS = 100_000;

/**
 * @param text JSON or not: JSON.parse reports text that is not
 * @param what its name in an error
 * @throws FileFormatError
 */
export function checkJson(text: string, what: string): void {
  /** For each open bracket, the keys of an object so far, or undefined for a list. */
  const open: (Set<string> | undefined)[] = [];
  let parts = 0;
  let keyNext = false;
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (c === '"') {
      const end = stringEnd(text, at);
      const keys = keyNext ? open[open.length - 1] : undefined;
      if (keys) addKey(keys, text.slice(at, end + 1), what);
      keyNext = false;
      at = end;
    } else if (c === "{" || c === "[") {
      open.push(c === "{" ? new Set() : undefined);
      keyNext = c === "{";
      parts++;
      if (open.length > DEEPEST) {
        throw new FileFormatError(`${what} nests more than ${DEEPEST} levels deep.`, { asked: what });
      }
    } else if (c === "}" || c === "]") {
      open.pop();
      keyNext = false;
    } else if (c === ",") {
      keyNext = true;
      parts++;
    }
    if (parts > MOST_PARTS) {
      throw new FileFormatError(`${what} has more than ${MOST_PARTS} values, more than any model's.`, { asked: what });
    }
  }
}

/** A text of at most this many characters can be parsed whatever it contains. */
const SMALL_TEXT = 16_000_000;
/** The most brackets and commas in a longer text: the largest tokenizers have two million. */
const MOST_PARTS_OF_TEXT = 8_000_000;

/** Passes if a text takes about as much memory parsed as it is long. @throws FileFormatError */
export function checkParts(text: string, what: string): void {
  if (text.length <= SMALL_TEXT) return;
  let parts = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === COMMA || c === BRACKET || c === BRACE) parts++;
  }
  if (parts <= MOST_PARTS_OF_TEXT) return;
  throw new FileFormatError(`${what} has more than ${MOST_PARTS_OF_TEXT} values, more than any model's.`, {
    asked: what,
    found: parts,
  });
}

const [COMMA, BRACKET, BRACE] = [...",[{"].map((c) => c.charCodeAt(0));

/** The position of the quotation mark that ends the string starting at `at`; the end of the text if there is none. */
function stringEnd(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text[end - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}

function addKey(keys: Set<string>, quoted: string, what: string): void {
  let key = quoted.slice(1, -1);
  if (key.includes("\\")) {
    try {
      key = JSON.parse(quoted);
    } catch {
      return; // not JSON, as JSON.parse will report
    }
  }
  if (keys.has(key)) throw new FileFormatError(`${what} has the key ${shown(key)} twice.`, { asked: what, found: key });
  keys.add(key);
  if (keys.size > MOST_KEYS) {
    throw new FileFormatError(`${what} has more than ${MOST_KEYS} names, more than any model's.`, { asked: what });
  }
}
