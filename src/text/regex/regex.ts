/**
 * A tokenizer's regular expression, matched in time linear in the text's length.
 *
 * The matcher tries the same things as Oniguruma, in the same order, and so finds the same matches; but what has failed once at a position
 * is not tried there again. There are no backreferences, so whether the rest of a pattern matches from a position does not depend
 * on how that position was reached: each pair of step and position is processed at most once, whatever the pattern.
 * Source of the idea: the bounded backtracker of RE2 (R. Cox, "Regular Expression Matching in the Wild").
 */
import { FileFormatError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import { type CodeSet, isOnigWord } from "../unicode/classes.ts";
import { mayBeEmpty, parseRegex } from "./parse.ts";
import {
  type Compiled,
  canBegin,
  compile,
  ended,
  FAILED,
  type Outcomes,
  optionsFor,
  type Program,
  type Runs,
  type Step,
  TooLarge,
  UNKNOWN,
} from "./program.ts";
import type { Place } from "./syntax.ts";

/** Tables of positions are reused from text to text up to size LARGE, and have at least size SMALL. */
const LARGE = 4096;
const SMALL = 256;

const NOT_KNOWN = 2;

/** An alternative left to try: another option of a choice, or a shorter run. */
interface Left {
  step: Step & { op: "choice" | "run" };
  /** For a choice, its position; for a run, where it began. */
  pos: number;
  /** For a choice, the options and the index of the next. */
  options: readonly Step[];
  index: number;
  /** For a run, its end and how much of it was taken. */
  end: number;
  taken: number;
  /** The length of the trail. */
  trail: number;
}

export class Regex {
  readonly pattern: string;
  /** Whether it may match the empty string. */
  readonly mayBeEmpty: boolean;
  readonly #compiled: Compiled;
  /** Which characters below U+10000 a match may begin with: 1 for those, 0 for others, computed when first needed. */
  readonly #begins = new Uint8Array(0x10000).fill(NOT_KNOWN);
  #text = "";
  // A stack whose entries are reused.
  readonly #left: Left[] = [];
  #height = 0;
  // The choices made on the way here, with their positions.
  readonly #trailStep: (Step & { op: "choice" })[] = [];
  readonly #trailPos: number[] = [];

  /** @throws FileFormatError for an unsupported pattern, saying which part */
  constructor(pattern: string) {
    this.pattern = pattern;
    try {
      const tree = parseRegex(pattern);
      this.mayBeEmpty = mayBeEmpty(tree);
      this.#compiled = compile(tree);
    } catch (cause) {
      if (!(cause instanceof TooLarge)) throw cause;
      throw new FileFormatError(
        `The regular expression ${shown(pattern)} of the tokenizer.json is too large: ${cause.message}.`,
        { asked: pattern, cause },
      );
    }
  }

  /**
   * The starts and ends of all matches, alternating, from left to right, each as long as the pattern prefers. An empty match is
   * not reported directly after another match. The text must be well-formed UTF-16.
   */
  findAll(text: string): number[] {
    this.#begin(text);
    const found: number[] = [];
    const { program } = this.#compiled;
    let last = -1;
    let at = 0;
    while (at <= text.length) {
      let start = this.#nextBeginning(at);
      let end = this.#run(program, start);
      while (end < 0 && start < text.length) {
        start = this.#nextBeginning(after(text, start));
        end = this.#run(program, start);
      }
      if (end < 0) break;
      if (start === end && end === last) {
        if (start >= text.length) break;
        at = after(text, start);
        continue;
      }
      found.push(start, end);
      at = end;
      last = end;
    }
    this.#text = "";
    return found;
  }

  /** The first position from here on where a match may begin, by its character; at most the text's end. */
  #nextBeginning(from: number): number {
    const text = this.#text;
    let at = from;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      // Half a pair: the whole character may be anything.
      if (code >= 0xd800 && code <= 0xdfff) return at;
      if (this.#begins[code] === NOT_KNOWN) this.#begins[code] = canBegin(this.#compiled.program.start, code) ? 1 : 0;
      if (this.#begins[code] === 1) return at;
    }
    return at;
  }

  /** Forgets the previous text. */
  #begin(text: string): void {
    this.#text = text;
    for (const seen of this.#compiled.runs) {
      seen.to = -1;
      seen.looked = 0;
      seen.ends = undefined;
      seen.end = -1;
      if (seen.others.size > 0) seen.others.clear();
    }
    for (const outcomes of this.#compiled.outcomes) {
      const of = outcomes.of;
      if (of === undefined) continue;
      // Large tables are dropped, rather than cleared for each short text.
      if (of.length <= text.length || of.length > LARGE) outcomes.of = undefined;
      else of.fill(UNKNOWN);
    }
  }

  /** Where a match from this position ends; -1 if there is none. */
  #run(program: Program, from: number): number {
    const text = this.#text;
    const { length } = text;
    const base = this.#height;
    const trailBase = this.#trailStep.length;
    let step = program.start;
    let pos = from;
    for (;;) {
      let ok = true;
      switch (step.op) {
        case "set": {
          ok = pos < length;
          if (!ok) break;
          const code = text.codePointAt(pos)!;
          ok = step.set(code);
          if (ok) pos += code > 0xffff ? 2 : 1;
          step = step.next;
          break;
        }
        case "run": {
          const { seen } = step;
          const end = runEnd(text, step.set, seen, pos);
          if (step.giveBack && end > pos) {
            // If the rest is known not to match, it is not tried again.
            const failedFrom = failedFromOf(seen, end);
            const taken = failedFrom > end ? end : before(text, failedFrom);
            if (failedFrom <= pos) ok = false;
            else {
              const left = this.#push(step, pos);
              left.end = end;
              left.taken = taken;
              pos = taken;
              step = step.next;
            }
          } else {
            pos = end;
            step = step.next;
          }
          break;
        }
        case "choice": {
          if (step.outcomes !== undefined) {
            const of = outcomesOf(step.outcomes, length);
            const known = of[pos];
            if (known > UNKNOWN) {
              this.#succeeded(program, base, trailBase, known - 1);
              return known - 1;
            }
            if (known === FAILED) {
              ok = false;
              break;
            }
            of[pos] = FAILED; // unless it leads to a match
            this.#trailStep.push(step);
            this.#trailPos.push(pos);
          }
          let options: readonly Step[] = step.options;
          if (pos < length) {
            const code = text.charCodeAt(pos);
            if (code < 128) options = optionsFor(step, code);
          }
          if (options.length === 0) ok = false;
          else {
            if (options.length > 1) {
              const left = this.#push(step, pos);
              left.options = options;
              left.index = 1;
            }
            step = options[0];
          }
          break;
        }
        case "ahead one":
          ok = (pos < length && step.set(text.codePointAt(pos)!)) !== step.negative;
          step = step.next;
          break;
        case "ahead":
          ok = this.#ended(step.program, pos) >= 0 !== step.negative;
          step = step.next;
          break;
        case "behind": {
          const here = pos;
          const found = step.options.some(({ program: body, width }) => {
            const start = back(text, here, width);
            return start >= 0 && this.#ended(body, start) === here;
          });
          ok = found !== step.negative;
          step = step.next;
          break;
        }
        case "atomic": {
          const end = this.#ended(step.program, pos);
          ok = end >= 0;
          pos = end;
          step = step.next;
          break;
        }
        case "place":
          ok = isAt(text, pos, step.place);
          step = step.next;
          break;
        case "accept":
          this.#succeeded(program, base, trailBase, pos);
          return pos;
      }
      if (ok) continue;
      // Back to the last alternative.
      for (;;) {
        if (this.#height === base) {
          this.#trailStep.length = trailBase;
          this.#trailPos.length = trailBase;
          return -1;
        }
        const left = this.#left[this.#height - 1];
        // Everything since then has failed, and stays marked.
        this.#trailStep.length = left.trail;
        this.#trailPos.length = left.trail;
        if (left.step.op === "choice") {
          if (left.index < left.options.length) {
            step = left.options[left.index++];
            pos = left.pos;
            break;
          }
        } else {
          rememberFailed(left.step.seen, left.end, left.taken);
          if (left.taken > left.pos) {
            left.taken = before(text, left.taken);
            pos = left.taken;
            step = left.step.next;
            break;
          }
        }
        this.#height--;
      }
    }
  }

  /** Where an atomic group or a look-around ends from a position; computed once for each position. */
  #ended(program: Program, from: number): number {
    const of = outcomesOf(program.ends, this.#text.length);
    const known = of[from];
    if (known !== UNKNOWN) return known === FAILED ? -1 : known - 1;
    const end = this.#run(program, from);
    of[from] = end < 0 ? FAILED : ended(end);
    return end;
  }

  #push(step: Step & { op: "choice" | "run" }, pos: number): Left {
    let left = this.#left[this.#height];
    if (left === undefined) {
      left = { step, pos, options: [], index: 0, end: 0, taken: 0, trail: 0 };
      this.#left.push(left);
    }
    this.#height++;
    left.step = step;
    left.pos = pos;
    left.trail = this.#trailStep.length;
    return left;
  }

  /**
   * The steps on the way to a match did not fail. In a part that is matched separately they lead to the same end again; in the
   * whole pattern, a later match begins elsewhere.
   */
  #succeeded(program: Program, base: number, trailBase: number, end: number): void {
    const outcome = program === this.#compiled.program ? UNKNOWN : ended(end);
    for (let i = this.#trailStep.length - 1; i >= trailBase; i--) {
      this.#trailStep[i].outcomes!.of![this.#trailPos[i]] = outcome;
    }
    this.#trailStep.length = trailBase;
    this.#trailPos.length = trailBase;
    this.#height = base;
  }
}

