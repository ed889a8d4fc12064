/**
 * Every error that glassformer throws on purpose. A message is a sentence or two: what was asked, what was found, the
 * closest right thing, what to do. The class says which kind of error it is; the fields carry the parts, so that a page or a program
 * can use its own words.
 */
import { nearest } from "./nearest.ts";
import { shortened } from "./show.ts";
import { visibleControls } from "./visible.ts";
import { firstOf } from "./words.ts";

/** The longest message, in characters: a message may repeat text from a file or a caller. */
const LONGEST_MESSAGE = 2000;

/** What each of these errors carries besides its message. */
export interface ErrorFields {
  /** What the caller asked for, as they wrote it. */
  readonly asked?: unknown;
  /** What was there instead. */
  readonly found?: unknown;
  /** The closest valid thing, if there is one. */
  readonly nearest?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The base of all errors thrown on purpose. Any other error is a bug in glassformer. Control characters in a message
 * are shown as marks, and a message ends after 2000 characters.
 */
export class GlassformerError extends Error {
  // Each class spells out its name, because a bundler shortens class names.
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

/** A name that does not exist: a hook, a model, an axis, an analysis. `nearest` is the closest match. */
export class UnknownNameError extends GlassformerError {
  override name = "UnknownNameError";
  readonly kind: string;

  constructor(kind: string, asked: string, candidates: readonly string[], advice = "") {
    const near = nearest(`${asked}`, candidates);
    const hint = near ? `Did you mean "${near}"?` : advice || candidates.length === 0 ? "" : existing(candidates);
    super([`There is no ${kind} "${shortened(`${asked}`)}".`, hint, advice].filter(Boolean).join(" "), {
      asked,
      found: candidates,
      nearest: near,
    });
    this.kind = kind;
  }
}

/** How many names of a list a sentence includes. */
const MOST_NAMES = 24;

function existing(names: readonly string[]): string {
  return `There ${names.length === 1 ? "is" : "are"} ${firstOf(names, MOST_NAMES, 60)}.`;
}

/** A configuration with an unknown field, an unsupported value, or values that contradict each other. */
export class ConfigError extends GlassformerError {
  override name = "ConfigError";
}

/** Weights that are missing, left over, or of the wrong shape. */
export class WeightsError extends GlassformerError {
  override name = "WeightsError";
}

/** A file that is not what its name says: truncated, garbled, or in another format. */
export class FileFormatError extends GlassformerError {
  override name = "FileFormatError";
}

/** A failed download, or something missing from the cache while offline. */
export class HubError extends GlassformerError {
  override name = "HubError";
}

/** Text or tokens that the model cannot take: empty, too long, not a single token, outside the vocabulary. */
export class InputError extends GlassformerError {
  override name = "InputError";
}

/** An option or argument out of range. */
export class ArgumentError extends GlassformerError {
  override name = "ArgumentError";
}

/** Work that needs more memory than there is, or than it was allowed: refused before it starts, or reported by the engine. */
export class MemoryError extends GlassformerError {
  override name = "MemoryError";
}
