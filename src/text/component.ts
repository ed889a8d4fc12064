/**
 * Reads one component of a `tokenizer.json` (a normalizer, a model, …): every field must be of the kind that Hugging Face's
 * library expects, and unknown fields are refused, because they might change tokens.
 */
import { FileFormatError } from "../tensor/errors.ts";
import { kindOf, shown } from "../tensor/show.ts";
import { isWellFormed } from "./well-formed.ts";

/** A JSON object whose fields have not been checked yet. */
export type Fields = Record<string, unknown>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The most levels of sequences inside sequences. */
const DEEPEST = 20;
/** The most parts of one sequence; published tokenizers have fewer than ten. */
const MOST_PARTS = 100;

export class Component {
  /** Where it is: "normalizer", "pre_tokenizer.pretokenizers[1]". */
  readonly path: string;
  readonly #fields: Fields;
  readonly #depth: number;
  readonly #known = new Set(["type"]);

  /** @throws FileFormatError if it is not an object, or nested too deep */
  constructor(value: unknown, path: string, depth = 0) {
    this.path = path;
    this.#depth = depth;
    if (!isFields(value)) {
      throw new FileFormatError(`"${path}" of a tokenizer.json must be an object, not ${kindOf(value)}.`, {
        asked: path,
        found: value,
      });
    }
    if (depth > DEEPEST) throw this.refused("type", value.type, `at most ${DEEPEST} levels of sequences`);
    this.#fields = value;
  }

  /** Its `type`; undefined in files from before types existed. */
  get type(): string | undefined {
    const { type } = this.#fields;
    if (type === undefined || typeof type === "string") return type;
    throw this.refused("type", type, "a string");
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name);
  }

  text(name: string, fallback?: string): string {
    const value = this.#take(name, fallback);
    if (typeof value === "string" && isWellFormed(value)) return value;
    throw this.refused(name, value, "a string");
  }

  textOrNull(name: string): string | null {
    const value = this.#take(name, null);
    return value === null ? null : this.text(name);
  }

  /** One character. */
  character(name: string): string {
    const value = this.text(name);
    if (Array.from(value).length === 1) return value;
    throw this.refused(name, value, "one character");
  }

  flag(name: string, fallback?: boolean): boolean {
    const value = this.#take(name, fallback);
    if (typeof value === "boolean") return value;
    throw this.refused(name, value, "true or false");
  }

  flagOrNull(name: string): boolean | null {
    return this.#take(name, null) === null ? null : this.flag(name);
  }

  count(name: string, fallback?: number): number {
    return this.asId(name, this.#take(name, fallback));
  }

  countOrNull(name: string): number | null {
    return this.#take(name, null) === null ? null : this.count(name);
  }

  oneOf<T extends string>(name: string, values: readonly T[], fallback?: T): T {
    const value = this.#take(name, fallback);
    if (values.includes(value as T)) return value as T;
    throw this.refused(name, value, `one of ${values.join(", ")}`);
  }

  list(name: string): readonly unknown[] {
    const value = this.#take(name);
    if (Array.isArray(value)) return value;
    throw this.refused(name, value, "a list");
  }

  object(name: string): Fields {
    const value = this.#take(name);
    if (isFields(value)) return value;
    throw this.refused(name, value, "an object");
  }

  /** Any value, to be checked elsewhere. */
  value(name: string): unknown {
    return this.#take(name, undefined, true);
  }

  /** The components of a list. */
  components(name: string): Component[] {
    const list = this.list(name);
    if (list.length > MOST_PARTS) throw this.refused(name, list, `a list of at most ${MOST_PARTS}`);
    return list.map((value, i) => new Component(value, `${this.path}.${name}[${i}]`, this.#depth + 1));
  }

  /** Fields that do not change any tokens. */
  ignore(...names: string[]): void {
    for (const name of names) this.#known.add(name);
  }

  /** A valid id or count: 0 to 2^32 - 1. */
  asId(name: string, value: unknown): number {
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
    throw this.refused(name, value, "a whole number from 0 to 4294967295");
  }

  /** Call it when all fields have been read. @throws FileFormatError for a field that was not */
  done(): void {
    for (const name of Object.keys(this.#fields)) {
      if (!this.#known.has(name)) {
        throw new FileFormatError(
          `"${this.path}" (${this.type ?? "without a type"}) of the tokenizer.json has the field ${shown(name)}, which Hugging Face's library does not know there, but which might change tokens in a newer version. Remove it, or make the tokens elsewhere and pass their ids.`,
          { asked: name },
        );
      }
    }
  }

  refused(name: string, found: unknown, wanted: string): FileFormatError {
    const where = `"${this.path}.${name}" of a tokenizer.json`;
    return new FileFormatError(
      found === undefined ? `${where} is missing.` : `${where} must be ${wanted}, not ${shown(found)}.`,
      { asked: `${this.path}.${name}`, found },
    );
  }

  #take(name: string, fallback?: unknown, orAbsent = false): unknown {
    this.#known.add(name);
    const value = Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
    if (value === undefined && !orAbsent && fallback === undefined) throw this.refused(name, undefined, "needed");
    return value === undefined ? fallback : value;
  }
}

/** Makes the component that `type` names, and refuses leftover fields. */
export function built<T>(
  component: Component,
  makers: Readonly<Record<string, (component: Component) => T>>,
  what: string,
): T {
  const { type } = component;
  if (type === undefined || !Object.hasOwn(makers, type)) {
    throw new FileFormatError(
      `"${component.path}" of the tokenizer.json is a ${what} of type ${shown(type)}; supported types are ${Object.keys(makers).join(", ")}.`,
      { asked: type, found: Object.keys(makers) },
    );
  }
  const made = makers[type](component);
  component.done();
  return made;
}
