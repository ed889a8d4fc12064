/** A regular expression as a tree: what tokenizers need, with bounds on every part. */
import type { CodeSet } from "../unicode/classes.ts";

export type Node =
  /** One character of a set. */
  | { readonly type: "set"; readonly set: CodeSet }
  | { readonly type: "sequence"; readonly parts: readonly Node[] }
  /** The first option that lets the rest match. */
  | { readonly type: "choice"; readonly options: readonly Node[] }
  | { readonly type: "repeat"; readonly body: Node; readonly min: number; readonly max: number; readonly greed: Greed }
  /** Matches the empty string, if the body matches there (or does not). */
  | { readonly type: "ahead"; readonly body: Node; readonly negative: boolean }
  /** The same for the preceding text: one of the widths in characters. */
  | { readonly type: "behind"; readonly options: readonly Behind[]; readonly negative: boolean }
  /** The body's first match, never another. */
  | { readonly type: "atomic"; readonly body: Node }
  | { readonly type: "place"; readonly place: Place };

export interface Behind {
  readonly body: Node;
  readonly width: number;
}

export type Greed = "greedy" | "lazy" | "possessive";
export type Place =
  | "text start"
  | "text end"
  | "text end or last newline"
  | "line start"
  | "line end"
  | "word edge"
  | "no word edge";
