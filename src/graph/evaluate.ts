/**
 * From a graph to numbers, without knowing how. The engine of the platform registers itself here; a run that is being
 * traced registers a nearer one for its values, so that numbers awaited inside a hook are computed as part of that run.
 */
import { GlassformerError } from "../tensor/errors.ts";
import type { Tensor } from "./tensor.ts";

export interface EvaluateOptions {
  readonly signal?: AbortSignal | undefined;
  /** What is being run and what would take less, for the error where it does not fit into memory. */
  readonly sized?: Sized | undefined;
}

/** A run in words: "Running 8 × 1024 tokens", and what to do where that is too much. */
export interface Sized {
  readonly what: string;
  readonly advice: string;
}

/** Computes values and returns them as leaves, in order. */
export type Evaluate = (outputs: readonly Tensor[], options: EvaluateOptions) => Promise<Tensor[]>;

let platform: Evaluate | undefined;
const nearer = new WeakMap<Tensor, Evaluate>();

/** Makes `f` what `compute()` calls where nothing nearer is registered. */
export function setDefaultEvaluate(f: Evaluate): void {
  platform = f;
}

/** Makes `f` what `compute()` calls for every value that depends on `x`. */
export function evaluateWith(x: Tensor, f: Evaluate): void {
  nearer.set(x, f);
}

export function evaluate(outputs: readonly Tensor[], options: EvaluateOptions): Promise<Tensor[]> {
  const f = findNearer(outputs) ?? platform;
  if (!f) {
    throw new GlassformerError(
      'No engine is there to compute with: import from "glassformer", which brings its platform\'s, not from "glassformer/core".',
    );
  }
  return f(outputs, options);
}

function findNearer(outputs: readonly Tensor[]): Evaluate | undefined {
  const seen = new Set<Tensor>();
  const stack = [...outputs];
  for (let t = stack.pop(); t; t = stack.pop()) {
    const found = nearer.get(t);
    if (found) return found;
    if (seen.has(t)) continue;
    seen.add(t);
    for (const x of t.inputs) stack.push(x); // a spread would overflow the call stack where there are very many
  }
  return undefined;
}
