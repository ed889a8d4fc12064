/** The one place where passes are traced: what they start from, and what is done at their hook points. */
import type { HookedTransformerConfig } from "../models/config/config.ts";
import { type Forward, type ForwardInputs, forward } from "../models/forward.ts";
import type { SplicedPart } from "../models/scope.ts";
import type { Weights } from "../models/weights/weights.ts";

/** What a pass is of. */
export interface PassSource {
  readonly cfg: HookedTransformerConfig;
  readonly weights: Weights;
  /** Parts that stand at hook points, those at one point in order. */
  readonly splices?: PassSplices | undefined;
}

/** What a pass needs to know of parts that are spliced in. */
interface PassSplices {
  at(name: string): readonly SplicedPart[];
  /** The points that parts read besides their own: they are made, and what follows is computed from them. */
  readonly reads: ReadonlySet<string>;
  /** Called while a part reads such a point. */
  noteRead?(name: string): void;
}

/** What is done at hook points, above all at those that cost something. */
export interface WantedPoints {
  /** Points to be read next to the usual computation, or all. */
  readonly reads?: readonly string[] | "all";
  /** Points to be changed or differentiated: what follows is computed from them. */
  readonly changes?: Iterable<string>;
  /** What is wanted of every point that a cache without a filter has. */
  readonly usual?: "values" | "gradients" | undefined;
}

/** Traces a pass. Nothing is computed. */
export function tracePass(
  { cfg, weights, splices }: PassSource,
  inputs: ForwardInputs,
  { reads = [], changes = [], usual }: WantedPoints = {},
): Forward {
  const read = reads === "all" ? undefined : new Set(reads);
  const changed = new Set([...changes, ...(splices?.reads ?? [])]);
  return forward(cfg, weights, inputs, {
    reads: (name) => read === undefined || read.has(name),
    hooks: (name) => changed.has(name),
    usual,
    splices: (name) => splices?.at(name) ?? [],
    noteRead: (name) => splices?.noteRead?.(name),
  });
}