function outcomesOf(outcomes: Outcomes, length: number): Int32Array {
  outcomes.of ??= new Int32Array(Math.max(length + 1, SMALL));
  return outcomes.of;
}

/** Where the run of a set's characters from here ends. */
function runEnd(text: string, set: CodeSet, seen: Runs, from: number): number {
  if (from >= seen.from && from <= seen.to) return seen.to;
  if (seen.ends) return seen.ends[from];
  let end = from;
  while (end < text.length) {
    const code = text.codePointAt(end)!;
    if (!set(code)) break;
    end += code > 0xffff ? 2 : 1;
  }
  seen.from = from;
  seen.to = end;
  seen.looked += end - from;
  if (seen.looked > 4 * text.length) seen.ends = allRunEnds(text, set);
  return end;
}

function allRunEnds(text: string, set: CodeSet): Int32Array {
  const ends = new Int32Array(text.length + 1);
  ends[text.length] = text.length;
  for (let at = text.length; at > 0; ) {
    const start = before(text, at);
    ends[start] = set(text.codePointAt(start)!) ? ends[at] : start;
    at = start;
  }
  return ends;
}

function failedFromOf(seen: Runs, end: number): number {
  if (seen.end === end) return seen.failedFrom;
  return seen.others.get(end) ?? Infinity;
}

