/** The kinds of value that an option or a configuration field may hold: each a test, and the words for an error. */
import { listed } from "./words.ts";

/** One kind of value. */
export interface Kind {
  readonly accepts: (value: unknown) => boolean;
  /** What the value must be, to end a sentence: "a positive whole number". */
  readonly describe: string;
}

const isNumber = (v: unknown): v is number => typeof v === "number" && Number.isFinite(v);
const isWhole = (v: unknown): v is number => Number.isSafeInteger(v);

export const COUNT: Kind = { accepts: (v) => isWhole(v) && v > 0, describe: "a positive whole number" };
export const WHOLE: Kind = { accepts: isWhole, describe: "a whole number" };
export const NOT_NEGATIVE_WHOLE: Kind = { accepts: (v) => isWhole(v) && v >= 0, describe: "a whole number, 0 or more" };
export const NUMBER: Kind = { accepts: isNumber, describe: "a number" };
export const POSITIVE: Kind = { accepts: (v) => isNumber(v) && v > 0, describe: "a positive number" };
export const NOT_NEGATIVE: Kind = { accepts: (v) => isNumber(v) && v >= 0, describe: "a number, 0 or more" };
export const FLAG: Kind = { accepts: (v) => typeof v === "boolean", describe: "true or false" };
export const TEXT: Kind = { accepts: (v) => typeof v === "string", describe: "a string" };
export const FUNCTION: Kind = { accepts: (v) => typeof v === "function", describe: "a function" };
export const OBJECT: Kind = {
  accepts: (v) => typeof v === "object" && v !== null && !Array.isArray(v),
  describe: "an object",
};
export const SIGNAL: Kind = {
  accepts: isSignal,
  describe: "an AbortSignal",
};
/** Anything: the function checks it itself, with a better message. */
export const ANYTHING: Kind = { accepts: () => true, describe: "anything" };

export function orNull(kind: Kind): Kind {
  return { accepts: (v) => v === null || kind.accepts(v), describe: `${kind.describe} or null` };
}

export function oneOf(values: readonly unknown[]): Kind {
  const words = values.map((v) => (typeof v === "string" ? `"${v}"` : String(v)));
  return {
    accepts: (v) => values.includes(v),
    describe: listed(words, "or"),
  };
}

export function listOf(kind: Kind, what: string): Kind {
  return { accepts: (v) => Array.isArray(v) && v.every(kind.accepts), describe: `a list of ${what}` };
}

export function either(...kinds: readonly Kind[]): Kind {
  return {
    accepts: (v) => kinds.some((kind) => kind.accepts(v)),
    describe: kinds.map((kind) => kind.describe).join(", or "),
  };
}

export function between(low: number, high: number): Kind {
  return { accepts: (v) => isNumber(v) && v >= low && v <= high, describe: `a number from ${low} to ${high}` };
}

export function instanceOf(type: abstract new (...args: never[]) => unknown, what: string): Kind {
  return { accepts: (v) => v instanceof type, describe: what };
}

/** An AbortSignal from any realm or library: it has the methods, and says whether it is aborted. */
function isSignal(v: unknown): boolean {
  if (typeof v !== "object" || v === null) return false;
  try {
    const { aborted, throwIfAborted, addEventListener, removeEventListener } = v as Partial<AbortSignal>;
    return (
      typeof aborted === "boolean" &&
      [throwIfAborted, addEventListener, removeEventListener].every((method) => typeof method === "function")
    );
  } catch {
    return false;
  }
}
