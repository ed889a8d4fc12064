/** Which options of a form apply with the values that it has. */
import type { Field } from "../options/fields.ts";
import { holds } from "../options/settle.ts";

type Values = Readonly<Record<string, unknown>>;

/** The fields whose conditions hold. */
export function applying(fields: readonly Field[], values: Values): readonly Field[] {
  const filled = Object.fromEntries(
    fields.map(({ name, type, default: standard }) => [name, values[name] ?? (type === "flag" ? false : standard)]),
  );
  return fields.filter(({ only }) => only?.every((condition) => holds(condition, filled)) ?? true);
}

/** The values with one of them set, or left out if it is undefined, and without those that do not apply any more. */
export function withValue(fields: readonly Field[], values: Values, name: string, value: unknown): Values {
  const next = { ...values, [name]: value };
  const apply = new Set(applying(fields, next).map((field) => field.name));
  return Object.fromEntries(Object.entries(next).filter(([key, one]) => one !== undefined && apply.has(key)));
}
