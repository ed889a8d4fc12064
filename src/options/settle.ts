/** Options as a caller gave them, checked against their records, and with defaults filled in. */
import { ArgumentError } from "../tensor/errors.ts";
import { type Kind, WHOLE } from "../tensor/kinds.ts";
import { checkOptions } from "../tensor/options.ts";
import { listed } from "../tensor/words.ts";
import { checkHead, checkLayer, checkWhole } from "./checks.ts";
import { kindsOf } from "./kinds.ts";
import type { Condition, GivenValue, HasSizes, OptionRecord, OptionRecords, ValueOf } from "./records.ts";

/** What a caller may give. */
export type Given<O extends OptionRecords> = { readonly [K in keyof O]?: GivenValue<O[K]> | undefined };

/** The value of each option, with defaults filled in and layers counted from 0. */
export type Settled<O extends OptionRecords> = { readonly [K in keyof O]: ValueOf<O[K]> };

/** How a message writes options. */
export interface Spelling {
  readonly name: (option: string) => string;
  /** An option with one of some values, the last of which `or` sets off. */
  readonly withValue: (option: string, values: readonly unknown[]) => string;
}

const IN_CODE: Spelling = {
  name: (option) => option,
  withValue: (option, values) =>
    `${option}: ${listed(
      values.map((value) => JSON.stringify(value)),
      "or",
    )}`,
};

/**
 * Checks that there are only options that exist, each of the kind of value that its record says.
 * @param of the function's name, for errors
 * @param more options that have no record
 * @throws ArgumentError
 */
export function checkGiven(of: string, given: object, records: OptionRecords, more: Readonly<Record<string, Kind>>) {
  // The largest value may depend on the model: `settle` says the whole range.
  const whole = Object.entries(records).filter(([, { type }]) => type === "integer");
  const kinds = { ...kindsOf(records), ...Object.fromEntries(whole.map(([name]) => [name, WHOLE])), ...more };
  checkOptions(of, given, kinds as never);
}

/**
 * Fills in defaults, and checks what depends on the model and on other options.
 * @param model left out by commands that have none yet: what depends on it is not checked
 * @throws ArgumentError for a value out of range, or an option that does not apply
 */
export function settle<const O extends OptionRecords>(
  given: Given<O>,
  records: O,
  { model, spelling = IN_CODE }: { readonly model?: HasSizes; readonly spelling?: Spelling } = {},
): Settled<O> {
  const values = given as Readonly<Record<string, unknown>>;
  // A condition may also be on an option that has no record.
  const filled: Record<string, unknown> = { ...values };
  for (const [name, option] of Object.entries(records)) filled[name] = settledValue(name, option, values, model);
  const apply = Object.entries(records).map(([name, option]) => {
    const broken = option.only?.find((condition) => !holds(condition, filled));
    // A default that a form sends as it is means what leaving it out means.
    const said = values[name] !== undefined && values[name] !== false && values[name] !== defaultOf(option);
    if (broken && said) refuse(name, broken, filled, spelling);
    return [name, broken ? undefined : filled[name]];
  });
  return Object.fromEntries(apply) as Settled<O>;
}

function defaultOf(option: OptionRecord): unknown {
  return "default" in option ? option.default : undefined;
}

/** Whether a condition holds for the values of options, with defaults filled in. */
export function holds({ option, is, not }: Condition, filled: Readonly<Record<string, unknown>>): boolean {
  const value = filled[option];
  return (is?.includes(value) ?? true) && !not?.includes(value);
}

function refuse(
  name: string,
  { option, is, not, which }: Condition,
  filled: Readonly<Record<string, unknown>>,
  { name: named, withValue }: Spelling,
): never {
  const value = filled[option];
  const because = which === undefined ? "" : `, which ${which}`;
  const needed = is?.filter((one) => one !== undefined && one !== false) ?? [];
  const message =
    needed.length > 0
      ? `${named(name)} only applies with ${withValue(option, needed)}${because}: leave it out.`
      : not?.includes(undefined)
        ? `${named(name)} only applies together with ${named(option)}${because}: leave it out, or give both.`
        : `${named(name)} does not apply with ${withValue(option, [value])}${because}: leave it out.`;
  throw new ArgumentError(message, { asked: name, found: value });
}

/** An option's value, within its range, or its default. @throws ArgumentError for a value out of range */
function settledValue(
  name: string,
  option: OptionRecord,
  values: Readonly<Record<string, unknown>>,
  model: HasSizes | undefined,
): unknown {
  const given = values[name];
  if (option.type === "flag") return given === true;
  const standard = defaultOf(option);
  if (option.type === "texts" && typeof given === "string") return [given];
  // On a command line it is the path.
  if (option.type === "file" && typeof given === "string" && model) return { name: "a text", text: given };
  const value = given ?? standard;
  if (!model || value === undefined) return value;
  switch (option.type) {
    case "integer": {
      const most = typeof option.most === "function" ? option.most(model, values) : option.most;
      if (given === undefined || given === standard) return Math.min(value as number, most ?? Infinity);
      checkWhole(name, value as number, option.least, most);
      return value;
    }
    case "layer":
      return checkLayer(model, value as number);
    case "layers":
      return (value as readonly number[]).map((layer) => checkLayer(model, layer));
    case "head":
      return checkHead(model, value as number);
    case "heads":
      return (value as readonly number[]).map((head) => checkHead(model, head));
    default:
      return value;
  }
}
