/** Reading a foreign `config.json` field by field, so that a field nobody reads is noticed. */
import { ConfigError } from "../../tensor/errors.ts";
import { nearest } from "../../tensor/nearest.ts";
import type { ConfigJson } from "./family.ts";

/** Throws if the file has a field in neither list. `what` names the kind of file in the message. */
export function refuseUnknownFields(
  json: ConfigJson,
  what: string,
  read: readonly string[],
  ignored: ReadonlySet<string>,
): void {
  const unknown = unknownFields(json, read, ignored);
  if (unknown.length === 0) return;
  const near = nearest(unknown[0], read);
  throw new ConfigError(
    `The config.json has ${unknown.length === 1 ? "a field" : "fields"} that ${what} does not: ` +
      `${unknown.map((f) => `"${f}"`).join(", ")}. The nearest one that is read is "${near}"; ` +
      "take out what does not change the model's computation.",
    { asked: unknown, nearest: near },
  );
}

export function unknownFields(json: ConfigJson, read: readonly string[], ignored: ReadonlySet<string>): string[] {
  return Object.keys(json).filter((key) => !read.includes(key) && !ignored.has(key));
}

/** A field that must be there. @throws ConfigError */
export function requireField(json: ConfigJson, name: string, what: string): unknown {
  const value = json[name];
  if (value !== undefined) return value;
  throw new ConfigError(`The config.json of ${what} has no "${name}".`, { asked: name, found: Object.keys(json) });
}
