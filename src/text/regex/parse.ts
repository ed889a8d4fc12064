/**
 * Parses Oniguruma's regular expressions (its Ruby syntax, which Hugging Face's library uses) into a tree. Anything that could
 * be misread, and anything without bounds (backreferences, recursion), is refused by name.
 * Source: Oniguruma's doc/RE.
 */
import { FileFormatError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import { type CodeSet, categoryMask, inCategories } from "../unicode/classes.ts";
import { both, bracketNamed, CLASS_ESCAPES, ESCAPES, not, propertyNamed, range, union } from "./character-class.ts";
import type { Behind, Greed, Node, Place } from "./syntax.ts";

/** The most repetitions: they are expanded, so each costs a step. */
const MOST_REPETITIONS = 64;
const DEEPEST = 50;

const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, a: 7, e: 27 };
const PLACES: Readonly<Record<string, Place>> = {
  A: "text start",
  z: "text end",
  Z: "text end or last newline",
  b: "word edge",
  B: "no word edge",
};
/** Letters that, ignoring case, match one character together: "ss" and "ß", "fi" and its ligature. */
const JOINED_WITHOUT_CASE = /ss|st|ff|fi|fl/;
const withoutCase = inCategories(["P", "S", "Z", "N"].reduce((mask, name) => mask | categoryMask(name), 0));

interface Flags {
  readonly ignoreCase: boolean;
  /** Whether "." is a newline too: `(?m)` in Ruby's syntax. */
  readonly dotAll: boolean;
}

/** @throws FileFormatError for a pattern that Oniguruma refuses, or that is unsupported; the message says which part. */
export function parseRegex(pattern: string): Node {
  return new Parser(pattern).parse();
}

