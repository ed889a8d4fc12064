/** Reading a foreign `config.json` field by field: each must be of the right kind, and none may be ignored silently. */
import { ConfigError } from "../../tensor/errors.ts";
import { between, type Kind } from "../../tensor/kinds.ts";
import { nearest } from "../../tensor/nearest.ts";
import { shown } from "../../tensor/show.ts";
import { changesNothing } from "./bookkeeping.ts";
import type { ConfigJson } from "./family.ts";
import { refuseQuantised } from "./quantised.ts";

/** The fields that a family reads, each with the kind of its values. */
export type FieldKinds = Readonly<Record<string, Kind>>;

/** The fields of a `config.json`, each of the kind that it must be. */
export interface Fields {
  /** A field that must be there. @throws ConfigError */
  need<T = number>(name: string): T;
  /** A field, or what it is where it is left out or null. */
  or<T>(name: string, byDefault: T): T;
  /** A field that may be null, or what it is where it is left out. */
  orNull<T>(name: string, byDefault: T | null): T | null;
  /** @throws ConfigError for a field that holds another value than those that are computed */
  only(name: string, ...values: readonly unknown[]): void;
}

/** A part of a whole. */
export const SHARE: Kind = between(0, 1);

/** @throws ConfigError for a field that is read and holds another kind of value. `what` names the kind of file in the message. */
export function checkKinds(json: ConfigJson, what: string, kinds: FieldKinds): void {
  for (const [name, kind] of Object.entries(kinds)) {
    const value = field(json, name);
    if (value === undefined || kind.accepts(value)) continue;
    throw new ConfigError(
      `${name} in the config.json of ${what} is ${shown(value)}, but it must be ${kind.describe}.`,
      {
        asked: name,
        found: value,
      },
    );
  }
}

/** @throws ConfigError for fields that are neither read nor known to change no numbers. */
export function refuseUnknownFields(
  json: ConfigJson,
  what: string,
  read: FieldKinds,
  ignored: ReadonlySet<string>,
): void {
  if (!Object.hasOwn(read, "quantization_config")) refuseQuantised(field(json, "quantization_config"), what);
  const unknown = unknownFields(json, read, ignored);
  if (unknown.length === 0) return;
  const near = nearest(unknown[0], Object.keys(read));
  throw new ConfigError(
    `The config.json has ${unknown.length === 1 ? "a field" : "fields"} that ${what} does not: ` +
      `${unknown
        .slice(0, 12)
        .map((name) => shown(name))
        .join(", ")}. ` +
      (near ? `The closest one that it has is "${near}". ` : "") +
      "Nothing here computes what it may ask for. If it does not change the numbers, remove it from the file.",
    { asked: unknown, nearest: near },
  );
}

export function unknownFields(json: ConfigJson, read: FieldKinds, ignored: ReadonlySet<string>): string[] {
  return Object.entries(json)
    .filter(([name, value]) => !Object.hasOwn(read, name) && !ignored.has(name) && !changesNothing(name, value))
    .map(([name]) => name);
}

/** A required field. @throws ConfigError */
export function requireField(json: ConfigJson, name: string, what: string): unknown {
  const value = field(json, name);
  if (value !== undefined) return value;
  throw new ConfigError(`The config.json of ${what} has no "${name}".`, { asked: name, found: Object.keys(json) });
}

/** A field of the file itself: not `constructor` and the like, which every object has. */
function field(json: ConfigJson, name: string): unknown {
  return Object.hasOwn(json, name) ? json[name] : undefined;
}