function rememberFailed(seen: Runs, end: number, from: number): void {
  if (seen.end !== end) {
    if (seen.end >= 0) seen.others.set(seen.end, seen.failedFrom);
    seen.end = end;
  }
  seen.failedFrom = from;
}

/** The position one character further on. */
function after(text: string, at: number): number {
  return at + (text.codePointAt(at)! > 0xffff ? 2 : 1);
}

/** The position one character back. */
function before(text: string, at: number): number {
  const low = text.charCodeAt(at - 1);
  return low >= 0xdc00 && low <= 0xdfff && at >= 2 ? at - 2 : at - 1;
}

/** The position this many characters back; -1 before the start of the text. */
function back(text: string, from: number, count: number): number {
  let at = from;
  for (let i = 0; i < count; i++) {
    if (at === 0) return -1;
    at = before(text, at);
  }
  return at;
}

function isAt(text: string, at: number, place: Place): boolean {
  const newline = (i: number) => text.charCodeAt(i) === 10;
  switch (place) {
    case "text start":
      return at === 0;
    case "text end":
      return at === text.length;
    case "text end or last newline":
      return at === text.length || (at === text.length - 1 && newline(at));
    case "line start":
      // Not after the newline that ends the text.
      return at === 0 || (newline(at - 1) && at < text.length);
    case "line end":
      return at === text.length || newline(at);
    case "word edge":
      return wordEdge(text, at);
    case "no word edge":
      return !wordEdge(text, at);
  }
}

function wordEdge(text: string, at: number): boolean {
  const left = at > 0 && isOnigWord(text.codePointAt(before(text, at))!);
  const right = at < text.length && isOnigWord(text.codePointAt(at)!);
  return left !== right;
}