class Parser {
  readonly #pattern: string;
  readonly #chars: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#chars = Array.from(pattern);
  }

  parse(): Node {
    const node = this.#choice({ ignoreCase: false, dotAll: false });
    if (this.#at < this.#chars.length) throw this.#refused('a ")" without "("');
    return node;
  }

  #peek(text: string): boolean {
    for (let i = 0; i < text.length; i++) if (this.#chars[this.#at + i] !== text[i]) return false;
    return true;
  }

  #take(text: string): boolean {
    if (!this.#peek(text)) return false;
    this.#at += text.length;
    return true;
  }

  #next(): string {
    if (this.#at >= this.#chars.length) throw this.#refused("a premature end");
    return this.#chars[this.#at++];
  }

  #until(end: string): string {
    const from = this.#at;
    while (!this.#peek(end)) this.#next();
    const text = this.#chars.slice(from, this.#at).join("");
    this.#at += end.length;
    return text;
  }

  #refused(part: string): FileFormatError {
    return new FileFormatError(
      `The regular expression ${shown(this.#pattern)} of the tokenizer.json has ${part}, which is not supported. Rewrite the pattern, or make the tokens elsewhere and pass their ids.`,
      { asked: this.#pattern, found: part },
    );
  }

  #choice(flags: Flags): Node {
    if (++this.#depth > DEEPEST) throw this.#refused(`groups more than ${DEEPEST} deep`);
    const options: Node[] = [];
    do options.push(this.#sequence(flags));
    while (this.#take("|"));
    this.#depth--;
    return options.length === 1 ? options[0] : { type: "choice", options };
  }

  #sequence(flags: Flags): Node {
    const parts: Node[] = [];
    let letters = "";
    while (this.#at < this.#chars.length && !this.#peek("|") && !this.#peek(")")) {
      if (this.#take("(?#")) {
        this.#until(")");
        continue;
      }
      const from = this.#at;
      const atom = this.#atom(flags);
      const written = this.#chars.slice(from, this.#at).join("");
      parts.push(this.#repeated(atom));
      if (!flags.ignoreCase) continue;
      letters = /^[A-Za-z]$/.test(written) ? letters + written.toLowerCase() : "";
      if (JOINED_WITHOUT_CASE.test(letters)) throw this.#refused(`"${letters}" under (?i), which may match a ligature`);
    }
    return parts.length === 1 ? parts[0] : { type: "sequence", parts };
  }

  #atom(flags: Flags): Node {
    const char = this.#next();
    switch (char) {
      case "(":
        return this.#group(flags);
      case "[":
        return { type: "set", set: this.#class(flags) };
      case ".": {
        const set = flags.dotAll ? () => true : (code: number) => code !== 10;
        return { type: "set", set };
      }
      case "^":
        return { type: "place", place: "line start" };
      case "$":
        return { type: "place", place: "line end" };
      case "*":
      case "+":
      case "?":
      case "{":
        throw this.#refused(`a "${char}" with nothing to repeat`);
      case "\\":
        return this.#escape(flags);
      default:
        return { type: "set", set: this.#literal(char.codePointAt(0)!, flags) };
    }
  }

  /** One character and, if case is ignored, those that differ from it only by case. */
  #literal(code: number, { ignoreCase }: Flags): CodeSet {
    if (!ignoreCase || (code < 0x80 && !/[A-Za-z]/.test(String.fromCharCode(code)))) return (c) => c === code;
    if (code >= 0x80) {
      if (withoutCase(code)) return (c) => c === code;
      throw this.#refused(`"${String.fromCodePoint(code)}" under (?i)`);
    }
    const lower = code | 0x20;
    const more = lower === 0x73 ? 0x17f : lower === 0x6b ? 0x212a : lower; // the long s, the Kelvin sign
    return (c) => ((c | 0x20) === lower ? c < 0x80 : c === more);
  }

  #escape(flags: Flags): Node {
    if (this.#chars[this.#at] in PLACES && Object.hasOwn(PLACES, this.#chars[this.#at])) {
      return { type: "place", place: PLACES[this.#next()] };
    }
    const found = this.#escaped(ESCAPES);
    return { type: "set", set: typeof found === "number" ? this.#literal(found, flags) : found };
  }

  /** What follows a backslash, also in a class: a character, or a set. */
  #escaped(sets: Readonly<Record<string, CodeSet>>): number | CodeSet {
    const char = this.#next();
    if (Object.hasOwn(sets, char)) return sets[char];
    if (Object.hasOwn(CONTROLS, char)) return CONTROLS[char];
    if (char === "p" || char === "P") return this.#property(char === "P");
    if (char === "x" && this.#take("{")) return this.#code(this.#until("}"), 1, 8);
    if (char === "x") {
      const code = this.#code(this.#next() + this.#next(), 2, 2);
      if (code >= 0x80) throw this.#refused("a byte that is not ASCII");
      return code;
    }
    if (char === "u") return this.#code(this.#next() + this.#next() + this.#next() + this.#next(), 4, 4);
    if (/^[A-Za-z0-9]$/.test(char)) throw this.#refused(`"\\${char}"`);
    return char.codePointAt(0)!;
  }

  #code(hex: string, least: number, most: number): number {
    const code =
      /^[0-9A-Fa-f]+$/.test(hex) && hex.length >= least && hex.length <= most ? Number.parseInt(hex, 16) : -1;
    if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
      throw this.#refused(`"${hex}" as a character's number`);
    return code;
  }

  #property(negated: boolean): CodeSet {
    if (!this.#take("{")) throw this.#refused("\\p without braces");
    const negative = this.#take("^") !== negated;
    const name = this.#until("}");
    const set = propertyNamed(name);
    if (!set) throw this.#refused(`\\p{${name}}`);
    return negative ? not(set) : set;
  }

  #group(flags: Flags): Node {
    const inside = (make: (body: Node) => Node, with_: Flags = flags): Node => {
      const body = this.#choice(with_);
      if (!this.#take(")")) throw this.#refused('a "(" without ")"');
      return make(body);
    };
    const itself = (body: Node) => body;
    if (!this.#take("?")) {
      if (this.#peek("*")) throw this.#refused('"(*"');
      return inside(itself);
    }
    if (this.#take(":")) return inside(itself);
    if (this.#take("=")) return inside((body) => ({ type: "ahead", body, negative: false }));
    if (this.#take("!")) return inside((body) => ({ type: "ahead", body, negative: true }));
    if (this.#take(">")) return inside((body) => ({ type: "atomic", body }));
    if (this.#take("<=")) return inside((body) => this.#behind(body, false));
    if (this.#take("<!")) return inside((body) => this.#behind(body, true));
    if (this.#take("<")) {
      if (!/^[A-Za-z_]\w*$/.test(this.#until(">"))) throw this.#refused('"(?<" without a name');
      return inside(itself);
    }
    let written = "";
    while (/^[a-z-]$/i.test(this.#chars[this.#at] ?? "")) written += this.#next();
    const parts = /^([im]*)(?:-([im]+))?$/.exec(written);
    const [, on = "", off = ""] = parts ?? [];
    if (parts && written !== "") {
      const changed = {
        ignoreCase: (flags.ignoreCase || on.includes("i")) && !off.includes("i"),
        dotAll: (flags.dotAll || on.includes("m")) && !off.includes("m"),
      };
      if (this.#take(":")) return inside(itself, changed);
      // From here to the end of the group, including its other options.
      if (this.#take(")")) return this.#choice(changed);
    }
    throw this.#refused(`"(?${written}${this.#chars[this.#at] ?? ""}"`);
  }

  #behind(body: Node, negative: boolean): Node {
    if (looksAhead(body)) throw this.#refused("a look-behind that contains a look-ahead or a negation");
    const options = (body.type === "choice" ? body.options : [body]).map((option): Behind => {
      const width = widthOf(option);
      if (width === undefined) throw this.#refused("a look-behind without a fixed length");
      return { body: option, width };
    });
    return { type: "behind", options, negative };
  }

  #repeated(atom: Node): Node {
    const quantifier = this.#quantifier();
    if (!quantifier) return atom;
    const { min, max, greed } = quantifier;
    if (hasNoLength(atom)) throw this.#refused("a repetition of something without length");
    if (max === Infinity && mayBeEmpty(atom))
      throw this.#refused("an unlimited repetition of something that may be empty");
    if ("*+?{".includes(this.#chars[this.#at] ?? " ")) throw this.#refused("one repetition after another");
    return { type: "repeat", body: atom, min, max, greed };
  }

  #quantifier(): { min: number; max: number; greed: Greed } | undefined {
    const greed = (): Greed => (this.#take("?") ? "lazy" : this.#take("+") ? "possessive" : "greedy");
    if (this.#take("*")) return { min: 0, max: Infinity, greed: greed() };
    if (this.#take("+")) return { min: 1, max: Infinity, greed: greed() };
    if (this.#take("?")) return { min: 0, max: 1, greed: greed() };
    if (!this.#take("{")) return undefined;
    const written = this.#until("}");
    const parts = /^(\d*)(,?)(\d*)$/.exec(written);
    if (!parts || (parts[1] === "" && parts[3] === "")) throw this.#refused(`"{${written}}"`);
    const min = Number(parts[1] || 0);
    const max = parts[2] === "" ? min : parts[3] === "" ? Infinity : Number(parts[3]);
    if (min > MOST_REPETITIONS || (max !== Infinity && max > MOST_REPETITIONS)) {
      throw this.#refused(`"{${written}}", more than ${MOST_REPETITIONS} repetitions`);
    }
    if (max < min) throw this.#refused(`"{${written}}"`);
    // In Ruby's syntax "{n}?" is optional rather than lazy, and "{n,m}+" is repeated rather than possessive.
    if (this.#peek("+") || (parts[2] === "" && this.#peek("?"))) throw this.#refused(`"{${written}}${this.#next()}"`);
    return { min, max, greed: this.#take("?") ? "lazy" : "greedy" };
  }

  /** The set of a class, starting after its "[". */
  #class(flags: Flags): CodeSet {
    if (++this.#depth > DEEPEST) throw this.#refused(`groups more than ${DEEPEST} deep`);
    const negative = this.#take("^");
    if (flags.ignoreCase && negative) throw this.#refused("[^…] under (?i)");
    if (this.#peek("]")) throw this.#refused('a class that begins with "]"');
    let left: CodeSet | undefined; // the part before "&&"
    let members: CodeSet[] = [];
    const soFar = () => (left ? both(left, union(members)) : union(members));
    for (;;) {
      if (this.#take("]")) break;
      if (this.#take("&&")) {
        left = soFar();
        members = [];
        continue;
      }
      if (this.#take("[:")) {
        const negated = this.#take("^");
        const name = this.#until(":]");
        const set = bracketNamed(name);
        if (!set || flags.ignoreCase) throw this.#refused(`"[:${name}:]"`);
        members.push(negated ? not(set) : set);
        continue;
      }
      if (this.#take("[")) {
        members.push(this.#class(flags));
        continue;
      }
      members.push(this.#member(flags));
    }
    this.#depth--;
    const set = soFar();
    return negative ? not(set) : set;
  }

  /** A character, a range or a set inside a class. */
  #member(flags: Flags): CodeSet {
    const one = (): number | CodeSet => {
      const char = this.#next();
      if (char !== "\\") return char.codePointAt(0)!;
      if (this.#take("b")) return 8;
      return this.#escaped(CLASS_ESCAPES);
    };
    const from = one();
    const isRange = this.#peek("-") && this.#chars[this.#at + 1] !== "]";
    if (typeof from !== "number") {
      if (flags.ignoreCase && from !== ESCAPES.s && from !== ESCAPES.d)
        throw this.#refused("a set of letters under (?i)");
      if (isRange) throw this.#refused('a "-" behind a set');
      return from;
    }
    if (!isRange) return this.#literal(from, flags);
    if (from === 0x2d) throw this.#refused('a range from "-"');
    this.#at++;
    if (this.#peek("[") || this.#peek("&&")) throw this.#refused('a "-" before a set');
    const to = one();
    if (typeof to !== "number" || to < from) throw this.#refused("a range without an end, or a reversed one");
    if (!flags.ignoreCase) return range(from, to);
    if (to >= 0x80) throw this.#refused("a range beyond ASCII under (?i)");
    return union(Array.from({ length: to - from + 1 }, (_, i) => this.#literal(from + i, flags)));
  }
}

/** Whether a tree can match the empty string. */
export function mayBeEmpty(node: Node): boolean {
  switch (node.type) {
    case "set":
      return false;
    case "sequence":
      return node.parts.every(mayBeEmpty);
    case "choice":
      return node.options.some(mayBeEmpty);
    case "repeat":
      return node.min === 0 || mayBeEmpty(node.body);
    case "atomic":
      return mayBeEmpty(node.body);
    default:
      return true;
  }
}

/** Whether a tree is an anchor or a look-around, or a choice that has one: Oniguruma does not repeat these. */
function hasNoLength(node: Node): boolean {
  switch (node.type) {
    case "place":
    case "ahead":
    case "behind":
      return true;
    case "choice":
      return node.options.some(hasNoLength);
    default:
      return false;
  }
}

/** Whether a tree has something that Oniguruma does not allow in a look-behind. */
function looksAhead(node: Node): boolean {
  switch (node.type) {
    case "place":
      return node.place === "text end" || node.place === "text end or last newline";
    case "ahead":
      return true;
    case "behind":
      return node.negative;
    case "sequence":
      return node.parts.some(looksAhead);
    case "choice":
      return node.options.some(looksAhead);
    case "repeat":
    case "atomic":
      return looksAhead(node.body);
    default:
      return false;
  }
}

/** How many characters a tree matches, if it is always the same number. */
function widthOf(node: Node): number | undefined {
  switch (node.type) {
    case "set":
      return 1;
    case "sequence":
      return node.parts.reduce<number | undefined>((sum, part) => add(sum, widthOf(part)), 0);
    case "choice": {
      const widths = new Set(node.options.map(widthOf));
      return widths.size === 1 ? [...widths][0] : undefined;
    }
    case "repeat": {
      const width = widthOf(node.body);
      return node.min === node.max && width !== undefined ? width * node.min : undefined;
    }
    case "atomic":
      return widthOf(node.body);
    default:
      return 0;
  }
}

function add(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}
