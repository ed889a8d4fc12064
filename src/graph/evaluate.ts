/**
 * From a graph to numbers, without knowing how: by the platform's engine, or by a nearer one. A run that is being traced
 * registers itself for its values, so that numbers awaited inside a hook are computed as part of that run.
 */
import { platform } from "../platform.ts";
import { GlassformerError } from "../tensor/errors.ts";
import type { EvaluateOptions, Runnable, Runner } from "./runner.ts";

const nearer = new WeakMap<Runnable, Runner>();

/** Makes `runner` what `compute()` asks for every value that depends on `x`. */
export function evaluateWith(x: Runnable, runner: Runner): void {
  nearer.set(x, runner);
}

/** @throws GlassformerError if no platform's entry was imported */
export function evaluate<T extends Runnable>(outputs: readonly T[], options: EvaluateOptions): Promise<T[]> {
  const runner = findNearer(outputs) ?? platform().engine?.();
  if (!runner) {
    throw new GlassformerError(
      'There is no engine to compute with: import from "glassformer", which brings its platform\'s, not from "glassformer/core".',
    );
  }
  return runner.run(outputs, options) as Promise<T[]>; // values of one kind in, the same kind out
}

function findNearer(outputs: readonly Runnable[]): Runner | undefined {
  const seen = new Set<Runnable>();
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
