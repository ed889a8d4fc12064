/** Compiles a regular expression to steps for the matcher. */
import type { CodeSet } from "../unicode/classes.ts";
import { remembered } from "../unicode/classes.ts";
import type { Node, Place } from "./syntax.ts";

/** The most steps of a pattern: expanded repetitions multiply. */
const MOST_STEPS = 1000;

export type Step =
  | { readonly op: "set"; readonly set: CodeSet; next: Step }
  /** Takes as many characters of the set as possible, then one fewer each time the rest does not match. */
  | { readonly op: "run"; readonly set: CodeSet; readonly giveBack: boolean; readonly seen: Runs; next: Step }
  | {
      readonly op: "choice";
      options: Step[];
      /** Which options a character below U+0080 can begin, computed when first needed; the others are not tried. */
      readonly beginnings: (readonly Step[])[];
      /** Its outcomes, by position; undefined for the pattern's first choice, which no position reaches twice. */
      outcomes: Outcomes | undefined;
    }
  | { readonly op: "ahead"; readonly program: Program; readonly negative: boolean; next: Step }
  | { readonly op: "ahead one"; readonly set: CodeSet; readonly negative: boolean; next: Step }
  | { readonly op: "behind"; readonly options: readonly BehindProgram[]; readonly negative: boolean; next: Step }
  | { readonly op: "atomic"; readonly program: Program; next: Step }
  | { readonly op: "place"; readonly place: Place; next: Step }
  | { readonly op: "accept" };

export interface BehindProgram {
  readonly program: Program;
  readonly width: number;
}

export interface Program {
  readonly start: Step;
  /** For a part that is matched separately: where it ended, by where it began. */
  readonly ends: Outcomes;
}

/** What the matcher knows about the runs of one set in the current text. */
export interface Runs {
  /** The last run that was examined. */
  from: number;
  to: number;
  /** How many characters have been examined, and, once they are many more than the text has, where the run from each position ends. */
  looked: number;
  ends: Int32Array | undefined;
  /** For the run that ends at `end`: the rest does not match anywhere from `failedFrom` to there. Earlier ones are in `others`. */
  end: number;
  failedFrom: number;
  readonly others: Map<number, number>;
}

/** For each position of a text: `UNKNOWN`, `FAILED`, or where the match that begins there ends. */
export interface Outcomes {
  of: Int32Array | undefined;
}

export const UNKNOWN = 0;
export const FAILED = -1;
/** Ends are stored plus one, because a match may end at 0. */
export const ended = (at: number): number => at + 1;

export interface Compiled {
  readonly program: Program;
  /** Everything that has state for a text, to be cleared for the next. */
  readonly runs: readonly Runs[];
  readonly outcomes: readonly Outcomes[];
}

export class TooLarge extends Error {}

export function compile(tree: Node): Compiled {
  const runs: Runs[] = [];
  const outcomes: Outcomes[] = [];
  let steps = 0;
  const count = <T extends Step>(step: T): T => {
    if (++steps > MOST_STEPS) throw new TooLarge(`more than ${MOST_STEPS} steps`);
    return step;
  };
  const unknown = (): Outcomes => {
    const made: Outcomes = { of: undefined };
    outcomes.push(made);
    return made;
  };

  const choice = (options: Step[]): Step & { op: "choice" } =>
    count({ op: "choice", options, beginnings: [], outcomes: unknown() });

  /** The steps of a node, followed by `next`. */
  const stepsOf = (node: Node, next: Step): Step => {
    switch (node.type) {
      case "set":
        return count({ op: "set", set: remembered(node.set), next });
      case "sequence":
        return node.parts.reduceRight((after, part) => stepsOf(part, after), next);
      case "choice":
        return choice(node.options.map((option) => stepsOf(option, next)));
      case "place":
        return count({ op: "place", place: node.place, next });
      case "ahead":
        if (node.body.type === "set") {
          return count({ op: "ahead one", set: remembered(node.body.set), negative: node.negative, next });
        }
        return count({ op: "ahead", program: program(node.body), negative: node.negative, next });
      case "behind": {
        const options = node.options.map(({ body, width }) => ({ program: program(body), width }));
        return count({ op: "behind", options, negative: node.negative, next });
      }
      case "atomic":
        return count({ op: "atomic", program: program(node.body), next });
      case "repeat":
        return repeated(node, next);
    }
  };

  const repeated = (node: Node & { type: "repeat" }, next: Step): Step => {
    const { body, min, max, greed } = node;
    if (greed === "possessive" && !(body.type === "set" && max === Infinity)) {
      return count({ op: "atomic", program: program({ ...node, greed: "greedy" }), next });
    }
    let after: Step;
    if (max === Infinity && body.type === "set" && greed !== "lazy") {
      const seen: Runs = { from: 0, to: -1, looked: 0, ends: undefined, end: -1, failedFrom: 0, others: new Map() };
      runs.push(seen);
      after = count({ op: "run", set: remembered(body.set), giveBack: greed === "greedy", seen, next });
    } else if (max === Infinity) {
      const again = choice([]);
      const once = stepsOf(body, again);
      again.options = greed === "lazy" ? [next, once] : [once, next];
      after = again;
    } else {
      after = next;
      for (let i = min; i < max; i++) {
        const once = stepsOf(body, after);
        after = choice(greed === "lazy" ? [next, once] : [once, next]);
      }
    }
    for (let i = 0; i < min; i++) after = stepsOf(body, after);
    return after;
  };

  const program = (node: Node): Program => {
    return { start: stepsOf(node, { op: "accept" }), ends: unknown() };
  };

  const whole = program(tree);
  if (tree.type === "choice" && whole.start.op === "choice") whole.start.outcomes = undefined;
  return { program: whole, runs, outcomes };
}

/** The options of a choice that a character can begin, including those for which that is not known. */
export function optionsFor(step: Step & { op: "choice" }, code: number): readonly Step[] {
  const known = step.beginnings[code];
  if (known) return known;
  const options = step.options.filter((option) => canBegin(option, code, new Set()));
  step.beginnings[code] = options;
  return options;
}

/** Whether a match may begin with a character. */
export function canBegin(step: Step, code: number, seen = new Set<Step>()): boolean {
  if (seen.has(step)) return false;
  seen.add(step);
  switch (step.op) {
    case "set":
      return step.set(code);
    case "run":
      return step.set(code) || canBegin(step.next, code, seen);
    case "choice":
      return step.options.some((option) => canBegin(option, code, seen));
    case "place":
      return canBegin(step.next, code, seen);
    default:
      return true;
  }
}
