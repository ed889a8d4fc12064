/** What consoles and notebooks show of an object instead of its fields. */
import { platform } from "../platform.ts";
import { visibleControls } from "./visible.ts";

const NODE = Symbol.for("nodejs.util.inspect.custom");
const DENO = Symbol.for("Deno.customInspect");
/** What Deno's Jupyter kernel calls. */
const JUPYTER = Symbol.for("Jupyter.display");

type MimeBundle = Readonly<Record<string, string>>;

/** What shows an object in a notebook, by MIME type with text among them, if it is one of those that `showAs` was for. */
export function displayOf(x: unknown): (() => Promise<MimeBundle>) | undefined {
  const display = typeof x === "object" && x !== null ? (x as Record<symbol, unknown>)[JUPYTER] : undefined;
  return typeof display === "function" ? () => display.call(x) : undefined;
}

/**
 * Makes Node's and Deno's consoles show an object, or all that inherit from it, as this text (`nested`: as a part of something
 * that is printed), and Deno's notebooks as that and what the platform draws. What is added cannot be enumerated: JSON, copies
 * and comparisons of the object stay as they are.
 */
export function showAs<T extends object>(shown: T, text: (x: T, nested: boolean) => string): T {
  if (!Object.isExtensible(shown)) return shown;
  const isClass = Object.hasOwn(shown, "constructor");
  const textOf = (x: T, nested: boolean) =>
    isClass && x === shown ? `${shown.constructor.name}.prototype` : visibleControls(text(x, nested));
  const add = (name: symbol, value: unknown) =>
    Object.defineProperty(shown, name, { value, configurable: true, writable: true });
  add(NODE, function (this: T, depth: unknown, options?: { readonly depth?: unknown }): string {
    return textOf(this, typeof depth === "number" && typeof options?.depth === "number" && depth < options.depth);
  });
  add(DENO, function (this: T): string {
    return textOf(this, false);
  });
  add(JUPYTER, async function (this: T): Promise<MimeBundle> {
    return { "text/plain": textOf(this, false), ...(await platform().notebook?.(this)) };
  });
  return shown;
}
