/** What a page and its worker say to each other, and errors as data. */
import type { NDArray } from "../tensor/array.ts";
import { ArgumentError, GlassformerError, MemoryError, ShapeError } from "../tensor/errors.ts";
import type { Feed } from "./feeds.ts";
import type { WebBackendOptions } from "./ort-web-settings.ts";

/** Numbers that stay the same: the worker has them under a number. */
export interface KeptFeed extends Omit<Feed, "data"> {
  readonly kept: number;
}

/** What is asked of the worker and answered. `session` is the page's number for a compiled graph. */
export type Request =
  | {
      readonly kind: "compile";
      readonly session: number;
      readonly model: Uint8Array;
      readonly outputs: readonly string[];
    }
  | {
      readonly kind: "run";
      readonly session: number;
      readonly feeds: readonly (readonly [name: string, feed: Feed | KeptFeed])[];
    }
  | { readonly kind: "release"; readonly session: number };

/** What a page posts to the worker. */
export type Message =
  /** First of all: how to compute, and the lock that it holds for as long as it lives. */
  | { readonly kind: "start"; readonly options: WebBackendOptions; readonly lock: string | undefined }
  /** Bytes of numbers that stay the same, from `at` on, of `size` altogether. */
  | {
      readonly kind: "keep";
      readonly kept: number;
      readonly size: number;
      readonly at: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: "drop"; readonly kept: readonly number[] }
  | { readonly kind: "request"; readonly id: number; readonly request: Request };

/** What the worker posts to its page. */
export type Reply =
  /** It runs, and holds its lock. */
  | { readonly kind: "started" }
  | { readonly kind: "done"; readonly id: number; readonly results: readonly NDArray[] }
  | { readonly kind: "failed"; readonly id: number; readonly error: ErrorData };

/** An error as data: classes do not survive the way between threads. */
export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly asked: unknown;
  readonly found: unknown;
  readonly cause: string | undefined;
}

/** The classes of errors that a backend throws. */
const CLASSES = { ArgumentError, GlassformerError, MemoryError, ShapeError };

/** An error to send. */
export function errorData(error: unknown): ErrorData {
  const { name = "Error", message = String(error), cause } = (error ?? {}) as Partial<Error>;
  // Strings and lists of strings, in what backends throw; anything else may not survive the way.
  const plain = (value: unknown) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
  const { asked, found } = error instanceof GlassformerError ? error : {};
  const reason = cause instanceof Error ? cause.message : cause === undefined ? undefined : String(cause);
  return { name, message, asked: plain(asked), found: plain(found), cause: reason };
}

/** A received error as the class that it was. */
export function errorOf({ name, message, asked, found, cause }: ErrorData): GlassformerError {
  const Class = CLASSES[name as keyof typeof CLASSES] ?? GlassformerError;
  return new Class(message, { asked, found, ...(cause === undefined ? {} : { cause: new Error(cause) }) });
}
