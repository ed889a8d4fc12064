/**
 * Every error glassformer throws on purpose. Each message is one sentence or two: what was asked, what was found, the
 * nearest right thing, what to do. The class tells the kind; the fields carry the parts, so that a page or a program
 * can show its own words.
 */
import { nearest } from "./nearest.ts";
import { shortened } from "./show.ts";
import { visibleControls } from "./visible.ts";

/** Characters of a message; one may repeat what a file or a caller gave. */
const LONGEST_MESSAGE = 2000;

/** What every error of ours carries besides its message. */
export interface ErrorFields {
  /** What the caller asked for, as they wrote it. */
  readonly asked?: unknown;
  /** What was there instead. */
  readonly found?: unknown;
  /** The nearest valid thing, where there is one. */
  readonly nearest?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The base of all errors thrown on purpose. Anything else that escapes is a bug of ours. Control characters in a message
 * are shown as marks, and a message ends after 2000 characters.
 */
export class GlassformerError extends Error {
  // Each class writes its name out, as a bundler shortens the classes' own.
  override name = "GlassformerError";
  readonly asked: unknown;
  readonly found: unknown;
  readonly nearest: string | undefined;

  constructor(message: string, fields: ErrorFields = {}) {
    super(
      shortened(visibleControls(message), LONGEST_MESSAGE),
      fields.cause === undefined ? undefined : { cause: fields.cause },
    );
    this.asked = fields.asked;
    this.found = fields.found;
    this.nearest = fields.nearest;
  }
}

/** Shapes or axes that do not fit; the message names both. */
export class ShapeError extends GlassformerError {
  override name = "ShapeError";
}

/** A name that does not exist: a hook, a model, an axis, an analysis. `nearest` is the likeliest one meant. */
export class UnknownNameError extends GlassformerError {
  override name = "UnknownNameError";
  readonly kind: string;

  constructor(kind: string, asked: string, candidates: readonly string[], advice = "") {
    const near = nearest(`${asked}`, candidates);
    const hint = near ? `Did you mean "${near}"?` : advice || candidates.length === 0 ? "" : listed(candidates);
    super([`There is no ${kind} "${shortened(`${asked}`)}".`, hint, advice].filter(Boolean).join(" "), {
      asked,
      found: candidates,
      nearest: near,
    });
    this.kind = kind;
  }
}

/** Names of a list that a sentence holds. */
const MOST_NAMES = 24;

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return `There ${names.length === 1 ? "is" : "are"} ${names
    .slice(0, MOST_NAMES)
    .map((name) => shortened(name, 60))
    .join(", ")}${more > 0 ? ` and ${more} more` : ""}.`;
}

/** A configuration with an unknown field, an unsupported value, or values that contradict each other. */
export class ConfigError extends GlassformerError {
  override name = "ConfigError";
}

/** Weights that are missing, left over, or of the wrong shape. */
export class WeightsError extends GlassformerError {
  override name = "WeightsError";
}

/** A file that is not what its name says: truncated, garbled, of another format. */
export class FileFormatError extends GlassformerError {
  override name = "FileFormatError";
}

/** A download that failed, or something that is not in the cache while offline. */
export class HubError extends GlassformerError {
  override name = "HubError";
}

/** Text or tokens that the model cannot take: empty, too long, not one token, out of the vocabulary. */
export class InputError extends GlassformerError {
  override name = "InputError";
}

/** An option or argument out of its range. */
export class ArgumentError extends GlassformerError {
  override name = "ArgumentError";
}

/** Work that takes more memory than there is, or than it was allowed: refused before it begins, or told by the engine. */
export class MemoryError extends GlassformerError {
  override name = "MemoryError";
}
