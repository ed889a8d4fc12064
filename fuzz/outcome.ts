/** The outcome of one case, and whether an error is one that a person can read. */
import { GlassformerError } from "../src/index.ts";

/** `refused` in a sentence, `right`, or a fault and its description. */
export type Outcome = "refused" | "right" | Fault;

export interface Fault {
  readonly fault: "raw exception" | "flawed text" | "wrong result" | "slow" | "memory" | "no end" | "process died";
  readonly found: string;
}

export const wrong = (found: string): Fault => ({ fault: "wrong result", found: found.slice(0, 300) });

/** Runs a case: `check` examines the result for the input, and says what is wrong with it, if anything. */
export async function outcomeOf<T>(
  work: () => T | Promise<T>,
  check: (made: T) => string | undefined,
): Promise<Outcome> {
  let made: T;
  try {
    made = await work();
  } catch (error) {
    return ofError(error);
  }
  const complaint = check(made);
  return complaint === undefined ? "right" : wrong(complaint);
}

export function ofError(error: unknown): Outcome {
  if (!(error instanceof GlassformerError)) {
    const at = error instanceof Error ? error.stack?.split("\n").find((line) => line.includes("/src/")) : undefined;
    return { fault: "raw exception", found: `${error}`.slice(0, 200) + (at ? ` ${at.trim()}` : "") };
  }
  const flaw = flawOf(error.message);
  return flaw === undefined ? "refused" : { fault: "flawed text", found: `${flaw}: ${error.message.slice(0, 200)}` };
}

/** Why a message is not an acceptable sentence. */
export function flawOf(message: string): string | undefined {
  if (message.length > 2000) return `${message.length} characters`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/.test(message)) return "control characters";
  if (/\[object |undefined is|is not a function|Cannot read prop/.test(message)) return "JavaScript's own words";
  if (!/[.?!…]["')”]?$/.test(message.trim())) return "not a sentence";
  return undefined;
}
