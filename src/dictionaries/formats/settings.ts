/** The settings in a dictionary's JSON, taken one by one: what is missing or of the wrong kind is named. */
import { ConfigError } from "../../tensor/errors.ts";
import { COUNT, FLAG, type Kind, OBJECT, POSITIVE, TEXT } from "../../tensor/kinds.ts";
import { shown } from "../../tensor/show.ts";

type Json = Readonly<Record<string, unknown>>;

export class Settings {
  readonly what: string;
  readonly json: Json;

  /** @param what the file's name, to start a sentence */
  constructor(json: Json, what: string) {
    this.json = json;
    this.what = what;
  }

  /** Whether a setting is there, and not null. */
  has(name: string): boolean {
    return Object.hasOwn(this.json, name) && this.json[name] !== null;
  }

  count(name: string): number {
    return this.take(name, COUNT) as number;
  }
  positive(name: string): number {
    return this.take(name, POSITIVE) as number;
  }
  text(name: string): string {
    return this.take(name, TEXT) as string;
  }
  flag(name: string, otherwise: boolean): boolean {
    return this.has(name) ? (this.take(name, FLAG) as boolean) : otherwise;
  }
  /** The settings within a setting. */
  within(name: string): Settings {
    return new Settings(this.take(name, OBJECT) as Json, `"${name}" in ${this.what}`);
  }

  /** @throws ConfigError for a setting that is missing or of another kind */
  take(name: string, kind: Kind): unknown {
    const value = Object.hasOwn(this.json, name) ? this.json[name] : undefined;
    if (kind.accepts(value)) return value;
    throw new ConfigError(
      value === undefined
        ? `${this.what} lacks "${name}", which must be ${kind.describe}.`
        : `${this.what} says ${name}: ${shown(value)}, which must be ${kind.describe}.`,
      { asked: name, found: value },
    );
  }
}
