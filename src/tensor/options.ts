/** Checks an options object against what a function knows: a misspelt option would otherwise be ignored silently. */
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
 * @param of the function whose options they are, for the error: "forward"
 * @throws ArgumentError for something that is not a plain object, an option that does not exist (with the closest match), a value of the wrong kind
 */
export function checkOptions<T extends object>(of: string, options: T, kinds: OptionKinds<T>): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new ArgumentError(
      `The options of ${of} must be an object, { ${Object.keys(kinds)[0]}: … }, not ${kindOf(options)}.`,
      {
        asked: options,
      },
    );
  }
  if (!isPlain(options)) {
    throw new ArgumentError(
      `The options of ${of} must be an object, { ${Object.keys(kinds)[0]}: … }, not ${kindOf(options)}, whose fields are not options.`,
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
      throw new ArgumentError(`The option ${name} of ${of} must be ${kind.describe}, not ${shown(value)}.`, {
        asked: value,
        found: kind.describe,
      });
    }
  }
}

/**
 * Checks one argument.
 * @param what which argument it is, to start a sentence: "The size of repeat"
 * @throws ArgumentError for a value of the wrong kind
 */
export function checkArgument(what: string, value: unknown, kind: Kind): void {
  if (kind.accepts(value)) return;
  throw new ArgumentError(`${what} must be ${kind.describe}, not ${shown(value)}.`, {
    asked: value,
    found: kind.describe,
  });
}

/** Not a Map, Promise, AbortSignal or Date: read as options, each would look like an empty object. */
function isPlain(options: object): boolean {
  try {
    return ["Object", "Module"].includes(Object.prototype.toString.call(options).slice(8, -1));
  } catch {
    return true; // unreadable options are reported below
  }
}

/** Its fields, including inherited ones, which count as options too. @throws ArgumentError for an object whose getters throw */
function entriesOf(of: string, options: object): [string, unknown][] {
  try {
    const entries: [string, unknown][] = [];
    for (const name in options) entries.push([name, (options as Readonly<Record<string, unknown>>)[name]]);
    return entries;
  } catch (cause) {
    throw new ArgumentError(`The options of ${of} cannot be read: one of them throws when it is asked for.`, { cause });
  }
}
