/** An options object held against what a function knows: a misspelt option would otherwise be ignored without a word. */
import { ArgumentError } from "./errors.ts";
import type { Kind } from "./kinds.ts";
import { nearest } from "./nearest.ts";
import { kindOf, shown } from "./show.ts";

/** The options of a function, each with the kind of value that it takes. The compiler asks for every field of `T`. */
export type OptionKinds<T> = { readonly [K in keyof Required<T>]: Kind };

/** Options with nothing left open: each has its value. */
export type Complete<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/**
 * Checks an options object. An option that is `undefined` counts as not given.
 * @param of whose options, for the error: "forward"
 * @throws ArgumentError for an object that is none, an option that does not exist (with the nearest), a value of another kind
 */
export function checkOptions<T extends object>(of: string, options: T, kinds: OptionKinds<T>): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new ArgumentError(
      `The options of ${of} are an object, { ${Object.keys(kinds)[0]}: … }, not ${kindOf(options)}.`,
      {
        asked: options,
      },
    );
  }
  if (!isPlain(options)) {
    throw new ArgumentError(
      `The options of ${of} are an object, { ${Object.keys(kinds)[0]}: … }, not ${kindOf(options)}, whose fields are none.`,
      { asked: options },
    );
  }
  for (const [name, value] of entriesOf(of, options)) {
    if (value === undefined) continue;
    const kind = Object.hasOwn(kinds, name) ? (kinds as Readonly<Record<string, Kind>>)[name] : undefined;
    if (!kind) {
      const near = nearest(name, Object.keys(kinds));
      throw new ArgumentError(
        `${of} has no option "${shown(name).slice(1, -1)}". ${near ? `Did you mean "${near}"?` : `It has: ${Object.keys(kinds).join(", ")}.`}`,
        { asked: name, found: Object.keys(kinds), nearest: near },
      );
    }
    if (!kind.accepts(value)) {
      throw new ArgumentError(`The option ${name} of ${of} is ${kind.describe}, not ${shown(value)}.`, {
        asked: value,
        found: kind.describe,
      });
    }
  }
}

/**
 * Checks one argument.
 * @param what whose and which, as the start of a sentence: "The size of repeat"
 * @throws ArgumentError for a value of another kind
 */
export function checkArgument(what: string, value: unknown, kind: Kind): void {
  if (kind.accepts(value)) return;
  throw new ArgumentError(`${what} is ${kind.describe}, not ${shown(value)}.`, { asked: value, found: kind.describe });
}

/** No Map, Promise, AbortSignal or Date, whose fields say nothing: each would be options that are all left out. */
function isPlain(options: object): boolean {
  try {
    return ["Object", "Module"].includes(Object.prototype.toString.call(options).slice(8, -1));
  } catch {
    return true; // what cannot be read is said below
  }
}

/** Fields, inherited ones too: they are read like others. @throws ArgumentError for an object whose getters throw */
function entriesOf(of: string, options: object): [string, unknown][] {
  try {
    const found: [string, unknown][] = [];
    for (const name in options) found.push([name, (options as Readonly<Record<string, unknown>>)[name]]);
    return found;
  } catch (cause) {
    throw new ArgumentError(`The options of ${of} cannot be read: one of them throws when it is asked for.`, { cause });
  }
}
